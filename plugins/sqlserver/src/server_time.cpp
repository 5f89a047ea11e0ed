#include "server_time.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

namespace stationsync::sqlserver {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;

std::int64_t distance(stsync_time time, const Interval& within) noexcept {
    if (within.to != STSYNC_TIME_NONE && time > within.to)
        return time - within.to;
    if (within.from != STSYNC_TIME_NONE && time <= within.from)
        return within.from - time + 1;
    return 0;
}

// By the rules of this computer; nothing when they cannot say.
std::optional<stsync_time> utc_by_own_rules(LocalTime local) {
    if (local < 0)
        return std::nullopt;
    constexpr std::int64_t seconds_of_day = 86400;
    const std::int64_t whole = local / second;
    const std::int64_t days = whole / seconds_of_day;
    std::tm fields{};
    fields.tm_year = 70;
    fields.tm_mday = static_cast<int>(days) + 1;
    fields.tm_sec = static_cast<int>(whole - days * seconds_of_day);
    fields.tm_isdst = -1;
    const std::time_t found = std::mktime(&fields);
    if (found == static_cast<std::time_t>(-1))
        return std::nullopt;
    return static_cast<stsync_time>(found) * second + (local - whole * second);
}

} // namespace

LocalTime ServerMoment::local() const noexcept {
    return server_utc + offset_minutes * minute;
}

stsync_time utc_within(LocalTime local, const ServerMoment& now, const Interval& within) {
    const std::int64_t between_clocks = now.at - now.server_utc;
    const stsync_time plain = local - now.offset_minutes * minute + between_clocks;
    // Daylight saving moves by an hour, in one place by half of one.
    constexpr std::array<std::int64_t, 5> steps = {0, -60 * minute, 60 * minute, -30 * minute,
                                                   30 * minute};
    stsync_time best = plain;
    for (const std::int64_t step : steps)
        if (distance(plain + step, within) < distance(best, within) &&
            distance(plain + step, within) == 0)
            best = plain + step;
    if (within.to != STSYNC_TIME_NONE)
        best = std::min(best, within.to);
    if (within.from != STSYNC_TIME_NONE)
        best = std::max(best, within.from + 1);
    return best;
}

stsync_time utc_of(LocalTime local, const ServerMoment& now) {
    const std::int64_t between_clocks = now.at - now.server_utc;
    const auto now_by_rules = utc_by_own_rules(now.local());
    if (now_by_rules == now.server_utc)
        if (const auto found = utc_by_own_rules(local))
            return *found + between_clocks;
    return local - now.offset_minutes * minute + between_clocks;
}

} // namespace stationsync::sqlserver
