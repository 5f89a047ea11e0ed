#pragma once

#include "base/clock.hpp"

namespace stationsync::host {

// What the clock on the wall of this station shows.
struct LocalTime {
    int weekday = 0; // 0 Monday to 6 Sunday
    int hour = 0;
    int minute = 0;
    int second = 0;
};

// In the time zone of this computer as it is set now, daylight saving included.
[[nodiscard]] LocalTime local_time(WallTime at_us);

} // namespace stationsync::host
