#include "runner.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <sstream>
#include <thread>

namespace stationsync::simulation {

RunSummary run_seeds(const RunPlan& plan) {
    RunSummary summary;
    std::mutex mutex;
    std::atomic<std::uint64_t> next{0};
    std::atomic<bool> stop{false};
    auto work = [&] {
        RunOptions options;
        options.profile = plan.profile;
        options.invariants_every = plan.invariants_every;
        Coverage coverage;
        while (!stop) {
            std::uint64_t const index = next++;
            if (index >= plan.count) {
                break;
            }
            RunResult result = run_seed(plan.first + index, options);
            std::lock_guard const lock(mutex);
            coverage.add(result.coverage);
            ++summary.runs;
            summary.tasks += result.tasks;
            summary.copies_collided += result.copies_collided ? 1 : 0;
            summary.virtual_hours += static_cast<double>(result.virtual_us) / hour;
            if (!result.violations.empty()) {
                ++summary.failed;
                summary.failures.push_back(std::move(result));
                stop = stop || plan.stop_at_failure;
            }
        }
        std::lock_guard const lock(mutex);
        summary.coverage.add(coverage);
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < plan.jobs; ++i) {
        threads.emplace_back(work);
    }
    for (auto& thread : threads) {
        thread.join();
    }
    std::sort(summary.failures.begin(), summary.failures.end(),
              [](const RunResult& a, const RunResult& b) { return a.seed < b.seed; });
    if (summary.failures.size() > plan.failures_shown) {
        summary.failures.resize(plan.failures_shown);
    }
    return summary;
}

std::string describe(const RunResult& result) {
    std::ostringstream out;
    out << "seed " << result.seed << " (profile " << result.profile << ", " << result.stations
        << " stations, trace " << std::hex << result.trace_hash << std::dec << ")\n";
    for (const auto& violation : result.violations) {
        out << "  " << violation << '\n';
    }
    return out.str();
}

} // namespace stationsync::simulation
