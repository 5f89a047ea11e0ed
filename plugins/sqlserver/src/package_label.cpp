#include "package_label.hpp"

#include "sql_answer.hpp"
#include "text.hpp"

#include <chrono>
#include <cstdio>

namespace stationsync::sqlserver {

namespace {

constexpr std::string_view opening = "stationsync 1;content=";
constexpr std::string_view time_key = ";change_utc=";
constexpr std::string_view server_key = ";server=";
constexpr std::size_t server_bytes_max = 128;
constexpr std::size_t time_size = 27; // 2026-05-01T10:00:00.123456Z

std::string time_text(stsync_time time) {
    const std::chrono::sys_time<std::chrono::microseconds> moment{std::chrono::microseconds(time)};
    const auto day = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(moment - day);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()),
                  static_cast<int>(clock.subseconds().count()));
    return text.data();
}

bool take(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected))
        return false;
    text.remove_prefix(expected.size());
    return true;
}

} // namespace

std::string to_text(const PackageLabel& label) {
    std::string text(opening);
    text += to_text(label.content);
    text += time_key;
    text += label.changed_at == STSYNC_TIME_NONE ? "-" : time_text(label.changed_at);
    text += server_key;
    text += presentable(label.server, server_bytes_max);
    return text;
}

std::optional<PackageLabel> parse_package_label(std::string_view text) {
    constexpr std::size_t id_size = 32;
    PackageLabel label;
    if (!take(text, opening))
        return std::nullopt;
    const auto content = parse_content_id(text.substr(0, id_size));
    if (!content || content->is_none())
        return std::nullopt;
    label.content = *content;
    text.remove_prefix(id_size);
    if (!take(text, time_key))
        return std::nullopt;
    if (!take(text, "-")) {
        const auto time = parse_date_time(text.substr(0, time_size));
        if (!time || time_text(time->microseconds()) != text.substr(0, time_size))
            return std::nullopt;
        label.changed_at = time->microseconds();
        text.remove_prefix(time_size);
    }
    if (!take(text, server_key))
        return std::nullopt;
    label.server = presentable(std::string(text), server_bytes_max);
    return label;
}

} // namespace stationsync::sqlserver
