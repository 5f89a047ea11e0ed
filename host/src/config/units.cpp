#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace stationsync::host {
namespace {

struct DurationUnit {
    std::string_view name;
    std::int64_t milliseconds;
};
constexpr std::array duration_units{DurationUnit{"d", 86'400'000}, DurationUnit{"h", 3'600'000},
                                    DurationUnit{"m", 60'000}, DurationUnit{"s", 1000},
                                    DurationUnit{"ms", 1}};
constexpr std::int64_t duration_max_ms = 10LL * 366 * 86'400'000;

struct SizeUnit {
    std::string_view name;
    double bytes;
};
constexpr std::array size_units{SizeUnit{"", 1},
                                SizeUnit{"B", 1},
                                SizeUnit{"kB", 1e3},
                                SizeUnit{"KB", 1e3},
                                SizeUnit{"MB", 1e6},
                                SizeUnit{"GB", 1e9},
                                SizeUnit{"TB", 1e12},
                                SizeUnit{"KiB", 1024},
                                SizeUnit{"MiB", 1024.0 * 1024},
                                SizeUnit{"GiB", 1024.0 * 1024 * 1024},
                                SizeUnit{"TiB", 1024.0 * 1024 * 1024 * 1024}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Insertions, deletions, changes and swaps of neighbours that make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
    const auto columns = b.size() + 1;
    std::vector<std::size_t> cost((a.size() + 1) * columns);
    const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return cost[i * columns + j];
    };
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                at(i, j) = i + j;
                continue;
            }
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            at(i, j) = std::min({at(i - 1, j - 1) + change, at(i - 1, j) + 1, at(i, j - 1) + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
            }
        }
    }
    return cost.back();
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    if (text.empty()) {
        return std::nullopt;
    }
    while (!text.empty()) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || number < 0 || number > duration_max_ms) {
            return std::nullopt;
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto name_end = std::ranges::find_if(text, is_digit);
        const auto name = text.substr(0, static_cast<std::size_t>(name_end - text.begin()));
        while (next_unit < duration_units.size() && duration_units[next_unit].name != name) {
            ++next_unit;
        }
        if (next_unit == duration_units.size() ||
            number > duration_max_ms / duration_units[next_unit].milliseconds) {
            return std::nullopt;
        }
        total += number * duration_units[next_unit].milliseconds;
        ++next_unit;
        text.remove_prefix(name.size());
    }
    return total <= duration_max_ms ? std::optional(std::chrono::milliseconds(total))
                                    : std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
    std::string text;
    auto rest = duration.count();
    for (const auto& unit : duration_units) {
        if (const auto count = rest / unit.milliseconds; count > 0) {
            text += std::to_string(count) + std::string(unit.name);
            rest %= unit.milliseconds;
        }
    }
    return text.empty() ? "0s" : text;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    if (text.empty() || !is_digit(text.front())) {
        return std::nullopt;
    }
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && text.front() == ' ') {
        text.remove_prefix(1);
    }
    const auto* const unit = std::ranges::find(size_units, text, &SizeUnit::name);
    if (unit == size_units.end()) {
        return std::nullopt;
    }
    const auto bytes = number * unit->bytes;
    if (!(bytes < 9.2e18)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(std::llround(bytes));
}

std::string size_text(std::uint64_t bytes) {
    if (bytes < 1000) {
        return std::to_string(bytes) + " B";
    }
    constexpr std::array<const char*, 6> names{"kB", "MB", "GB", "TB", "PB", "EB"};
    auto value = static_cast<double>(bytes) / 1000;
    std::size_t name = 0;
    // 999.5 would be shown as 1000.
    while (value >= 999.5 && name + 1 < names.size()) {
        value /= 1000;
        ++name;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.*f %s", value < 9.95 ? 1 : 0, value, names[name]);
    return text;
}

bool is_provider_name(std::string_view name) {
    return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
    });
}

bool is_secret_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_';
    });
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    // More than a third of the letters wrong is another word, not a slip.
    auto best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto& candidate : candidates) {
        const auto found = distance(word, candidate);
        if (found < best_distance) {
            best_distance = found;
            best = candidate;
        }
    }
    return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
    if (const auto near = nearest(word, candidates)) {
        return " Did you mean \"" + *near + "\"?";
    }
    std::string text;
    for (const auto& candidate : candidates) {
        text += (text.empty() ? " Known are: " : ", ") + candidate;
    }
    return text.empty() ? text : text + ".";
}

} // namespace stationsync::host
