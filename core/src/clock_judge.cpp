#include "clock_judge.hpp"

#include "mutants.hpp"

#include <algorithm>

namespace stationsync::core {

Duration ClockJudge::bounded(Duration offset) {
    constexpr Duration far = std::chrono::hours(24 * 365 * 400);
    return std::clamp(offset, -far, far);
}

void ClockJudge::forget_measurements() {
    ours_.reset();
    theirs_.reset();
    told_.reset();
}

std::optional<Duration> ClockJudge::difference() const {
    if (ours_ && theirs_)
        return (*ours_ + *theirs_) / 2;
    return ours_;
}

void ClockJudge::judge(const Limits& limits) {
    if (!known())
        return;
    const Duration difference = std::chrono::abs((*ours_ + *theirs_) / 2);
    const bool was_rejected = rejected_ || (told_ && !*told_);
    rejected_ = difference > limits.clock_difference_max ||
                (was_rejected && difference >= limits.clock_difference_readmit);
    if (mutant(Mutant::time_limit_ignored))
        rejected_ = false;
}

} // namespace stationsync::core
