// Runs many seeds on a few threads and adds up what occurred.
#pragma once

#include "workload.hpp"

namespace stationsync::simulation {

struct RunPlan {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;
    unsigned jobs = 2;
    const Profile* profile = nullptr;
    bool stop_at_failure = false;
    std::size_t failures_shown = 40;
    std::uint64_t invariants_every = 64;
};

struct RunSummary {
    std::uint64_t runs = 0;
    std::uint64_t tasks = 0;
    double virtual_hours = 0;
    std::vector<RunResult> failures; // by seed, the first ones only
    std::uint64_t failed = 0;
    std::uint64_t copies_collided = 0; // runs in which two copies of a disk sealed at once
    Coverage coverage;
};

RunSummary run_seeds(const RunPlan& plan);

// How a failed run is told to a person.
std::string describe(const RunResult& result);

} // namespace stationsync::simulation
