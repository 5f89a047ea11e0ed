#pragma once
// Checks a plugin's own keys against the JSON schema in its descriptor.
//
// Understood are: type (also a list of types), properties, required, additionalProperties (false or
// a schema), items, enum, minimum, maximum, minLength, maxLength, minItems, maxItems, anyOf,
// description. A secret satisfies type "string" as well as "secret". Other keywords are ignored, as
// JSON Schema asks.

#include "config/problem.hpp"
#include "config/value.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// `title` names the section in messages, e.g. "[providers.recipes]"; `plugin` the one whose schema
// it is. A schema that is no JSON is one problem of the plugin, not of the file.
std::vector<ConfigProblem> check_plugin_keys(const ConfigValue& table, std::string_view schema,
                                             const std::filesystem::path& file,
                                             const std::string& title, const std::string& plugin);

} // namespace stationsync::host
