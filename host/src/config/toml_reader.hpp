#pragma once
// TOML text as a tree of ConfigValue. The only place that knows the TOML library.

#include "config/problem.hpp"
#include "config/value.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace stationsync::host {

// Where something stands in a text: byte offsets, the end excluded.
struct TextSpan {
    std::size_t begin = 0;
    std::size_t end = 0;
};

// The whole file as one table. A syntax error is one problem; dates and times are problems too.
Loaded<ConfigValue> read_toml(std::string_view text, const std::filesystem::path& file);

// Reads a text file of at most 1 MiB; a missing or unreadable one is a problem with its cause.
Loaded<std::string> read_text_file(const std::filesystem::path& file);

// The bytes of the value at `keys` (from the top), or nothing when it is not there.
std::optional<TextSpan> find_toml_value(std::string_view text,
                                        const std::vector<std::string>& keys);

// `text` as a TOML basic string with its quotes.
std::string toml_quoted(std::string_view text);

} // namespace stationsync::host
