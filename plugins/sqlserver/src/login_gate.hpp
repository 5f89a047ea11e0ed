// Holds back logins after a refused one, so that no account is locked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace stationsync::sqlserver {

// Refused: next attempt after 1, 2, 4 … 30 minutes, at most 6 in the first hour and 2 in each later
// one; at once with another login or password. Thread: the caller's business.
class LoginGate {
public:
    using Clock = std::chrono::steady_clock;

    // `login` stands for user and password, such as a hash of both.
    bool is_open(std::size_t login, Clock::time_point now) const noexcept {
        return !is_refused_ || login != login_ || now >= next_;
    }

    void refused(std::size_t login, Clock::time_point now) noexcept {
        pause_ = is_refused_ && login == login_ ? std::min(2 * pause_, pause_max) : pause_min;
        is_refused_ = true;
        login_ = login;
        next_ = now + pause_;
    }

    void accepted() noexcept { is_refused_ = false; }

    // Until the next attempt; zero when it may begin.
    Clock::duration remaining(std::size_t login, Clock::time_point now) const noexcept {
        return is_open(login, now) ? Clock::duration::zero() : next_ - now;
    }

private:
    static constexpr Clock::duration pause_min = std::chrono::minutes(1);
    static constexpr Clock::duration pause_max = std::chrono::minutes(30);

    bool is_refused_ = false;
    std::size_t login_ = 0;
    Clock::duration pause_ = pause_min;
    Clock::time_point next_{};
};

} // namespace stationsync::sqlserver
