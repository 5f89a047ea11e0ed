#include "base/clock.hpp"
#include "base/clock_system.hpp"

#include <windows.h>

#include <realtimeapiset.h>

namespace stationsync::host {

std::int64_t system_wall_us() noexcept {
    FILETIME now{};
    GetSystemTimePreciseAsFileTime(&now);
    ULARGE_INTEGER ticks{};
    ticks.LowPart = now.dwLowDateTime;
    ticks.HighPart = now.dwHighDateTime;
    // FILETIME counts 100 ns from 1601.
    return static_cast<std::int64_t>(ticks.QuadPart / 10) - 11'644'473'600'000'000;
}

std::int64_t monotonic_now_us() noexcept {
    ULONGLONG ticks = 0;
    QueryUnbiasedInterruptTimePrecise(&ticks);
    return static_cast<std::int64_t>(ticks / 10);
}

std::int64_t boot_now_us() noexcept {
    ULONGLONG ticks = 0;
    QueryInterruptTimePrecise(&ticks);
    return static_cast<std::int64_t>(ticks / 10);
}

} // namespace stationsync::host
