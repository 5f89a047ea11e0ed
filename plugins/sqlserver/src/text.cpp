#include "text.hpp"

#include <stationsync/text.hpp>

#include <algorithm>
#include <array>

namespace stationsync::sqlserver {

namespace {

constexpr char32_t replacement = 0xfffd;

char lowered(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

// The code point at `at`, which moves behind it.
char32_t next_point(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (at + length > text.size() || !sdk::is_valid_utf8(text.substr(at, length))) {
        ++at;
        return replacement;
    }
    constexpr std::array<unsigned char, 5> masks = {0, 0x7f, 0x1f, 0x0f, 0x07};
    char32_t point = first & masks.at(length);
    for (std::size_t i = 1; i < length; ++i)
        point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
    at += length;
    return point;
}

void append_utf8(std::string& text, char32_t point) {
    const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
    if (point < 0x80) {
        add(point);
    } else if (point < 0x800) {
        add(0xc0 | point >> 6);
        add(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        add(0xe0 | point >> 12);
        add(0x80 | (point >> 6 & 0x3f));
        add(0x80 | (point & 0x3f));
    } else {
        add(0xf0 | point >> 18);
        add(0x80 | (point >> 12 & 0x3f));
        add(0x80 | (point >> 6 & 0x3f));
        add(0x80 | (point & 0x3f));
    }
}

template <class Text>
void overwrite(Text& text) noexcept {
    volatile auto* const units = text.data();
    for (std::size_t i = 0; i < text.size(); ++i)
        units[i] = 0;
    text.clear();
}

} // namespace

std::u16string utf16_of(std::string_view utf8) {
    std::u16string text;
    text.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size();) {
        const char32_t point = next_point(utf8, at);
        if (point < 0x10000) {
            text += static_cast<char16_t>(point);
        } else {
            text += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
            text += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
        }
    }
    return text;
}

FromWide utf8_of(std::u16string_view utf16) {
    FromWide result;
    result.text.reserve(utf16.size());
    for (std::size_t at = 0; at < utf16.size(); ++at) {
        char32_t point = utf16[at];
        const bool is_first = point >= 0xd800 && point < 0xdc00;
        if (is_first && at + 1 < utf16.size() && utf16[at + 1] >= 0xdc00 &&
            utf16[at + 1] < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (utf16[at + 1] - 0xdc00u);
            ++at;
        } else if (point >= 0xd800 && point < 0xe000) {
            point = replacement;
            result.is_exact = false;
        }
        append_utf8(result.text, point);
    }
    return result;
}

std::size_t utf16_units(std::string_view utf8) noexcept {
    std::size_t units = 0;
    for (const char each : utf8) {
        const auto byte = static_cast<unsigned char>(each);
        if ((byte & 0xc0u) != 0x80u)
            units += byte >= 0xf0 ? 2 : 1;
    }
    return units;
}

void wipe(std::string& text) noexcept {
    overwrite(text);
}
void wipe(std::u16string& text) noexcept {
    overwrite(text);
}

bool is_same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lowered(x) == lowered(y); });
}

std::string lowered(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lowered(c); });
    return result;
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string presentable(std::string text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        std::size_t end = bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u)
            --end;
        text.resize(end);
        text += "…";
    }
    for (char& byte : text)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f)
            byte = ' ';
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

std::string in_quotes(std::string_view name) {
    constexpr std::size_t bytes_max = 400; // of a name of 128 characters
    return '\'' + presentable(std::string(name), bytes_max) + '\'';
}

} // namespace stationsync::sqlserver
