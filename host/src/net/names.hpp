// Names that a person gives to stations and projects: one rule for the command line, the
// configuration, join codes and everything that a peer says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stationsync::host {

inline constexpr std::size_t name_bytes_max = 48;

// Nothing when the name may be used, else one sentence that says what is wrong and what is right.
// Station: 1..48 bytes of UTF-8 without control characters.
[[nodiscard]] std::optional<std::string> station_name_problem(std::string_view name);
// Project: also none of / \ : * ? " < > |, no dot or space at either end, no reserved Windows name,
// because folders carry it on every system.
[[nodiscard]] std::optional<std::string> project_name_problem(std::string_view name);

[[nodiscard]] inline bool valid_station_name(std::string_view name) {
    return !station_name_problem(name);
}
[[nodiscard]] inline bool valid_project_name(std::string_view name) {
    return !project_name_problem(name);
}

} // namespace stationsync::host
