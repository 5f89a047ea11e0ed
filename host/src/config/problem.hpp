#pragma once
// What is wrong with a configuration file: where, what, and what would be right.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host {

struct ConfigProblem {
    std::filesystem::path file;
    unsigned line = 0; // from 1; 0 when the whole file is meant
    std::string text;  // one sentence with cause and remedy
};

// "station.toml:7: …"
std::string to_text(const ConfigProblem& problem);
std::string to_text(const std::vector<ConfigProblem>& problems); // one per line

// A value only when there was no problem at all; otherwise every problem found, in the file's
// order.
template <class T>
struct Loaded {
    std::optional<T> value;
    std::vector<ConfigProblem> problems;

    explicit operator bool() const { return value.has_value(); }
};

} // namespace stationsync::host
