// All threads of the service for what blocks, divided so that one thing that hangs stops no other.
#pragma once

#include "base/worker_pool.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace stationsync::host {

// One thread owns it and calls it; the pools take jobs from any thread.
class Workers {
public:
    explicit Workers(WorkerPool::Poster poster);

    // Files, hashing, views: work of the service itself.
    [[nodiscard]] WorkerPool& shared() { return shared_; }
    // One thread: a commit of the state database waits for nothing but commits.
    [[nodiscard]] WorkerPool& state() { return state_; }
    // Threads of one plugin instance, at most `threads_max` and a fixed number of the service's.
    [[nodiscard]] std::shared_ptr<WorkerPool> of_plugin(std::uint32_t threads_max);

    // No job is begun any more. False: one still runs after `time_max`, and neither this object nor
    // what the job uses may be destroyed.
    [[nodiscard]] bool stop_within(std::chrono::milliseconds time_max);

private:
    WorkerPool::Poster poster_;
    WorkerPool shared_;
    WorkerPool state_;
    std::vector<std::weak_ptr<WorkerPool>> plugins_;
};

} // namespace stationsync::host
