// Text views of the ABI as C++ text and back.
#pragma once

#include "types.h"

#include <string>
#include <string_view>

namespace stationsync::sdk {

// The view lives as long as what it was made from.
inline std::string_view view(stsync_str text) noexcept {
    if (text.data == nullptr)
        return {};
    return {text.data, static_cast<std::size_t>(text.size)};
}

// A copy that may outlive the call.
inline std::string copy(stsync_str text) {
    return std::string(view(text));
}

inline stsync_str to_abi(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
inline bool is_valid_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at]);
        std::size_t more = 0;
        unsigned low = 0x80; // range of the second byte
        unsigned high = 0xBF;
        if (lead < 0x80) {
            ++at;
            continue;
        }
        if (lead >= 0xC2 && lead <= 0xDF)
            more = 1;
        else if (lead >= 0xE0 && lead <= 0xEF)
            more = 2;
        else if (lead >= 0xF0 && lead <= 0xF4)
            more = 3;
        else
            return false;
        if (lead == 0xE0)
            low = 0xA0;
        if (lead == 0xED)
            high = 0x9F;
        if (lead == 0xF0)
            low = 0x90;
        if (lead == 0xF4)
            high = 0x8F;
        if (text.size() - at <= more)
            return false;
        for (std::size_t index = 1; index <= more; ++index) {
            const auto byte = static_cast<unsigned char>(text[at + index]);
            if (byte < low || byte > high)
                return false;
            low = 0x80;
            high = 0xBF;
        }
        at += more + 1;
    }
    return true;
}

} // namespace stationsync::sdk
