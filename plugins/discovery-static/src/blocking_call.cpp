#include "blocking_call.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace stationsync::discovery_static {

namespace {

constexpr std::chrono::milliseconds look_interval{50};
// Stopping a discovery may take 2 seconds in all.
constexpr std::chrono::milliseconds grace{500};

} // namespace

struct BlockingCall::State {
    std::mutex mutex;
    std::condition_variable ended;
    bool is_done = false;

    bool wait(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex);
        return ended.wait_for(lock, limit, [this] { return is_done; });
    }
};

bool BlockingCall::is_busy() const {
    return left_behind_ != nullptr && !left_behind_->wait(std::chrono::milliseconds(0));
}

BlockingCall::End BlockingCall::run(std::function<void()> work, std::function<void()> cancel,
                                    std::chrono::milliseconds limit,
                                    const std::function<bool()>& is_stopping) {
    left_behind_.reset();
    const auto state = std::make_shared<State>();
    const auto until = std::chrono::steady_clock::now() + limit;
    std::thread thread([state, work = std::move(work)]() mutable {
        work();
        work = nullptr; // what it owned ends with it
        const std::lock_guard lock(state->mutex);
        state->is_done = true;
        state->ended.notify_all();
    });
    End end = End::done;
    while (!state->wait(look_interval)) {
        if (is_stopping())
            end = End::stopped;
        else if (std::chrono::steady_clock::now() >= until)
            end = End::late;
        if (end != End::done)
            break;
    }
    if (end == End::done) {
        thread.join();
        return end;
    }
    bool is_cancelled = true;
    try {
        std::thread(std::move(cancel)).detach(); // it may block as long as the call itself
    } catch (const std::system_error&) {         // no thread is left: the call ends when it ends
        is_cancelled = false;
    }
    if (is_cancelled && state->wait(grace)) {
        thread.join();
    } else {
        thread.detach();
        left_behind_ = state;
    }
    return end;
}

} // namespace stationsync::discovery_static
