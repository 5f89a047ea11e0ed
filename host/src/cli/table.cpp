#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

namespace stationsync::host::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t cut_width_least = 8;

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// Combining marks (U+0300..U+036F) are drawn over the letter before.
bool is_combining(std::string_view character) {
    return character.size() == 2 &&
           (character[0] == '\xCC' || (character[0] == '\xCD' && character[1] <= '\xAF'));
}

std::vector<std::string_view> characters(std::string_view text) {
    std::vector<std::string_view> result;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t size = 1;
        while (at + size < text.size() && is_continuation(text[at + size])) {
            ++size;
        }
        const auto character = text.substr(at, size);
        if (is_combining(character) && !result.empty()) {
            const auto& before = result.back();
            result.back() = {before.data(), before.size() + size};
        } else {
            result.push_back(character);
        }
        at += size;
    }
    return result;
}

std::string cleaned(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    return clean;
}

} // namespace

std::size_t display_width(std::string_view text) {
    return characters(text).size();
}

std::string fitted(std::string_view text, std::size_t columns, bool keep_end) {
    auto clean = cleaned(text);
    const auto all = characters(clean);
    if (all.size() <= columns || columns == 0) {
        return clean;
    }
    const auto kept = columns - 1;
    std::string cut = keep_end ? "…" : "";
    const auto first = keep_end ? all.size() - kept : 0;
    for (std::size_t i = first; i < first + kept; ++i) {
        cut += all[i];
    }
    return keep_end ? cut : cut + "…";
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
    std::vector<std::string> lines;
    std::string line;
    const auto clean = cleaned(text);
    std::string_view rest = clean;
    while (!rest.empty()) {
        const auto word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        if (word.empty()) {
            continue;
        }
        if (!line.empty() && display_width(line) + 1 + display_width(word) > columns) {
            lines.push_back(std::move(line));
            line.clear();
        }
        line += (line.empty() ? "" : " ") + std::string(word);
    }
    if (!line.empty()) {
        lines.push_back(std::move(line));
    }
    return lines;
}

void write_wrapped(std::ostream& out, std::string_view text, std::size_t indent) {
    for (const auto& line : wrapped(text, screen_columns - indent)) {
        out << std::string(indent, ' ') << line << '\n';
    }
}

void Table::add(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

// 0 for a column without any content.
std::vector<std::size_t> Table::widths() const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (widths[i] > 0) {
            widths[i] = std::max(widths[i], display_width(columns_[i].title));
        }
    }
    const auto shown = static_cast<std::size_t>(
        std::ranges::count_if(widths, [](std::size_t width) { return width > 0; }));
    const auto gaps = shown > 0 ? gap * (shown - 1) : 0;
    // The widest column that may be cut gives way, one place after the other.
    while (std::accumulate(widths.begin(), widths.end(), gaps) > screen_columns) {
        std::size_t widest = widths.size();
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (columns_[i].may_cut && widths[i] > cut_width_least &&
                (widest == widths.size() || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        if (widest == widths.size()) {
            break;
        }
        --widths[widest];
    }
    return widths;
}

void Table::write(std::ostream& out) const {
    const auto width = widths();
    const auto write_row = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (width[i] == 0) {
                continue;
            }
            const auto cell = fitted(cell_of(i), width[i], columns_[i].keep_end);
            const std::string padding(width[i] - std::min(width[i], display_width(cell)), ' ');
            line += line.empty() ? "" : std::string(gap, ' ');
            line += columns_[i].right ? padding + cell : cell + padding;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    };
    write_row([this](std::size_t i) { return columns_[i].title; });
    for (const auto& row : rows_) {
        write_row([&row](std::size_t i) { return row[i]; });
    }
}

} // namespace stationsync::host::cli
