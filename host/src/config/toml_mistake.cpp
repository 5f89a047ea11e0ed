#include "config/toml_mistake.hpp"

#include <algorithm>
#include <array>

namespace stationsync::host {
namespace {

struct Mistake {
    std::string_view sign; // part of the parser's text
    std::string_view text;
};

// The first that fits counts: what is said of a part comes before what is said of the whole.
constexpr std::array mistakes{
    Mistake{"utf-8", "the file is not in UTF-8: save it with the encoding UTF-8."},
    Mistake{"surrogates", "the file is not in UTF-8: save it with the encoding UTF-8."},
    Mistake{"escape sequence",
            "a backslash between double quotes begins a special character: write a path in single "
            "quotes, such as 'C:\\Daten', or every backslash twice."},
    Mistake{"unicode scalar",
            "a backslash between double quotes begins a special character: write a path in single "
            "quotes, such as 'C:\\Daten', or every backslash twice."},
    Mistake{"parsing string",
            "a text does not end on its line: close it with the quotation mark it begins with."},
    Mistake{"parsing literal string",
            "a text does not end on its line: close it with the quotation mark it begins with."},
    Mistake{"parsing comment",
            "a comment holds a control character: write it anew without that character."},
    Mistake{"parsing array",
            "the list is not complete here: write [\"one\", \"two\"] with a comma between two "
            "values and ] at the end."},
    Mistake{"parsing inline table",
            "what stands in braces is not complete: write { key = \"value\" } on one line, with a "
            "comma between two keys and none at the end."},
    Mistake{"parsing table header",
            "the header of a section is not complete: write its name in brackets on a line of its "
            "own, such as [net] or [providers.recipes]."},
    Mistake{"expected '='",
            "a key (a-z, A-Z, 0-9, \"-\" and \"_\" only) and then = are expected: write key = "
            "value; a comment begins with #."},
    Mistake{"expected a comment",
            "something stands behind the value: write one key = value per line, and a comment "
            "behind #."},
    Mistake{"root table",
            "this is neither a [section] nor key = value: correct the line, or make it a comment "
            "with # in front."}};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_key(std::string_view text) {
    constexpr std::size_t bytes_max = 64;
    return !text.empty() && text.size() <= bytes_max && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

// "cannot redefine existing table 'net'"
std::string redefined(std::string_view description) {
    const auto begin = description.find('\'');
    const auto end = description.rfind('\'');
    const auto name = std::string(begin < end ? description.substr(begin + 1, end - begin - 1)
                                              : std::string_view());
    if (description.find("parsing table header") != std::string_view::npos) {
        return "the section [" + name +
               "] was there before: keep one header, and everything of the section under it.";
    }
    return "`" + name + "` was there before in this section: keep one of the two lines.";
}

std::string bad_value(std::string_view line) {
    const auto equals = line.find('=');
    const auto key =
        equals == std::string_view::npos ? std::string_view() : trimmed(line.substr(0, equals));
    const auto name = std::string(is_key(key) ? key : "key");
    const auto value =
        equals == std::string_view::npos ? std::string_view() : trimmed(line.substr(equals + 1));
    const auto subject = is_key(key) ? "the value of `" + name + "`" : std::string("a value here");
    if (value.empty() || value.starts_with('#')) {
        return subject + " is missing: write it behind =, or make the line a comment with # in "
                         "front.";
    }
    return subject +
           " is not written as it must be: text, durations, sizes and addresses stand "
           "between straight quotation marks, such as " +
           name + " = \"...\"; whole numbers, true and false stand without.";
}

} // namespace

std::string toml_mistake(std::string_view line, std::string_view description) {
    if (description.find("cannot redefine") != std::string_view::npos) {
        return redefined(description);
    }
    for (const auto& mistake : mistakes) {
        if (description.find(mistake.sign) != std::string_view::npos) {
            return std::string(mistake.text);
        }
    }
    return bad_value(line);
}

} // namespace stationsync::host
