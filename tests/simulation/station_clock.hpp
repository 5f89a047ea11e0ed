// The two clocks of a simulated station: a wall clock that is off, drifts and steps, and a
// monotonic one.
#pragma once

#include "random.hpp"
#include "stationsync/core/time.hpp"

namespace stationsync::simulation {

// 2026-01-05 08:00:00 UTC, the wall time at which every run begins.
inline constexpr std::int64_t wall_at_start_us = 1'767'600'000 * second;

class StationClock {
public:
    std::int64_t wall(std::int64_t true_time) const {
        return wall_at_start_us + true_time + offset_us + true_time / 1'000'000 * drift_ppm;
    }
    core::Now now(std::int64_t true_time) const {
        return {core::Instant{true_time}, core::WallTime{wall(true_time)}};
    }

    std::int64_t offset_us = 0; // against true time
    std::int64_t drift_ppm = 0;
    bool ever_stepped = false; // times of this station prove nothing any more
};

} // namespace stationsync::simulation
