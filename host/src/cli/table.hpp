#pragma once
// Columns of text that fit a terminal of 80 columns.

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::cli {

inline constexpr std::size_t screen_columns = 80;

// Columns on the screen: code points, those that take no place apart. Invalid UTF-8 counts per
// byte.
std::size_t display_width(std::string_view text);
// `text` cut to `columns`, the last one then "…"; control characters become '?'. With `keep_end`
// the beginning is cut: the end of a path tells more.
std::string fitted(std::string_view text, std::size_t columns, bool keep_end = false);
// Lines of at most `columns`, broken at blanks.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);
// Writes wrapped lines, each behind `indent` blanks.
void write_wrapped(std::ostream& out, std::string_view text, std::size_t indent);

struct Column {
    std::string title;
    bool right = false;    // aligned to the right
    bool may_cut = false;  // gives way when the line gets too long
    bool keep_end = false; // and is cut at its beginning
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    // One cell per column.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    // Empty columns are left out. Two blanks between columns, none at the end of a line.
    void write(std::ostream& out) const;

private:
    std::vector<std::size_t> widths() const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace stationsync::host::cli
