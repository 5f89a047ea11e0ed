#pragma once
// `apply_when` of a provider: windows of time, or a command that is asked.

#include "base/local_time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// From `begin` until just before `end`, in local time; an end not behind the begin is the next
// day's.
struct TimeWindow {
    unsigned days = 0; // a bit for each day on which it begins, 1 Monday to 64 Sunday
    int begin = 0;     // minutes of the day, 0 to 1439
    int end = 0;       // 1 to 1440
    bool operator==(const TimeWindow&) const = default;
};

struct ApplyWhen {
    std::string command; // through the system's shell; empty: windows
    std::vector<TimeWindow> windows;
    std::string text; // as written

    [[nodiscard]] bool asks_anything() const { return !command.empty() || !windows.empty(); }
    bool operator==(const ApplyWhen&) const = default;
};

// What parse_apply_when() accepts, for messages.
constexpr std::string_view apply_when_form =
    R"(a command, or windows of local time such as "22:00-05:00" or )"
    R"("mon-fri 12:00-12:30, sat-sun 00:00-24:00")";

// Nothing: meant as windows of time, and wrong. What neither is made of times and days of the week
// only nor begins like a window, as "22.00-05.00" or "monday 22:00-05:00", is a command.
std::optional<ApplyWhen> parse_apply_when(std::string_view text);

[[nodiscard]] bool is_open(const std::vector<TimeWindow>& windows, const LocalTime& now);
// "22:00", "Mon 06:30": of the next one that begins after now. By the clock on the wall: in the
// week in which it is set forward or back, that is what stands in the window, too.
[[nodiscard]] std::string next_opening(const std::vector<TimeWindow>& windows,
                                       const LocalTime& now);

} // namespace stationsync::host
