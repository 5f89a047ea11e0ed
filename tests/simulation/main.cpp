// stationsync-sim: random runs of the engine in a simulated plant. See README.md of this folder.
#include "options.hpp"
#include "runner.hpp"

#include <chrono>
#include <fstream>
#include <iostream>

using namespace stationsync::simulation;

namespace {

int print_trace(const ProgramOptions& options, const Profile* profile) {
    RunOptions run;
    run.profile = profile;
    run.trace_sink = [](const std::string& line) { std::cout << line << '\n'; };
    const RunResult result = run_seed(options.first, run);
    std::cout << describe(result);
    return result.violations.empty() ? 0 : 1;
}

// The first failing seed again, with all that happens, into a file beside the caller.
void write_trace(std::uint64_t seed, const Profile* profile) {
    std::string const name = "stationsync-sim-seed-" + std::to_string(seed) + ".trace";
    std::ofstream file(name);
    RunOptions run;
    run.profile = profile;
    run.trace_sink = [&](const std::string& line) { file << line << '\n'; };
    const RunResult result = run_seed(seed, run);
    file << describe(result);
    std::cout << "trace of seed " << seed << " in " << name << '\n';
}

int check_repeat(const ProgramOptions& options, const Profile* profile) {
    RunOptions run;
    run.profile = profile;
    for (std::uint64_t seed = options.first; seed < options.first + options.count; ++seed) {
        if (run_seed(seed, run).trace_hash != run_seed(seed, run).trace_hash) {
            std::cout << "seed " << seed << " does not repeat\n";
            return 1;
        }
    }
    std::cout << options.count << " seeds repeat\n";
    return 0;
}

int report(const RunSummary& summary, const ProgramOptions& options, const Profile* profile,
           double elapsed_s) {
    if (!options.quiet) {
        std::cout << summary.coverage.table();
    }
    for (const auto& failure : summary.failures) {
        std::cout << describe(failure);
    }
    std::cout << summary.runs << " runs, " << summary.virtual_hours << " virtual hours, "
              << summary.tasks << " tasks, " << elapsed_s << " s; " << summary.failed
              << " failed\n";
    if (summary.copies_collided != 0) {
        std::cout << summary.copies_collided
                  << " of them judged in part: two copies of a disk sealed in the same "
                     "millisecond\n";
    }
    if (summary.failed != 0) {
        write_trace(summary.failures.front().seed, profile);
        return 1;
    }
    const auto never = summary.coverage.never_occurred();
    for (const auto& name : never) {
        std::cout << "never occurred: " << name << '\n';
    }
    return never.empty() || options.zeros_allowed ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    const ProgramOptions options = read_options(argc, argv);
    if (options.list) {
        for (const auto& profile : profiles()) {
            std::cout << profile.name << '\n';
        }
        return 0;
    }
    const Profile* const profile =
        options.profile.empty() ? nullptr : find_profile(options.profile);
    if (!options.profile.empty() && !profile) {
        std::cerr << "there is no profile '" << options.profile << "'; --list names them\n";
        return 2;
    }
    if (!options.mutant.empty()) {
        std::cerr << "wrong engines are in stationsync-sim-mutants\n";
        return 2;
    }
    if (options.trace) {
        return print_trace(options, profile);
    }
    if (options.check_repeat) {
        return check_repeat(options, profile);
    }
    RunPlan plan;
    plan.first = options.first;
    plan.count = options.count;
    plan.jobs = options.jobs;
    plan.profile = profile;
    const auto begin = std::chrono::steady_clock::now();
    const RunSummary summary = run_seeds(plan);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    return report(summary, options, profile, elapsed.count());
}
