// A one-shot timer on the engine thread, without Asio in the header.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace stationsync::host {

class Timer {
public:
    explicit Timer(boost::asio::io_context& context);
    ~Timer(); // cancels
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Calls `action` once after `delay`, replacing what was set before.
    void set(std::chrono::microseconds delay, std::function<void()> action);
    void cancel();

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::host
