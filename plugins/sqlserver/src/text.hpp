// Texts between the driver (UTF-16) and everybody else (UTF-8).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stationsync::sqlserver {

// What is no valid UTF-8 becomes U+FFFD.
std::u16string utf16_of(std::string_view utf8);

struct FromWide {
    std::string text;
    bool is_exact = true; // false: a lone surrogate became U+FFFD
};
FromWide utf8_of(std::u16string_view utf16);

// Length of valid UTF-8 in UTF-16 units, as SQL Server counts.
std::size_t utf16_units(std::string_view utf8) noexcept;

// Overwrites the bytes before they are given back.
void wipe(std::string& text) noexcept;
void wipe(std::u16string& text) noexcept;

// Without regard to the case of ASCII letters, as keys of connection strings and columns compare.
bool is_same_name(std::string_view a, std::string_view b) noexcept;
std::string lowered(std::string_view text);
std::string_view trimmed(std::string_view text) noexcept;

// One line without control characters, cut between two characters to at most `bytes_max` bytes.
std::string presentable(std::string text, std::size_t bytes_max);

// A name for people, 'name', presentable.
std::string in_quotes(std::string_view name);

} // namespace stationsync::sqlserver
