#include "base/local_time.hpp"

#include <ctime>

namespace stationsync::host {

LocalTime local_time(WallTime at_us) {
    constexpr WallTime second_us = 1'000'000;
    constexpr int days = 7;
    // Down, also before 1970.
    const auto seconds =
        static_cast<std::time_t>(at_us / second_us - (at_us % second_us < 0 ? 1 : 0));
    tzset(); // somebody may have set another zone since
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return {(parts.tm_wday + days - 1) % days, parts.tm_hour, parts.tm_min, parts.tm_sec};
}

} // namespace stationsync::host
