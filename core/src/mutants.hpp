// Wrong engines on purpose: each switches one rule off, so that the simulation can prove that it
// notices. Only the library stationsync_core_mutants is compiled with STATIONSYNC_MUTANTS;
// elsewhere every check is a constant false.
#pragma once

namespace stationsync::core {

enum class Mutant {
    none,
    order_by_arrival,      // the head is what arrived last
    newcomer_wins,         // everything is rank 2
    echo,                  // a mark that our own apply made is a change
    no_recheck,            // an apply is not dropped when its decision changed
    no_held_stamp,         // stamps ahead are accepted at once
    no_clock_wrong,        // impossible stamps are not marked
    history_after_apply,   // replaced state is not saved before the apply
    no_adopt_equal,        // equal content is a new revision
    held_not_to_history,   // own edits do not move the held package to the history
    base_is_known,         // a local change has seen everything announced
    stamp_is_detection,    // stamped with the time of detection
    stamp_not_raised,      // not raised above what it has seen
    restored_old_is_edit,  // an old backup is an ordinary edit
    restored_old_by_stamp, // local times are compared with stamps
    no_intent,             // applies are not journalled
    no_incarnation,        // a state database put back keeps its author
    losers_not_apart,      // conflict losers count among the superseded
    drop_current_package,  // the held revision's package is not kept
    clones_accepted,
    established_by_anyone,
    established_unsealed, // before the first scan is sealed
    edit_rank_of_station, // an edit on rank 0 by an established station is rank 2
    apply_over_dirty,     // applies although a local change is unsealed
    absence_is_change,    // a deleted object stays deleted
    time_limit_ignored,
    announce_before_durable,
    sequence_plain,      // last + 1, not floored by the wall clock
    hold_ignored,        // new states are applied although a person holds the provider
    held_time_is_record, // recorded_at taken at the record instead of the intent
};

#ifdef STATIONSYNC_MUTANTS
extern Mutant active_mutant;
inline bool mutant(Mutant which) {
    return active_mutant == which;
}
#else
constexpr bool mutant(Mutant) {
    return false;
}
#endif

} // namespace stationsync::core
