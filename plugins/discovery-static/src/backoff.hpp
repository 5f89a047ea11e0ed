// When to try again what has failed.
#pragma once

#include <algorithm>
#include <chrono>

namespace stationsync::discovery_static {

class Backoff {
public:
    using Time = std::chrono::steady_clock::time_point;

    // The first pause; each further one is twice as long, up to the longest.
    Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
        : first_(first), longest_(longest) {}

    void failed(Time now) {
        pause_ = pause_.count() == 0 ? first_ : std::min(pause_ * 2, longest_);
        until_ = now + pause_;
    }
    void succeeded() {
        pause_ = {};
        until_ = {};
    }
    bool is_due(Time now) const { return now >= until_; }

private:
    std::chrono::milliseconds first_;
    std::chrono::milliseconds longest_;
    std::chrono::milliseconds pause_{};
    Time until_{};
};

} // namespace stationsync::discovery_static
