#include "failed_applies.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

// "14:05 UTC"
std::string clock_text(stsync_time utc) {
    constexpr stsync_time minute = 60'000'000;
    constexpr stsync_time minutes_of_day = 1440;
    const stsync_time of_day = (utc + minute - 1) / minute % minutes_of_day;
    const auto two = [](stsync_time number) {
        return std::string(1, static_cast<char>('0' + number / 10)) +
               static_cast<char>('0' + number % 10);
    };
    return two(of_day / 60) + ':' + two(of_day % 60) + " UTC";
}

std::chrono::milliseconds left_of(FailedApplies::Clock::time_point until,
                                  FailedApplies::Clock::time_point now) {
    return std::chrono::ceil<std::chrono::milliseconds>(until - now);
}

} // namespace

// The same file is the same content, and so is the same content that was fetched again.
bool FailedApplies::is_same(const What& one, const What& other) {
    if (one.changed_at != other.changed_at)
        return false;
    return one.file == other.file || (one.content && one.content == other.content);
}

std::optional<sdk::Error> FailedApplies::answer(const std::string& key, const What& what,
                                                Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(key);
    if (at == entries_.end() || at->second.until <= now || !is_same(at->second.what, what))
        return std::nullopt;
    return sdk::Error(STSYNC_BUSY, at->second.text,
                      static_cast<std::uint64_t>(left_of(at->second.until, now).count()));
}

std::chrono::milliseconds FailedApplies::remember(const std::string& key, const What& what,
                                                  const std::string& sentence,
                                                  Clock::time_point now, stsync_time utc_now) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[key];
    if (!is_same(entry.what, what))
        entry = Entry();
    entry.what = what;
    entry.length = std::clamp(entry.length * 2, pause_min, pause_max);
    entry.until = now + entry.length;
    const stsync_time until =
        utc_now + std::chrono::duration_cast<std::chrono::microseconds>(entry.length).count();
    entry.text = sentence + " It is tried again at " + clock_text(until) +
                 ", or at once with another content.";
    return left_of(entry.until, now);
}

void FailedApplies::forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    entries_.erase(key);
}

} // namespace stationsync::sqlserver
