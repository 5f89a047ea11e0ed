// What users save. A content is a number; digests of it and of packages that carry it are made so
// that the number can be read back, which lets the checks name the content behind any digest.
#pragma once

#include "stationsync/core/ids.hpp"

#include <cstdint>

namespace stationsync::simulation {

using Content = std::uint32_t; // 0: absent
inline constexpr Content absent = 0;

inline constexpr std::uint64_t large_content_bytes = 100'000;
inline std::uint64_t bytes_of(Content content) {
    if (content % 41 == 40) {
        return 5'000'000 + content; // its receivers serve what they have of it to each other
    }
    return content % 7 == 3 ? large_content_bytes + content : 200 + content % 900;
}

// Canonical digest of a content; `nonce` tells apart the packages of one content that differ in
// bytes.
inline core::Digest digest_of(Content content, std::uint64_t nonce = 0) {
    core::Digest digest;
    std::uint64_t mixed = (content + 1) * 0x9e3779b97f4a7c15ull ^ (nonce * 0xbf58476d1ce4e5b9ull);
    for (std::size_t i = 0; i < 8; ++i) {
        digest.bytes[i] = static_cast<std::uint8_t>(mixed >> (8 * i));
    }
    for (std::size_t i = 0; i < 4; ++i) {
        digest.bytes[8 + i] = static_cast<std::uint8_t>(content >> (8 * i));
    }
    for (std::size_t i = 0; i < 8; ++i) {
        digest.bytes[12 + i] = static_cast<std::uint8_t>(nonce >> (8 * i));
    }
    digest.bytes[31] = 1; // never all zero
    return digest;
}

inline Content content_of(const core::Digest& digest) {
    Content content = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        content |= static_cast<Content>(digest.bytes[8 + i]) << (8 * i);
    }
    return content;
}

} // namespace stationsync::simulation
