#include "base/clock_steps.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>

namespace stationsync::host {

// A timer of the wall clock that never ends, and that the kernel cancels when the clock is set
// (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
struct ClockSteps::State : std::enable_shared_from_this<State> {
    State(boost::asio::io_context& context, std::function<void()> action)
        : timer(context), set(std::move(action)) {}

    bool arm() {
        itimerspec never{};
        never.it_value.tv_sec = std::numeric_limits<decltype(never.it_value.tv_sec)>::max();
        // ECANCELED: set once more since it was read; the timer is armed all the same.
        return ::timerfd_settime(timer.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                                 &never, nullptr) == 0 ||
               errno == ECANCELED;
    }
    void wait() {
        timer.async_wait(boost::asio::posix::descriptor_base::wait_read,
                         [state = shared_from_this()](boost::system::error_code error) {
                             if (error)
                                 return;
                             // Fails with ECANCELED, and then the timer is set anew.
                             std::uint64_t expired = 0;
                             const bool is_over = ::read(state->timer.native_handle(), &expired,
                                                         sizeof expired) == sizeof expired;
                             if (is_over || !state->arm())
                                 return;
                             state->wait();
                             state->set();
                         });
    }

    boost::asio::posix::stream_descriptor timer;
    std::function<void()> set;
};

ClockSteps::ClockSteps(boost::asio::io_context& context, std::function<void()> set)
    : state_(std::make_shared<State>(context, std::move(set))) {
    const int descriptor = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor < 0)
        return; // what looks now and then notices it a little later
    state_->timer.assign(descriptor);
    if (state_->arm())
        state_->wait();
}

ClockSteps::~ClockSteps() {
    boost::system::error_code ignored; // nothing can fail that matters when it ends
    state_->timer.close(ignored);
}

} // namespace stationsync::host
