#include "base/workers.hpp"

#include <algorithm>

namespace stationsync::host {

namespace {
constexpr std::size_t queue_max = 65'536;
constexpr std::uint32_t shared_threads = 4;
constexpr std::uint32_t plugin_threads_max = 4;
} // namespace

Workers::Workers(WorkerPool::Poster poster)
    : poster_(std::move(poster)),
      shared_({shared_threads, queue_max}, poster_),
      state_({1, queue_max}, poster_) {}

std::shared_ptr<WorkerPool> Workers::of_plugin(std::uint32_t threads_max) {
    std::erase_if(plugins_, [](const auto& pool) { return pool.expired(); });
    const std::size_t threads = std::clamp<std::uint32_t>(threads_max, 1, plugin_threads_max);
    auto pool = std::make_shared<WorkerPool>(WorkerPool::Options{threads, queue_max}, poster_);
    plugins_.push_back(pool);
    return pool;
}

bool Workers::stop_within(std::chrono::milliseconds time_max) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point deadline = Clock::now() + time_max;
    const auto stop = [&](WorkerPool& pool) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        return pool.stop_within(std::max(left, std::chrono::milliseconds(0)));
    };
    bool all = stop(shared_);
    all = stop(state_) && all;
    for (const auto& each : plugins_)
        if (const auto pool = each.lock())
            all = stop(*pool) && all;
    return all;
}

} // namespace stationsync::host
