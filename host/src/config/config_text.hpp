#pragma once
// Configuration files as text that people edit: fresh ones with comments, and changes that keep the
// rest.

#include "config/endpoint.hpp"
#include "config/problem.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

struct FreshStation {
    std::string name;
    std::vector<Endpoint> listen; // empty: the default
    std::optional<Endpoint> api;
};
std::string fresh_station_text(const FreshStation& station);

struct FreshProject {
    std::string name;
    std::vector<std::string> stations; // "host:port" of stations to dial
};
// With example providers, disabled: a newcomer edits paths and sets `enabled = true`.
std::string fresh_project_text(const FreshProject& project);

// Sets `enabled` of [providers.NAME]; everything else stays byte for byte. Problems: no such
// provider (with a suggestion), a file that is no valid TOML, a provider written in a form that
// only a person can edit.
Loaded<std::string> with_provider_enabled(std::string_view text, const std::filesystem::path& file,
                                          std::string_view provider, bool enabled);

// Sets the name in [station] in the same way.
Loaded<std::string> with_station_name(std::string_view text, const std::filesystem::path& file,
                                      std::string_view name);

} // namespace stationsync::host
