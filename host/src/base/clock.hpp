// The only source of time in the host. Any thread.
#pragma once

#include <cstdint>

namespace stationsync::host {

// Microseconds since 1970-01-01 00:00:00 UTC. Never local time.
using WallTime = std::int64_t;

// Wall clock of the system. A build with STATIONSYNC_TEST_CLOCK adds the decimal number of
// microseconds in the file named by the environment variable STATIONSYNC_TEST_CLOCK; the file is
// read on every call, so that a test moves the clock of a running process. No file means 0.
[[nodiscard]] WallTime wall_now_us() noexcept;

// Never goes back; stands still while the computer sleeps. For time-outs and intervals.
[[nodiscard]] std::int64_t monotonic_now_us() noexcept;

// Never goes back; goes on while the computer sleeps. The reference that tells a step of the wall
// clock from a sleep.
[[nodiscard]] std::int64_t boot_now_us() noexcept;

} // namespace stationsync::host
