#pragma once
// Checks a plugin's own keys against the schema in its descriptor
// (stsync_descriptor::config_schema):
//   {"key": {"type": "string|list|integer|boolean|secret", "required": bool, "help": "..."}}
// A single value counts as a list of one; keys of an inline table are named "table.key". A type
// that this version does not know accepts everything.

#include "config/problem.hpp"
#include "config/value.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// `title` names the section in messages, e.g. "[providers.recipes]"; `plugin` the one whose schema
// it is. A schema that is no such JSON is one problem of the plugin, not of the file.
std::vector<ConfigProblem> check_plugin_keys(const ConfigValue& table, std::string_view schema,
                                             const std::filesystem::path& file,
                                             const std::string& title, const std::string& plugin);

} // namespace stationsync::host
