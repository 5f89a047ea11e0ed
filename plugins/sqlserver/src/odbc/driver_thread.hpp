// A thread of its own for calls that a driver may never come back from.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace stationsync::sqlserver::odbc {

// One call at a time; used by one thread. A call that does not return can be left behind: its
// thread then ends with it, and this object takes no further call.
class DriverThread {
public:
    DriverThread();
    DriverThread(const DriverThread&) = delete;
    DriverThread& operator=(const DriverThread&) = delete;
    // Joins, or leaves behind what has not returned.
    ~DriverThread();

    // `call` must not throw, and must own all that it uses: it may outlive everybody. Not while
    // another call runs.
    void start(std::function<void()> call);

    // True: the call has returned. False: the time is over, or somebody woke us.
    bool wait_for(std::chrono::milliseconds time);

    bool is_busy() const;

    // Any thread: ends a wait_for early.
    void wake() noexcept;

    // Calls of this process that were left behind and have not returned yet.
    static int left_behind() noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::sqlserver::odbc
