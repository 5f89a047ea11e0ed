#include "scheduler.hpp"

#include <algorithm>

namespace stationsync::simulation {

void Scheduler::at(std::int64_t time, Task task) {
    heap_.push_back({std::max(time, now_), ++order_, std::move(task)});
    std::push_heap(heap_.begin(), heap_.end(), later);
}

void Scheduler::run_until(std::int64_t time) {
    while (!heap_.empty() && heap_.front().time <= time) {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        Entry entry = std::move(heap_.back());
        heap_.pop_back();
        now_ = entry.time;
        ++done_;
        entry.task();
    }
    now_ = std::max(now_, time);
}

} // namespace stationsync::simulation
