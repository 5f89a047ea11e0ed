// The text form of one log entry, both ways.
#include "base/log.hpp"

#include "base/utc_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace stationsync::host::log {
namespace {

using std::chrono::microseconds;

// Milliseconds are enough for people.
std::string time_text(std::int64_t at_us) {
    auto text = utc_text(at_us);
    text.replace(text.size() - 4, 4, "Z");
    return text;
}

std::optional<std::int64_t> time_of(std::string_view text) {
    // 2026-03-01T08:15:00.123Z
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text.size() != form.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i]) {
            return std::nullopt;
        }
    }
    const auto number = [text](std::size_t at, std::size_t size) {
        int value = 0;
        std::from_chars(text.data() + at, text.data() + at + size, value);
        return value;
    };
    const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(8, 2)))};
    if (!date.ok()) {
        return std::nullopt;
    }
    const auto time = std::chrono::sys_days(date) + std::chrono::hours(number(11, 2)) +
                      std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2)) +
                      std::chrono::milliseconds(number(20, 3));
    return std::chrono::duration_cast<microseconds>(time.time_since_epoch()).count();
}

void append_quoted(std::string& line, std::string_view text) {
    line += '"';
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (byte == '"' || byte == '\\') {
            line += {'\\', byte};
        } else if (code < 0x20 || code == 0x7F) {
            char escape[5];
            std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(code));
            line += escape;
        } else {
            line += byte;
        }
    }
    line += '"';
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char byte) {
        return static_cast<unsigned char>(byte) > 0x20 && byte != 0x7F && byte != '"' &&
               byte != '\\' && byte != '=';
    });
}

void append_field(std::string& line, std::string_view name, std::string_view text) {
    if (text.empty()) {
        return;
    }
    line += ' ';
    line += name;
    line += '=';
    if (is_plain(text)) {
        line += text;
    } else {
        append_quoted(line, text);
    }
}

// Takes a quoted text, or a word up to the next blank, off the front.
std::optional<std::string> take_text(std::string_view& rest) {
    if (rest.empty() || rest.front() != '"') {
        const auto end = std::min(rest.find(' '), rest.size());
        std::string word(rest.substr(0, end));
        rest.remove_prefix(end);
        return word;
    }
    std::string text;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return text;
        }
        if (rest[i] != '\\') {
            text += rest[i];
        } else if (i + 3 < rest.size() && rest[i + 1] == 'x') {
            unsigned code = 0;
            std::from_chars(rest.data() + i + 2, rest.data() + i + 4, code, 16);
            text += static_cast<char>(code);
            i += 3;
        } else if (i + 1 < rest.size()) {
            text += rest[++i];
        }
    }
    return std::nullopt;
}

void skip_blank(std::string_view& rest) {
    if (!rest.empty() && rest.front() == ' ') {
        rest.remove_prefix(1);
    }
}

} // namespace

std::string line_of(const Entry& entry) {
    auto line = time_text(entry.at_us);
    line += ' ';
    line += level_name(entry.level);
    line += ' ';
    line += is_plain(entry.part) && !entry.part.empty() ? entry.part : "-";
    line += ' ';
    append_quoted(line, entry.text);
    append_field(line, "station", entry.station);
    append_field(line, "object", entry.object);
    append_field(line, "reason", entry.reason);
    return line;
}

std::optional<Entry> entry_of(std::string_view line) {
    Entry entry;
    const auto at = take_text(line);
    skip_blank(line);
    const auto level = take_text(line);
    skip_blank(line);
    const auto part = take_text(line);
    skip_blank(line);
    auto text = take_text(line);
    const auto time = at ? time_of(*at) : std::nullopt;
    const auto known = level ? level_from_name(*level) : std::nullopt;
    if (!time || !known || !part || part->empty() || !text) {
        return std::nullopt;
    }
    entry.at_us = *time;
    entry.level = *known;
    entry.part = *part;
    entry.text = std::move(*text);
    while (!line.empty()) {
        skip_blank(line);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        const auto name = line.substr(0, equals);
        line.remove_prefix(equals + 1);
        auto value = take_text(line);
        if (!value) {
            return std::nullopt;
        }
        if (name == "station") {
            entry.station = std::move(*value);
        } else if (name == "object") {
            entry.object = std::move(*value);
        } else if (name == "reason") {
            entry.reason = std::move(*value);
        }
    }
    return entry;
}

} // namespace stationsync::host::log
