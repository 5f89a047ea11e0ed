// When did a change happen, is it an old state restored, and which stamp does it get? Pure
// functions.
#pragma once

#include "context.hpp"
#include "stationsync/core/records.hpp"

#include <span>

namespace stationsync::core {

// Times before this are what broken clocks and copy tools leave behind (0, 1970, 1980).
inline constexpr WallTime plausible_from{631152000000000}; // 1990-01-01 UTC
inline constexpr Duration plausible_ahead = std::chrono::minutes(1);

// 1990 <= t <= local now + 1 min.
bool is_plausible(WallTime time, WallTime now);

// Class of a change at sight. `times_valid` is false after a clock step until a scan found the held
// mark.
ChangeClass classify(const ObjectRecord& record, const ObservedObject& seen, bool times_valid,
                     WallTime now);

struct ChangeTime {
    WallTime changed_at;
    Duration interval{}; // length of the interval in which the change happened
};
// The provider's time where plausible, clamped to now; else the last moment known unchanged.
ChangeTime change_time(const SeenChange& change, std::optional<WallTime> reported, WallTime now);

// `changed_at` raised to just above the greatest of `seen_stamps`.
Stamp make_stamp(WallTime changed_at, std::span<const Stamp> seen_stamps);

enum class StampVerdict { accept, hold, accept_clock_wrong };
// What a station whose clock says `now` does with a foreign stamp (rule 6).
StampVerdict judge_stamp(const Stamp& stamp, WallTime now, bool clock_agrees);

// From when on a held stamp is acceptable, by the local clock.
WallTime acceptable_from(const Stamp& stamp);

} // namespace stationsync::core
