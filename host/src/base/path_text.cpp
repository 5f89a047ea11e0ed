#include "base/path_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace stationsync::host {
namespace {

// Length of the well-formed character at `text[at]`, 0 when there is none.
std::size_t character_bytes(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t offset) -> std::uint32_t {
        return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
    };
    const auto follows = [&](std::size_t offset) { return (byte(offset) & 0xC0U) == 0x80U; };
    const std::uint32_t first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return follows(1) ? 2 : 0;
    }
    if ((first & 0xF0U) == 0xE0U && follows(1) && follows(2)) {
        const bool overlong = first == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = first == 0xED && byte(1) >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xF0 && first <= 0xF4 && follows(1) && follows(2) && follows(3)) {
        const bool overlong = first == 0xF0 && byte(1) < 0x90;
        const bool beyond = first == 0xF4 && byte(1) >= 0x90;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

char upper_ascii(char letter) noexcept {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

bool is_unsafe(unsigned char letter) noexcept {
    constexpr std::string_view unsafe = "/\\:*?\"<>|~";
    return letter < 0x20 || letter == 0x7F ||
           unsafe.find(static_cast<char>(letter)) != std::string_view::npos;
}

} // namespace

bool is_valid_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_bytes(text, at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) {
        return text;
    }
    std::size_t end = 0;
    while (end < bytes_max) {
        const std::size_t length = character_bytes(text, end);
        if (length == 0 || end + length > bytes_max) {
            break;
        }
        end += length;
    }
    return text.substr(0, end);
}

std::string path_text(const std::filesystem::path& path) {
    const std::u8string text = path.u8string();
    return std::string(text.begin(), text.end());
}

std::filesystem::path path_of(std::string_view text) {
    return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

bool is_reserved_windows_name(std::string_view component) noexcept {
    std::string_view stem = component.substr(0, component.find('.'));
    while (!stem.empty() && stem.back() == ' ') {
        stem.remove_suffix(1);
    }
    if (stem.size() < 3 || stem.size() > 7) {
        return false;
    }
    std::array<char, 8> upper{};
    std::transform(stem.begin(), stem.end(), upper.begin(), upper_ascii);
    const std::string_view name(upper.data(), stem.size());
    constexpr std::array<std::string_view, 6> devices = {"CON", "PRN",    "AUX",
                                                         "NUL", "CONIN$", "CONOUT$"};
    if (std::find(devices.begin(), devices.end(), name) != devices.end()) {
        return true;
    }
    const bool port = name.starts_with("COM") || name.starts_with("LPT");
    const std::string_view number = name.substr(std::min<std::size_t>(3, name.size()));
    // Windows also reserves the superscript digits 1 to 3.
    constexpr std::array<std::string_view, 3> superscripts = {"\xC2\xB9", "\xC2\xB2", "\xC2\xB3"};
    return port &&
           ((number.size() == 1 && number[0] >= '0' && number[0] <= '9') ||
            std::find(superscripts.begin(), superscripts.end(), number) != superscripts.end());
}

std::string readable_name(std::string_view key, std::size_t bytes_max) {
    std::string name;
    for (std::size_t at = 0; at < key.size();) {
        const std::size_t length = character_bytes(key, at);
        const std::size_t taken = std::max<std::size_t>(length, 1);
        const std::size_t written = length == 0 ? 1 : length;
        if (name.size() + written > bytes_max) {
            break;
        }
        if (length == 0 || (length == 1 && is_unsafe(static_cast<unsigned char>(key[at])))) {
            name += '_';
        } else {
            name.append(key.substr(at, length));
        }
        at += taken;
    }
    const auto is_edge = [](char letter) { return letter == '.' || letter == ' '; };
    for (std::size_t at = 0; at < name.size() && is_edge(name[at]); ++at) {
        name[at] = '_';
    }
    for (std::size_t at = name.size(); at > 0 && is_edge(name[at - 1]); --at) {
        name[at - 1] = '_';
    }
    if (name.empty()) {
        return "_";
    }
    if (is_reserved_windows_name(name)) {
        name[0] = '_';
    }
    return name;
}

} // namespace stationsync::host
