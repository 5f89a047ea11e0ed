// stationsync-sim-mutants: the simulation against engines that are wrong on purpose. Each must be
// noticed within 2,000 seeds, or the simulation proves nothing about its rule.
#include "mutants.hpp"
#include "options.hpp"
#include "runner.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>

using namespace stationsync::simulation;
namespace core = stationsync::core;

namespace {

struct Named {
    core::Mutant mutant;
    const char* name;
};

constexpr std::array mutants = {
    Named{core::Mutant::order_by_arrival, "order_by_arrival"},
    Named{core::Mutant::newcomer_wins, "newcomer_wins"},
    Named{core::Mutant::echo, "echo"},
    Named{core::Mutant::no_recheck, "no_recheck"},
    Named{core::Mutant::no_held_stamp, "no_held_stamp"},
    Named{core::Mutant::no_clock_wrong, "no_clock_wrong"},
    Named{core::Mutant::history_after_apply, "history_after_apply"},
    Named{core::Mutant::no_adopt_equal, "no_adopt_equal"},
    Named{core::Mutant::held_not_to_history, "held_not_to_history"},
    Named{core::Mutant::base_is_known, "base_is_known"},
    Named{core::Mutant::stamp_is_detection, "stamp_is_detection"},
    Named{core::Mutant::stamp_not_raised, "stamp_not_raised"},
    Named{core::Mutant::restored_old_is_edit, "restored_old_is_edit"},
    Named{core::Mutant::restored_old_by_stamp, "restored_old_by_stamp"},
    Named{core::Mutant::no_intent, "no_intent"},
    Named{core::Mutant::no_incarnation, "no_incarnation"},
    Named{core::Mutant::losers_not_apart, "losers_not_apart"},
    Named{core::Mutant::drop_current_package, "drop_current_package"},
    Named{core::Mutant::clones_accepted, "clones_accepted"},
    Named{core::Mutant::established_by_anyone, "established_by_anyone"},
    Named{core::Mutant::established_unsealed, "established_unsealed"},
    Named{core::Mutant::edit_rank_of_station, "edit_rank_of_station"},
    Named{core::Mutant::apply_over_dirty, "apply_over_dirty"},
    Named{core::Mutant::absence_is_change, "absence_is_change"},
    Named{core::Mutant::time_limit_ignored, "time_limit_ignored"},
    Named{core::Mutant::announce_before_durable, "announce_before_durable"},
    Named{core::Mutant::sequence_plain, "sequence_plain"},
    Named{core::Mutant::hold_ignored, "hold_ignored"},
    Named{core::Mutant::held_time_is_record, "held_time_is_record"},
};

// Seeds needed to notice it; 0: it went unnoticed.
std::uint64_t seeds_needed(const Named& named, RunPlan plan) {
    core::active_mutant = named.mutant;
    plan.stop_at_failure = true;
    const RunSummary summary = run_seeds(plan);
    std::cout << std::left << std::setw(26) << named.name;
    if (summary.failures.empty()) {
        std::cout << "NOT NOTICED in " << summary.runs << " seeds" << std::endl;
        return 0;
    }
    const RunResult& failure = summary.failures.front();
    std::uint64_t const needed = failure.seed - plan.first + 1;
    std::cout << std::right << std::setw(5) << needed << " seeds; " << failure.profile << ": "
              << failure.violations.front().substr(0, 150) << std::endl;
    return needed;
}

} // namespace

int main(int argc, char** argv) {
    const ProgramOptions options = read_options(argc, argv);
    RunPlan plan;
    plan.first = options.first;
    plan.count = options.count == 1000 ? 2000 : options.count;
    plan.jobs = options.jobs;
    plan.profile = options.profile.empty() ? nullptr : find_profile(options.profile);
    bool known = false;
    std::size_t tried = 0;
    std::size_t noticed = 0;
    for (const Named& named : mutants) {
        if (options.list) {
            std::cout << named.name << '\n';
            known = true;
        } else if (options.mutant.empty() || options.mutant == "all" ||
                   options.mutant == named.name) {
            known = true;
            if (options.trace) {
                core::active_mutant = named.mutant;
                RunOptions run;
                run.profile = plan.profile;
                run.trace_sink = [](const std::string& line) { std::cout << line << '\n'; };
                std::cout << describe(run_seed(options.first, run));
            } else {
                ++tried;
                noticed += seeds_needed(named, plan) != 0 ? 1 : 0;
            }
        }
    }
    if (!known) {
        std::cerr << "there is no wrong engine '" << options.mutant << "'; --list names them\n";
        return 2;
    }
    // Some rules are kept twice: the re-check before an apply by the provider's compare-and-swap,
    // the sequence that follows the clock by the new incarnation. Without one of the two nothing is
    // wrong.
    constexpr std::size_t noticed_at_least = 20;
    std::cout << noticed << " of " << tried << " wrong engines noticed\n";
    return noticed >= std::min(tried, noticed_at_least) ? 0 : 1;
}
