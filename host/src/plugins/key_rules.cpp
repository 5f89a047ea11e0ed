#include "plugins/key_rules.hpp"

#include "base/path_text.hpp"

#include <utf8proc.h>

#include <cstdlib>

namespace stationsync::host {

namespace {

std::string why_component_refused(std::string_view part) {
    if (part.empty())
        return "it has an empty folder name";
    if (part == "." || part == "..")
        return "it leaves its folder with '" + std::string(part) + "'";
    if (part.size() > 255)
        return "one of its names is longer than 255 bytes";
    if (part.back() == '.' || part.back() == ' ')
        return "a name ends in a dot or a space, which Windows cannot keep";
    for (const char c : part) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            return "it contains a control character";
        if (std::string_view("\\:*?\"<>|").find(c) != std::string_view::npos)
            return std::string("it contains the character ") + c + ", which Windows cannot keep";
    }
    if (is_reserved_windows_name(part))
        return "'" + std::string(part) + "' is reserved by Windows";
    return {};
}

} // namespace

std::string why_path_refused(std::string_view key) {
    const std::string start = "the name is not allowed: ";
    if (!is_valid_utf8(key))
        return start + "it is not valid UTF-8";
    if (key.empty() || key.size() > 4096)
        return start + "it is empty or longer than 4096 bytes";
    if (key.front() == '/')
        return start + "it is an absolute path";
    for (std::string_view rest = key;;) {
        const std::size_t slash = rest.find('/');
        if (std::string why = why_component_refused(rest.substr(0, slash)); !why.empty())
            return start + why;
        if (slash == std::string_view::npos)
            return {};
        rest.remove_prefix(slash + 1);
    }
}

std::string folded_path(std::string_view key) {
    utf8proc_uint8_t* folded = nullptr;
    const utf8proc_ssize_t length = utf8proc_map(
        reinterpret_cast<const utf8proc_uint8_t*>(key.data()),
        static_cast<utf8proc_ssize_t>(key.size()), &folded,
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
    if (length < 0)
        return {};
    std::string text(reinterpret_cast<const char*>(folded), static_cast<std::size_t>(length));
    std::free(folded);
    return text;
}

} // namespace stationsync::host
