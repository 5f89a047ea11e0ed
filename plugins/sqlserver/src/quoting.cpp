#include "quoting.hpp"

#include "text.hpp"

#include <stationsync/error.hpp>
#include <stationsync/text.hpp>

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr std::size_t shown_bytes_max = 60;

[[noreturn]] void refuse(std::string_view what, std::string_view text, const std::string& why) {
    throw sdk::Error(STSYNC_INVALID_ARG, "The " + std::string(what) + " \"" +
                                             presentable(std::string(text), shown_bytes_max) +
                                             "\" cannot be given to SQL Server: " + why + ".");
}

void check_text(std::string_view what, std::string_view text) {
    if (!sdk::is_valid_utf8(text))
        throw sdk::Error(STSYNC_INVALID_ARG, "A " + std::string(what) +
                                                 " cannot be given to SQL Server: it is no valid "
                                                 "text (half a character).");
    if (text.find('\0') != std::string_view::npos)
        refuse(what, text, "it holds a zero");
}

std::string doubled(std::string_view text, char mark) {
    std::string result;
    result.reserve(text.size() + 2);
    for (const char byte : text)
        result.append(byte == mark ? 2 : 1, byte);
    return result;
}

} // namespace

std::string quoted_name(std::string_view name) {
    check_text("name", name);
    if (name.empty())
        refuse("name", name, "it is empty");
    if (utf16_units(name) > name_units_max)
        refuse("name", name,
               "it has " + std::to_string(utf16_units(name)) + " characters, at most " +
                   std::to_string(name_units_max) + " are allowed");
    return '[' + doubled(name, ']') + ']';
}

std::string quoted_name(std::string_view first, std::string_view second) {
    return quoted_name(first) + '.' + quoted_name(second);
}

std::string quoted_text(std::string_view text) {
    check_text("text", text);
    return "N'" + doubled(text, '\'') + '\'';
}

std::string quoted_path(std::string_view path) {
    check_text("path", path);
    if (path.empty())
        refuse("path", path, "it is empty");
    if (std::any_of(path.begin(), path.end(),
                    [](char byte) { return static_cast<unsigned char>(byte) < 0x20; }))
        refuse("path", path, "it holds a control character");
    if (utf16_units(path) > device_path_units_max)
        refuse("path", path,
               "it has " + std::to_string(utf16_units(path)) + " characters, at most " +
                   std::to_string(device_path_units_max) +
                   " are allowed; choose a folder with a shorter path");
    return quoted_text(path);
}

} // namespace stationsync::sqlserver
