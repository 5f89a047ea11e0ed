#include "fold.hpp"

namespace filesync {

namespace {

// Letters of two bytes in UTF-8 (U+0080 to U+07FF); the rest is its own fold.
std::uint32_t fold_letter(std::uint32_t letter) noexcept {
    if (letter >= 0xC0 && letter <= 0xDE && letter != 0xD7)
        return letter + 0x20;
    // Latin Extended-A: upper and lower case alternate, with a break at U+0138 and U+0149.
    if ((letter >= 0x100 && letter <= 0x137 && letter != 0x130 && letter != 0x131) ||
        (letter >= 0x14A && letter <= 0x177))
        return letter | 1u;
    if ((letter >= 0x139 && letter <= 0x148) || (letter >= 0x179 && letter <= 0x17E))
        return letter % 2 != 0 ? letter + 1 : letter;
    if (letter == 0x178)
        return 0xFF;
    if (letter >= 0x391 && letter <= 0x3A9)
        return letter + 0x20;
    if (letter == 0x3C2)
        return 0x3C3; // the two forms of a small sigma
    if (letter >= 0x410 && letter <= 0x42F)
        return letter + 0x20;
    if (letter >= 0x400 && letter <= 0x40F)
        return letter + 0x50;
    return letter;
}

} // namespace

std::uint64_t folded_hash(std::string_view name) noexcept {
    // FNV-1a over folded letters.
    std::uint64_t hash = 14695981039346656037u;
    const auto feed = [&hash](std::uint32_t value) noexcept {
        hash = (hash ^ value) * 1099511628211u;
    };
    for (std::size_t at = 0; at < name.size(); ++at) {
        const auto byte = static_cast<unsigned char>(name[at]);
        if (byte >= 'A' && byte <= 'Z') {
            feed(byte + 32u);
        } else if (byte >= 0xC2 && byte <= 0xDF && at + 1 < name.size()) {
            const auto next = static_cast<unsigned char>(name[++at]);
            feed(fold_letter((byte & 0x1Fu) << 6 | (next & 0x3Fu)));
        } else {
            feed(byte);
        }
    }
    return hash;
}

} // namespace filesync
