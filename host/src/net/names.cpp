#include "net/names.hpp"

#include "base/path_text.hpp"

namespace stationsync::host {
namespace {

// C0, DEL and C1 (U+0080..U+009F, in UTF-8 C2 80..C2 9F).
bool has_control_character(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7f) {
            return true;
        }
        if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
            return true;
        }
    }
    return false;
}

std::optional<std::string> common_problem(std::string_view kind, std::string_view name) {
    const std::string what = "The " + std::string(kind) + " name ";
    if (name.empty()) {
        return what + "is empty: give 1 to 48 bytes of text.";
    }
    if (name.size() > name_bytes_max) {
        return what + "has " + std::to_string(name.size()) +
               " bytes: use at most 48 (a letter outside of ASCII counts 2 to 4).";
    }
    if (!is_valid_utf8(name)) {
        return what + "is not valid UTF-8: type it again on a terminal that uses UTF-8.";
    }
    if (has_control_character(name)) {
        return what + "contains a control character (tab, line end or the like): leave it out.";
    }
    return std::nullopt;
}

} // namespace

std::optional<std::string> station_name_problem(std::string_view name) {
    return common_problem("station", name);
}

std::optional<std::string> project_name_problem(std::string_view name) {
    if (auto problem = common_problem("project", name)) {
        return problem;
    }
    if (name.find_first_of("/\\:*?\"<>|") != std::string_view::npos) {
        return R"(The project name contains one of / \ : * ? " < > |: leave it out, )"
               "folders carry the name on every system.";
    }
    constexpr std::string_view ends = ". ";
    if (ends.find(name.front()) != std::string_view::npos ||
        ends.find(name.back()) != std::string_view::npos) {
        return "The project name begins or ends with a dot or a space: leave it out, "
               "Windows drops it from folder names.";
    }
    if (is_reserved_windows_name(name)) {
        return "The project name \"" + std::string(name) +
               "\" is reserved by Windows for a device: choose another one.";
    }
    return std::nullopt;
}

} // namespace stationsync::host
