#include "config/toml_reader.hpp"

#include "base/path_text.hpp"
#include "config/toml_mistake.hpp"

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>

namespace stationsync::host {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1024} * 1024;

class Converter {
public:
    explicit Converter(const std::filesystem::path& file) : file_(file) {}

    ConfigValue convert(const toml::node& node) {
        ConfigValue value;
        value.line = node.source().begin.line;
        if (const auto* table = node.as_table()) {
            convert_table(*table, value);
        } else if (const auto* array = node.as_array()) {
            ConfigValue::List list;
            for (const auto& item : *array) {
                list.push_back(convert(item));
            }
            value.data = std::move(list);
        } else if (const auto* text = node.as_string()) {
            value.data = text->get();
        } else if (const auto* integer = node.as_integer()) {
            value.data = integer->get();
        } else if (const auto* number = node.as_floating_point()) {
            value.data = number->get();
        } else if (const auto* truth = node.as_boolean()) {
            value.data = truth->get();
        } else {
            problems.push_back(
                {file_, value.line, "dates and times are not used here: write text in quotes."});
        }
        return value;
    }

    std::vector<ConfigProblem> problems;

private:
    void convert_table(const toml::table& table, ConfigValue& value) {
        const auto* secret = table.size() == 1 ? table.get_as<std::string>("secret") : nullptr;
        if (secret != nullptr && table.is_inline()) {
            value.data = SecretReference{secret->get()};
            return;
        }
        ConfigValue::Table entries;
        for (const auto& [key, node] : table) {
            entries.push_back({std::string(key.str()), key.source().begin.line, convert(node)});
        }
        // The library sorts by name; messages shall follow the file.
        std::ranges::stable_sort(entries, {}, &ConfigEntry::line);
        value.data = std::move(entries);
    }

    const std::filesystem::path& file_;
};

// Where line `line` (from 1) begins.
std::size_t line_offset(std::string_view text, unsigned line) {
    std::size_t offset = 0;
    for (unsigned at = 1; at < line; ++at) {
        const auto end = text.find('\n', offset);
        if (end == std::string_view::npos) {
            return text.size();
        }
        offset = end + 1;
    }
    return offset;
}

std::string_view line_text(std::string_view text, unsigned line) {
    const auto rest = text.substr(line_offset(text, line));
    return rest.substr(0, rest.find('\n'));
}

// The library counts code points per line.
std::size_t offset_of(std::string_view text, const toml::source_position& position) {
    std::size_t offset = line_offset(text, position.line);
    for (unsigned column = 1; column < position.column && offset < text.size(); ++column) {
        ++offset;
        while (offset < text.size() &&
               (static_cast<unsigned char>(text[offset]) & 0xC0U) == 0x80U) {
            ++offset;
        }
    }
    return offset;
}

std::string unreadable(const std::string& reason) {
    return "cannot be read: " + reason +
           ". Give this account the right to read it, or run this as the account of the service";
}

} // namespace

Loaded<ConfigValue> read_toml(std::string_view text, const std::filesystem::path& file) {
    Loaded<ConfigValue> loaded;
    try {
        const auto table = toml::parse(text, std::string_view{});
        Converter converter(file);
        auto value = converter.convert(table);
        loaded.problems = std::move(converter.problems);
        if (loaded.problems.empty()) {
            loaded.value = std::move(value);
        }
    } catch (const toml::parse_error& error) {
        const auto line = error.source().begin.line;
        loaded.problems.push_back(
            {file, line, toml_mistake(line_text(text, line), error.description())});
    }
    return loaded;
}

Loaded<std::string> read_text_file(const std::filesystem::path& file) {
    Loaded<std::string> loaded;
    const auto fail = [&](std::string text) {
        loaded.problems.push_back({file, 0, std::move(text)});
        return loaded;
    };
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status)) {
        const auto missing = !error || error == std::errc::no_such_file_or_directory;
        return fail(
            missing ? "the file does not exist: put it back, or name the right folder with --root"
                    : unreadable(error.message()));
    }
    if (!std::filesystem::is_regular_file(status)) {
        return fail("this is not a file: move it away and put the file in its place");
    }
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return fail(unreadable(std::generic_category().message(errno)));
    }
    std::string text(file_bytes_max + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (stream.bad()) {
        return fail(unreadable(std::generic_category().message(errno)));
    }
    if (text.size() > file_bytes_max) {
        return fail(
            "the file is larger than 1 MiB, which no configuration file is: put the right one in "
            "its place");
    }
    loaded.value = std::move(text);
    return loaded;
}

std::optional<TextSpan> find_toml_value(std::string_view text,
                                        const std::vector<std::string>& keys) {
    try {
        const auto root = toml::parse(text, std::string_view{});
        const toml::node* node = &root;
        for (const auto& key : keys) {
            const auto* table = node->as_table();
            node = table == nullptr ? nullptr : table->get(key);
            if (node == nullptr) {
                return std::nullopt;
            }
        }
        return TextSpan{offset_of(text, node->source().begin), offset_of(text, node->source().end)};
    } catch (const toml::parse_error&) {
        return std::nullopt;
    }
}

std::string toml_quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char byte : text) {
        if (byte == '"' || byte == '\\') {
            quoted += {'\\', byte};
        } else if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) {
            char escape[7];
            std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(byte));
            quoted += escape;
        } else {
            quoted += byte;
        }
    }
    return quoted + '"';
}

} // namespace stationsync::host
