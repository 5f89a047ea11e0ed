#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stationsync::discovery_wsd {

// Digits and nothing else.
inline std::optional<std::uint32_t> parse_u32(std::string_view text) {
    std::uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value);
    if (text.empty() || failure != std::errc{} || stopped != end)
        return std::nullopt;
    return value;
}

} // namespace stationsync::discovery_wsd
