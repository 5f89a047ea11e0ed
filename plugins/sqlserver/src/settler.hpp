// Finishes or undoes what was broken off on a thread of its own: a rescue may take as long as a
// whole restore, and neither the looks at other databases nor the end of the service wait for that.
#pragma once

#include "stop_op.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace stationsync::sqlserver {

class Settler {
public:
    // `settle` is called on the thread, for one key at a time, with an operation that ends with the
    // thread; what it throws is swallowed.
    explicit Settler(std::function<void(const std::string&, const sdk::Op&)> settle)
        : settle_(std::move(settle)) {}
    Settler(const Settler&) = delete;
    Settler& operator=(const Settler&) = delete;
    // Joins.
    ~Settler() {
        stop_.stop();
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable())
            thread_.join();
    }

    // Then waits for them as long as `patience`, unless something was at work before. Throws
    // sdk::Cancelled.
    void settle(const std::set<std::string>& keys, const sdk::Op& op,
                std::chrono::milliseconds patience) {
        constexpr std::chrono::milliseconds step{50};
        std::unique_lock lock(mutex_);
        const bool was_busy = !at_work_.empty();
        for (const std::string& key : keys)
            if (key != at_work_)
                waiting_.insert(key);
        if (waiting_.empty() || is_stopping_)
            return;
        if (!thread_.joinable())
            thread_ = std::thread([this] { run(); });
        changed_.notify_all();
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!was_busy && (!waiting_.empty() || !at_work_.empty()) &&
               std::chrono::steady_clock::now() < end) {
            op.check();
            changed_.wait_for(lock, step);
        }
    }

    // Keys that were settled, or tried, since this was asked.
    std::set<std::string> take_done() {
        const std::lock_guard lock(mutex_);
        return std::exchange(done_, {});
    }

private:
    void run() noexcept {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
            if (is_stopping_)
                return;
            at_work_ = waiting_.extract(waiting_.begin()).value();
            lock.unlock();
            try {
                settle_(at_work_, stop_.op());
            } catch (...) {
                // Noted by whom it concerns; a stop needs no note.
            }
            lock.lock();
            done_.insert(std::exchange(at_work_, {}));
            changed_.notify_all();
        }
    }

    std::function<void(const std::string&, const sdk::Op&)> settle_;
    StopOp stop_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_stopping_ = false;
    std::set<std::string> waiting_;
    std::string at_work_; // empty = nothing; written by the thread, under the mutex
    std::set<std::string> done_;
    std::thread thread_;
};

} // namespace stationsync::sqlserver
