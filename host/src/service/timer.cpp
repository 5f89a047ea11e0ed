#include "service/timer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace stationsync::host {

struct Timer::State {
    boost::asio::steady_timer timer;
    std::function<void()> action;
    std::uint64_t setting = 0; // an expiry that was already queued when it was replaced is stale
};

Timer::Timer(boost::asio::io_context& context)
    : state_(std::make_shared<State>(State{boost::asio::steady_timer(context), {}, 0})) {}

Timer::~Timer() {
    cancel();
}

void Timer::set(std::chrono::microseconds delay, std::function<void()> action) {
    state_->action = std::move(action);
    const std::uint64_t setting = ++state_->setting;
    state_->timer.expires_after(delay);
    auto expired = [state = state_, setting](const boost::system::error_code& error) {
        if (error || state->setting != setting)
            return;
        // The action may set the timer again.
        auto run = std::move(state->action);
        state->action = {};
        run();
    };
    state_->timer.async_wait(std::move(expired));
}

void Timer::cancel() {
    ++state_->setting;
    state_->action = {};
    state_->timer.cancel();
}

} // namespace stationsync::host
