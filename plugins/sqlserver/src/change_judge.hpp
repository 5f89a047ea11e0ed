// Whether a look shows the content that a baseline stands for. Pure: all that counts is in the
// arguments.
#pragma once

#include "baseline.hpp"

namespace stationsync::sqlserver {

enum class SameState : std::uint8_t {
    yes,         // nothing was written, or nothing by users
    no,          // users have changed something, or another database is there
    cannot_tell, // something was written, and the evidence of who did it is gone
};

// What a look without fingerprint leaves open.
enum class Needs : std::uint8_t {
    nothing,     // the verdict is final
    fingerprint, // look into the database, then judge again
    wake,        // the same, but the database is closed: it waits until somebody opens it
};

enum class Change : std::uint8_t {
    unchanged,       // nothing was written
    system_activity, // something was written, but not by users: the new evidence is the baseline's
    changed,         // users have changed something
    uncertain,       // perhaps
    restored, // an old or foreign state was put here by a RESTORE, or its files were put back
};

struct Verdict {
    Change change = Change::unchanged;
    Needs needs = Needs::nothing;
    std::string reason; // for the log: what told it
    // Of changed, uncertain and restored, by the clock of this station.
    stsync_time changed_at = STSYNC_TIME_NONE;
    stsync_time changed_not_before = STSYNC_TIME_NONE;
    std::uint32_t flags = 0; // STSYNC_OBJECT_RESTORED, _TIME_UNCERTAIN
    // Of restored: a content that was here before, when nothing was done to it since; none = new.
    ContentId content;
    // Of uncertain, and of what is not counted: reading all rows can still tell that nothing
    // changed.
    bool may_be_settled_by_rows = false;
    // Of changed: nothing is known but that something was written.
    bool is_not_counted = false;
};

// `baseline` must be known and of this server and database.
Verdict judge(const Baseline& baseline, const DatabaseLook& look);

// For an apply, which must not overwrite what nobody decided about.
SameState same_state(const Verdict& verdict) noexcept;

// When the content of a database without baseline was last changed, as far as it can be told;
// never "now", for a fresh station would then win over all others.
Verdict judge_first(const DatabaseLook& look);

} // namespace stationsync::sqlserver
