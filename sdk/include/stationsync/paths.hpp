// Paths and UTF-8, and the rules for keys that name files.
#pragma once

#include "error.hpp"
#include "text.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace stationsync::sdk {

inline constexpr std::size_t key_bytes_max = 4096;
// Files that start so are temporary files of a provider: never synchronized, removed by recover.
inline constexpr std::string_view temp_prefix = ".~stsync-";

// UTF-8 to a path of the system. Throws std::system_error for text that cannot be converted.
inline std::filesystem::path path_from_utf8(std::string_view text) {
#if defined(__cpp_char8_t)
    return std::filesystem::path(std::u8string(text.begin(), text.end()));
#else
    return std::filesystem::u8path(text.begin(), text.end());
#endif
}

// A path as UTF-8 with '/' between its parts. On systems whose names are bytes the result is not
// valid UTF-8 when the name is not: see is_valid_utf8.
inline std::string utf8_from_path(const std::filesystem::path& path) {
    const auto text = path.generic_u8string();
    return std::string(text.begin(), text.end());
}

namespace detail {

inline bool equals_ignoring_case(std::string_view text, std::string_view upper) noexcept {
    if (text.size() != upper.size())
        return false;
    for (std::size_t index = 0; index < text.size(); ++index) {
        const char byte = text[index];
        const char raised = byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte;
        if (raised != upper[index])
            return false;
    }
    return true;
}

// CON, NUL, COM1 … are devices on Windows, also with an extension.
inline bool is_reserved_on_windows(std::string_view name) noexcept {
    // Nearly all names are done with by their first letter.
    if (name.empty() || std::string_view("CPANLcpanl").find(name[0]) == std::string_view::npos)
        return false;
    std::string_view stem = name.substr(0, name.find('.'));
    while (!stem.empty() && stem.back() == ' ')
        stem.remove_suffix(1);
    for (const std::string_view device : {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"})
        if (equals_ignoring_case(stem, device))
            return true;
    // The digit of COM and LPT may also be a superscript 1, 2 or 3 (two bytes of UTF-8).
    const bool has_port_prefix = equals_ignoring_case(stem.substr(0, 3), "COM") ||
                                 equals_ignoring_case(stem.substr(0, 3), "LPT");
    if (!has_port_prefix)
        return false;
    const std::string_view digit = stem.substr(3);
    if (digit.size() == 1)
        return digit[0] >= '0' && digit[0] <= '9';
    return digit == "\xC2\xB9" || digit == "\xC2\xB2" || digit == "\xC2\xB3";
}

// False for control characters and what Windows does not allow in names. Names are checked by the
// ten thousand, hence no search in a list.
inline bool is_plain(char byte) noexcept {
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x20 || value == 0x7F)
        return false;
    switch (byte) {
    case '\\':
    case ':':
    case '*':
    case '?':
    case '"':
    case '<':
    case '>':
    case '|':
        return false;
    default:
        return true;
    }
}

inline std::optional<std::string> name_problem(std::string_view name) {
    if (name.empty())
        return "it has an empty part";
    if (name == "." || name == "..")
        return "it contains \"" + std::string(name) + "\"";
    if (name.size() > 255)
        return "a name in it is longer than 255 bytes";
    if (name.back() == '.' || name.back() == ' ')
        return std::string("\"").append(name).append("\" ends in a dot or a space");
    for (const char byte : name) {
        if (is_plain(byte))
            continue;
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F)
            return "it contains a control character";
        return std::string("it contains the character ") + byte;
    }
    if (is_reserved_on_windows(name))
        return std::string("\"").append(name).append("\" is a device name on Windows");
    return std::nullopt;
}

} // namespace detail

// Why `key` cannot be a key at all, or nothing: 1..4096 bytes of valid UTF-8 without zero byte.
inline std::optional<std::string> key_problem(std::string_view key) {
    if (key.empty())
        return "it is empty";
    if (key.size() > key_bytes_max)
        return "it is longer than 4096 bytes";
    if (!is_valid_utf8(key))
        return "it is not valid UTF-8";
    if (key.find('\0') != std::string_view::npos)
        return "it contains a zero byte";
    return std::nullopt;
}

// Why `name`, one part of a path, is not safe on every system, or nothing.
inline std::optional<std::string> path_name_problem(std::string_view name) {
    if (!is_valid_utf8(name))
        return "it is not valid UTF-8";
    if (name.find('/') != std::string_view::npos)
        return "it contains the character /";
    return detail::name_problem(name);
}

// Why `key` cannot be a relative path that is safe on every system, or nothing. Drive letters fall
// under ':', absolute paths under empty parts.
inline std::optional<std::string> path_key_problem(std::string_view key) {
    if (auto problem = key_problem(key))
        return problem;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = key.find('/', begin);
        const std::string_view name = key.substr(begin, end - begin);
        if (auto problem = detail::name_problem(name))
            return problem;
        if (end == std::string_view::npos)
            return std::nullopt;
        begin = end + 1;
    }
}

// True for the name (not the path) of a temporary file of a provider.
inline bool is_temp_name(std::string_view name) noexcept {
    return name.substr(0, temp_prefix.size()) == temp_prefix;
}

} // namespace stationsync::sdk
