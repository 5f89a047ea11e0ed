// The two kinds of time that the engine is given. It never reads a clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace stationsync::core {

using Duration = std::chrono::microseconds;

// Monotonic time of this process; non-decreasing between calls. Drives every deadline.
struct Instant {
    std::int64_t us = 0;
    auto operator<=>(const Instant&) const = default;
    Instant operator+(Duration d) const { return {us + d.count()}; }
    Duration operator-(Instant other) const { return Duration{us - other.us}; }
};

// Microseconds since 1970-01-01 UTC as the local wall clock has it. May step in both directions.
struct WallTime {
    std::int64_t us = 0;
    auto operator<=>(const WallTime&) const = default;
    WallTime operator+(Duration d) const { return {us + d.count()}; }
    WallTime operator-(Duration d) const { return {us - d.count()}; }
    Duration operator-(WallTime other) const { return Duration{us - other.us}; }
};

struct Now {
    Instant instant;
    WallTime wall;
};

// Change stamp: decides between revisions that have not seen each other.
struct Stamp {
    std::int64_t wall_us = 0; // time of the change, raised above everything that it has seen
    std::uint32_t logical = 0;
    auto operator<=>(const Stamp&) const = default;
};

std::string to_text(WallTime time); // 2026-01-31T12:34:56.123456Z
std::string to_text(const Stamp& stamp);

} // namespace stationsync::core
