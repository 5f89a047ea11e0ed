#include "stamping.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
constexpr Duration accepted_ahead = std::chrono::minutes(1);
constexpr Duration held_ahead = std::chrono::minutes(3);
} // namespace

bool is_plausible(WallTime time, WallTime now) {
    return time >= plausible_from && time <= now + plausible_ahead;
}

ChangeClass classify(const ObjectRecord& record, const ObservedObject& seen, bool times_valid,
                     WallTime now) {
    if (!record.held || mutant(Mutant::restored_old_is_edit))
        return ChangeClass::edit;
    if (seen.restored)
        return ChangeClass::restored_old;
    if (!seen.changed_at || seen.time_uncertain || !times_valid ||
        !is_plausible(*seen.changed_at, now))
        return ChangeClass::edit;
    WallTime floor = std::min(record.held_time, record.recorded_at);
    if (mutant(Mutant::restored_old_by_stamp))
        floor = WallTime{record.held->stamp.wall_us};
    // A floor in the future means that the clock was put back: it decides nothing.
    if (floor > now)
        return ChangeClass::edit;
    return *seen.changed_at < floor ? ChangeClass::restored_old : ChangeClass::edit;
}

ChangeTime change_time(const SeenChange& change, std::optional<WallTime> reported, WallTime now) {
    if (mutant(Mutant::stamp_is_detection))
        return {now, {}};
    const WallTime unchanged = std::max(
        change.known_unchanged_at, change.changed_not_before.value_or(change.known_unchanged_at));
    if (reported && !change.time_uncertain && is_plausible(*reported, now)) {
        const WallTime at = std::min(*reported, now);
        Duration interval{};
        if (change.changed_not_before && *change.changed_not_before < at)
            interval = at - *change.changed_not_before;
        return {at, interval};
    }
    if (!is_plausible(unchanged, now))
        return {WallTime{}, Duration{}};
    return {std::min(unchanged, now), std::max(Duration{}, now - unchanged)};
}

Stamp make_stamp(WallTime changed_at, std::span<const Stamp> seen_stamps) {
    Stamp stamp{changed_at.us, 0};
    if (mutant(Mutant::stamp_not_raised))
        return stamp;
    for (const Stamp& seen : seen_stamps)
        if (stamp <= seen)
            stamp = {seen.wall_us, seen.logical + 1};
    return stamp;
}

StampVerdict judge_stamp(const Stamp& stamp, WallTime now, bool clock_agrees) {
    const Duration ahead{stamp.wall_us - now.us};
    if (ahead <= accepted_ahead || mutant(Mutant::no_held_stamp))
        return StampVerdict::accept;
    if (ahead <= held_ahead || !clock_agrees)
        return StampVerdict::hold;
    return mutant(Mutant::no_clock_wrong) ? StampVerdict::accept : StampVerdict::accept_clock_wrong;
}

WallTime acceptable_from(const Stamp& stamp) {
    return WallTime{stamp.wall_us} - accepted_ahead;
}

} // namespace stationsync::core
