// Asks `apply_when` of a provider for the engine.
#include "base/clock.hpp"
#include "service/apply_verdict.hpp"
#include "service/runtime.hpp"

namespace stationsync::host {

void Runtime::act(core::AskApplyWhen& action) {
    constexpr std::chrono::seconds ask_again{5};
    const core::JobId job = action.job;
    ProviderSlot* const slot = slot_of(action.provider);
    if (!slot || slot->ending || ending_) {
        feed(core::ApplyWhenAnswered{job, false, "the provider is not running", ask_again});
        return;
    }
    const ApplyWhen& apply_when = slot->config.apply_when;
    if (apply_when.command.empty()) {
        GateVerdict verdict = judge_windows(apply_when, wall_now_us());
        feed(core::ApplyWhenAnswered{job, verdict.allowed, std::move(verdict.text),
                                     verdict.stands_for});
        return;
    }
    // A thread of its own: a command that hangs holds up nobody else's.
    if (!slot->gate)
        slot->gate = workers_.of_plugin(1);
    auto verdict = std::make_shared<GateVerdict>();
    auto work = [verdict, apply_when, refusals = action.refusals, given_up = slot->gate_given_up] {
        *verdict = ask_gate_command(apply_when, refusals, given_up.get());
    };
    // The pool goes with the answer at the earliest: it is never destroyed while it works.
    auto done = [answered = alive([this, job, verdict] {
                     feed(core::ApplyWhenAnswered{job, verdict->allowed, std::move(verdict->text),
                                                  verdict->stands_for});
                 }),
                 gate = slot->gate] { answered(); };
    slot->gate->submit(std::move(work), std::move(done));
}

} // namespace stationsync::host
