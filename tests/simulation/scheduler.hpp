// Virtual time: a queue of tasks, done in the order of (time, order of scheduling).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace stationsync::simulation {

class Scheduler {
public:
    using Task = std::function<void()>;

    std::int64_t now() const { return now_; } // true time since the beginning of the run
    void at(std::int64_t time, Task task);    // a time that has passed means now
    void after(std::int64_t delay, Task task) { at(now_ + delay, std::move(task)); }

    void run_until(std::int64_t time); // does everything up to and including `time`
    std::uint64_t done() const { return done_; }

private:
    struct Entry {
        std::int64_t time;
        std::uint64_t order;
        Task task;
    };
    static bool later(const Entry& a, const Entry& b) {
        return a.time != b.time ? a.time > b.time : a.order > b.order;
    }

    std::int64_t now_ = 0;
    std::uint64_t order_ = 0;
    std::uint64_t done_ = 0;
    std::vector<Entry> heap_;
};

} // namespace stationsync::simulation
