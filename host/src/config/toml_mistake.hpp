#pragma once
// What a person has to change where a file is no valid TOML.

#include <string>
#include <string_view>

namespace stationsync::host {

// One sentence with cause and remedy for the line at which the parser stopped; `description` is the
// parser's own text. Repeats no value: it may be a password in the wrong place.
std::string toml_mistake(std::string_view line, std::string_view description);

} // namespace stationsync::host
