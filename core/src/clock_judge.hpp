// Is the system time of a pair of stations close enough?
//
// Each side measures, tells the other, and judges the mean of both measurements; each tells the
// other its judgement too, and only when both pass does the pair pass. Without that the two sides
// would part between the limit and the lower limit of readmission, where the answer depends on the
// past.
#pragma once

#include "stationsync/core/engine.hpp"

#include <optional>

namespace stationsync::core {

class ClockJudge {
public:
    // Peer's clock minus ours, as we measured it.
    void measured(Duration offset) { ours_ = bounded(offset); }
    // The peer's report: our clock minus its own.
    void reported(Duration offset) { theirs_ = -bounded(offset); }
    // The peer's own judgement of the pair; nothing while it has not told one.
    void told(std::optional<bool> passed) { told_ = passed; }
    // The peer is gone. Its rejection stays: who comes back at 58 s was not below the limit of
    // readmission.
    void forget_measurements();

    // Judges again; call after any of the above.
    void judge(const Limits& limits);

    bool known() const { return ours_ && theirs_; }
    bool passed_here() const { return known() && !rejected_; }
    bool passed() const { return passed_here() && told_.value_or(false); }
    // Somebody said no; without that and without passed() a judgement is missing.
    bool failed() const { return (known() && rejected_) || (told_ && !*told_); }
    std::optional<Duration> ours() const { return ours_; }
    std::optional<Duration> theirs() const { return theirs_; } // sign corrected: peer minus us
    // Mean of what both measured, or our own measurement while the peer's is missing.
    std::optional<Duration> difference() const;

private:
    // A hostile report must not overflow the arithmetic; four centuries are far enough.
    static Duration bounded(Duration offset);

    std::optional<Duration> ours_;
    std::optional<Duration> theirs_;
    std::optional<bool> told_;
    bool rejected_ = false;
};

} // namespace stationsync::core
