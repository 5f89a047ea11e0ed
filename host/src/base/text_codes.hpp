// Bytes as text: hexadecimal and base32.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// Lower case, two digits per byte.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
// Both cases; nothing when a character is no digit or the count is odd.
[[nodiscard]] std::optional<std::vector<std::byte>> from_hex(std::string_view text);

// Crockford's base32: no I, L, O, U, so that people can read it aloud. No padding; the unused bits
// of the last character are 0.
[[nodiscard]] std::string to_base32(std::span<const std::byte> bytes);
// Takes both cases, O as 0, I and L as 1, and skips '-' and white space. Nothing when another
// character appears, or the unused bits of the last character are not 0.
[[nodiscard]] std::optional<std::vector<std::byte>> from_base32(std::string_view text);

} // namespace stationsync::host
