#pragma once
// May new states be brought into the live data of a provider now, by its `apply_when`?

#include "base/clock.hpp"
#include "config/apply_when.hpp"

#include <atomic>
#include <chrono>
#include <string>

namespace stationsync::host {

struct GateVerdict {
    bool allowed = false;
    std::string text; // why not, for every station
    // It is not relied on longer, and nothing is asked again before.
    std::chrono::microseconds stands_for{};
};

// Judged anew at each full minute: windows, steps of daylight saving and other time zones all
// begin with one.
[[nodiscard]] GateVerdict judge_windows(const ApplyWhen& apply_when, WallTime now_us);

// Blocks, up to the time that a command has: on a worker thread only. `refusals`: how often it has
// said no without a yes in between. Once `given_up` is true, any thread having set it, the command
// is ended as if its time were over.
[[nodiscard]] GateVerdict ask_gate_command(const ApplyWhen& apply_when, unsigned refusals,
                                           const std::atomic<bool>* given_up = nullptr);

} // namespace stationsync::host
