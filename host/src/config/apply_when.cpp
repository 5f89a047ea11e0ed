#include "config/apply_when.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>

namespace stationsync::host {
namespace {

constexpr int hour_minutes = 60;
constexpr int day_minutes = 24 * hour_minutes;
constexpr std::array<std::string_view, 7> day_names{"mon", "tue", "wed", "thu",
                                                    "fri", "sat", "sun"};
constexpr int week_days = static_cast<int>(day_names.size());
constexpr unsigned every_day = (1U << week_days) - 1;

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::optional<int> day_of(std::string_view name) {
    const auto* const place = std::ranges::find(day_names, name);
    if (place == day_names.end()) {
        return std::nullopt;
    }
    return static_cast<int>(place - day_names.begin());
}

// Times, days of the week, and what stands between them.
bool is_made_of_times(const std::string& text) {
    std::string word;
    bool says_something = false;
    for (const char c : text + ' ') {
        if (c >= 'a' && c <= 'z') {
            word += c;
            continue;
        }
        if (!word.empty() && !day_of(word)) {
            return false;
        }
        says_something = says_something || !word.empty() || (c >= '0' && c <= '9');
        word.clear();
        if (!(c >= '0' && c <= '9') && !is_blank(c) && c != ':' && c != '-' && c != ',') {
            return false;
        }
    }
    return says_something;
}

bool is_day_word(std::string word) {
    constexpr std::array<std::string_view, 14> days{
        "monday", "tuesday",  "wednesday", "thursday",   "friday",  "saturday", "sunday",
        "montag", "dienstag", "mittwoch",  "donnerstag", "freitag", "samstag",  "sonntag"};
    constexpr std::array<std::string_view, 20> others{
        "daily", "every", "each",           "all",      "day",     "weekday", "workday",
        "and",   "from",  "weekend",        "nightly",  "night",   "und",     "to",
        "von",   "bis",   "t\xc3\xa4glich", "taeglich", "werktag", "through"};
    if (word.size() > 3 && word.ends_with('s')) {
        word.pop_back();
    }
    return std::ranges::find(others, word) != others.end() ||
           std::ranges::any_of(days, [&](std::string_view day) {
               return word.size() >= 2 && day.starts_with(word);
           });
}

// Windows as many a person writes them, and not as they are read. As a command they would never
// succeed, and nobody would learn why.
bool looks_like_windows(const std::string& text) {
    constexpr std::size_t looked_at = 200; // the matcher takes a stack frame for each character
    static const std::regex dashes("\xe2\x80[\x90-\x95]|\xe2\x88\x92");
    static const std::regex range(
        R"(^([^0-9]*)[0-9]{1,2}([:.h][0-9]{2}(\s*(am|pm|uhr|h))?|\s*(am|pm|uhr|h)))"
        R"(\s*(-|to|bis|until|till)\s*[0-9])");
    const std::string plain = std::regex_replace(text.substr(0, looked_at), dashes, "-");
    std::smatch match;
    if (!std::regex_search(plain, match, range)) {
        return false;
    }
    std::string word;
    for (const char c : match[1].str() + ' ') {
        if ((c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80) {
            word += c;
            continue;
        }
        if (!is_blank(c) && std::string_view("-,;.:+&").find(c) == std::string_view::npos) {
            return false;
        }
        if (!word.empty() && !is_day_word(word)) {
            return false;
        }
        word.clear();
    }
    return true;
}

// "HH:MM"
std::optional<int> minute_of(std::string_view text) {
    const auto colon = text.find(':');
    const auto digits = [](std::string_view part, std::size_t least) {
        return part.size() >= least && part.size() <= 2 &&
               std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (colon == std::string_view::npos || !digits(text.substr(0, colon), 1) ||
        !digits(text.substr(colon + 1), 2)) {
        return std::nullopt;
    }
    const int hour = std::stoi(std::string(text.substr(0, colon)));
    const int minute = std::stoi(std::string(text.substr(colon + 1)));
    if (minute >= hour_minutes || hour * hour_minutes + minute > day_minutes) {
        return std::nullopt;
    }
    return hour * hour_minutes + minute;
}

// "mon", "mon-fri", "sat-mon"
std::optional<unsigned> days_of(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = day_of(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day_of(text.substr(dash + 1));
    if (!first || !last) {
        return std::nullopt;
    }
    unsigned days = 0;
    for (int day = *first;; day = (day + 1) % week_days) {
        days |= 1U << day;
        if (day == *last) {
            return days;
        }
    }
}

std::optional<TimeWindow> window_of(std::string_view text) {
    TimeWindow window;
    window.days = every_day;
    if (const auto blank = text.find_last_of(" \t"); blank != std::string_view::npos) {
        const auto days = days_of(trimmed(text.substr(0, blank)));
        if (!days) {
            return std::nullopt;
        }
        window.days = *days;
        text = trimmed(text.substr(blank));
    }
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto begin = minute_of(text.substr(0, dash));
    const auto end = minute_of(text.substr(dash + 1));
    if (!begin || !end || *begin == *end || *begin == day_minutes) {
        return std::nullopt;
    }
    window.begin = *begin;
    window.end = *end == 0 ? day_minutes : *end;
    return window;
}

bool begins_on(const TimeWindow& window, int day) {
    return ((window.days >> static_cast<unsigned>(day % week_days)) & 1U) != 0;
}

} // namespace

std::optional<ApplyWhen> parse_apply_when(std::string_view text) {
    ApplyWhen parsed;
    parsed.text = trimmed(text);
    const std::string plain = lower(parsed.text);
    if (!is_made_of_times(plain)) {
        if (looks_like_windows(plain)) {
            return std::nullopt;
        }
        parsed.command = parsed.text;
        return parsed.command.empty() ? std::nullopt : std::optional(parsed);
    }
    std::string_view left = plain;
    while (true) {
        const auto comma = left.find(',');
        const auto window = window_of(trimmed(left.substr(0, comma)));
        if (!window) {
            return std::nullopt;
        }
        parsed.windows.push_back(*window);
        if (comma == std::string_view::npos) {
            return parsed;
        }
        left.remove_prefix(comma + 1);
    }
}

bool is_open(const std::vector<TimeWindow>& windows, const LocalTime& now) {
    const int minute = now.hour * hour_minutes + now.minute;
    return std::ranges::any_of(windows, [&](const TimeWindow& window) {
        const bool over_midnight = window.end <= window.begin;
        const bool today = begins_on(window, now.weekday) && minute >= window.begin &&
                           (over_midnight || minute < window.end);
        const bool since_yesterday =
            over_midnight && minute < window.end && begins_on(window, now.weekday + week_days - 1);
        return today || since_yesterday;
    });
}

std::string next_opening(const std::vector<TimeWindow>& windows, const LocalTime& now) {
    const int minute = now.hour * hour_minutes + now.minute;
    std::optional<int> next; // minutes from the begin of today
    for (const TimeWindow& window : windows) {
        for (int day = 0; day <= week_days; ++day) {
            const int at = day * day_minutes + window.begin;
            if (begins_on(window, now.weekday + day) && at > minute && (!next || at < *next)) {
                next = at;
            }
        }
    }
    if (!next) {
        return {};
    }
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d", *next % day_minutes / hour_minutes,
                  *next % hour_minutes);
    const int day = *next / day_minutes;
    if (day == 0) {
        return text;
    }
    std::string name(day_names.at(static_cast<std::size_t>((now.weekday + day) % week_days)));
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
    return name + ' ' + text;
}

} // namespace stationsync::host
