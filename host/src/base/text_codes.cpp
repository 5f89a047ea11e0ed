#include "base/text_codes.hpp"

#include <cstdint>

namespace stationsync::host {
namespace {

int hex_value(char letter) noexcept {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    if (letter >= 'a' && letter <= 'f') {
        return letter - 'a' + 10;
    }
    if (letter >= 'A' && letter <= 'F') {
        return letter - 'A' + 10;
    }
    return -1;
}

constexpr std::string_view base32_letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int base32_value(char letter) noexcept {
    if (letter >= 'a' && letter <= 'z') {
        letter = static_cast<char>(letter - 'a' + 'A');
    }
    if (letter == 'O') {
        return 0;
    }
    if (letter == 'I' || letter == 'L') {
        return 1;
    }
    const std::size_t at = base32_letters.find(letter);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

bool is_separator(char letter) noexcept {
    return letter == '-' || letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

} // namespace

std::string to_hex(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<std::size_t>(byte >> 4)];
        text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return text;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return std::nullopt;
    }
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return bytes;
}

std::string to_base32(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve((bytes.size() * 8 + 4) / 5);
    std::uint32_t bits = 0;
    int count = 0;
    for (const std::byte byte : bytes) {
        bits = (bits << 8) | std::to_integer<std::uint32_t>(byte);
        count += 8;
        while (count >= 5) {
            count -= 5;
            text += base32_letters[(bits >> count) & 31U];
        }
        bits &= (1U << count) - 1U;
    }
    if (count > 0) {
        text += base32_letters[(bits << (5 - count)) & 31U];
    }
    return text;
}

std::optional<std::vector<std::byte>> from_base32(std::string_view text) {
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() * 5 / 8);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char letter : text) {
        if (is_separator(letter)) {
            continue;
        }
        const int value = base32_value(letter);
        if (value < 0) {
            return std::nullopt;
        }
        bits = (bits << 5) | static_cast<std::uint32_t>(value);
        count += 5;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<std::byte>((bits >> count) & 255U));
        }
        bits &= (1U << count) - 1U;
    }
    if (bits != 0 || count >= 5) {
        return std::nullopt;
    }
    return bytes;
}

} // namespace stationsync::host
