#pragma once
// Reads the keys of one table with checks: every wrong value and every unknown key becomes a
// problem.

#include "config/endpoint.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

class SectionReader {
public:
    // `title` is how messages name the table, e.g. "[net]"; empty for the top of the file. `table`
    // may be null: nothing is set then. The references must outlive the reader.
    SectionReader(const ConfigValue* table, std::string title, const std::filesystem::path& file,
                  std::vector<ConfigProblem>& problems);

    // Each marks `key` as known and returns its value when it is there and right.
    std::optional<std::string> text(const std::string& key);
    std::optional<bool> truth(const std::string& key);
    std::optional<std::int64_t> integer(const std::string& key, std::int64_t least,
                                        std::int64_t most);
    std::optional<std::chrono::milliseconds> duration(const std::string& key,
                                                      std::chrono::milliseconds least);
    std::optional<std::uint64_t> size(const std::string& key, std::uint64_t least);
    // A text or a list of texts.
    std::vector<std::pair<std::string, unsigned>> texts(const std::string& key);
    std::vector<std::pair<std::int64_t, unsigned>> integers(const std::string& key);
    // A sub-table; null when missing or no table (then a problem).
    const ConfigValue* table(const std::string& key);

    bool has(const std::string& key) const;
    unsigned line_of(const std::string& key) const; // of the key, or of the table
    void problem(unsigned line, std::string text);
    // "`name` in [station]"
    std::string named(const std::string& key) const;

    // Keys that were asked for by none of the functions above: problems, unless taken by
    // take_rest().
    void report_unknown();
    // All of them as a table of their own.
    ConfigValue take_rest();

private:
    const ConfigValue* find(const std::string& key);
    void wrong(const std::string& key, const ConfigValue& value, std::string_view right);

    const ConfigValue* table_;
    std::string title_;
    const std::filesystem::path& file_;
    std::vector<ConfigProblem>& problems_;
    std::vector<std::string> known_;
};

} // namespace stationsync::host
