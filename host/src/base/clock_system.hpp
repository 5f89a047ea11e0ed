// What clock.cpp needs from the system; implemented in clock_linux.cpp and clock_windows.cpp.
#pragma once

#include <cstdint>

namespace stationsync::host {

// Wall clock without the offset of test builds: microseconds since 1970 UTC.
[[nodiscard]] std::int64_t system_wall_us() noexcept;

} // namespace stationsync::host
