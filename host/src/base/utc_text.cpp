#include "base/utc_text.hpp"

#include <chrono>
#include <cstdio>

namespace stationsync::host {

std::string utc_text(WallTime at_us) {
    using std::chrono::microseconds;
    const std::chrono::sys_time<microseconds> time{microseconds(at_us)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const auto us = static_cast<long long>((time - day).count());
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02lld:%02lld:%02lld.%06lldZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), us / 3'600'000'000, us / 60'000'000 % 60,
                  us / 1'000'000 % 60, us % 1'000'000);
    return text;
}

} // namespace stationsync::host
