// Calls that the caller cannot end for sure, such as those of an ODBC driver, within a time limit.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace stationsync::discovery_static {

// Each call runs on a thread of its own. One that does not come back in time is left behind, and
// no other is begun until it has returned: at most one thread is ever lost. Used by one thread.
class BlockingCall {
public:
    enum class End { done, stopped, late };

    // True while a call that was left behind has not returned.
    bool is_busy() const;

    // `work` must not throw and must own all that it uses: it may outlive the caller. When
    // `is_stopping` says so or `limit` is over, `cancel` is called from another thread, and `work`
    // gets a moment more. Must not be called while busy.
    End run(std::function<void()> work, std::function<void()> cancel,
            std::chrono::milliseconds limit, const std::function<bool()>& is_stopping);

private:
    struct State;
    std::shared_ptr<State> left_behind_;
};

} // namespace stationsync::discovery_static
