// Tells at once when somebody sets the clock of this computer.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace stationsync::host {

// Engine thread. A hint, also for tiny corrections: the caller compares wall and monotonic time
// himself, and looks now and then anyway, since a system may not tell.
class ClockSteps {
public:
    ClockSteps(boost::asio::io_context& context, std::function<void()> set);
    ~ClockSteps();
    ClockSteps(const ClockSteps&) = delete;
    ClockSteps& operator=(const ClockSteps&) = delete;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::host
