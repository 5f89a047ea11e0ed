#include "base/clock.hpp"
#include "base/clock_system.hpp"

#include <ctime>

namespace stationsync::host {
namespace {
std::int64_t read_us(clockid_t id) noexcept {
    timespec now{};
    clock_gettime(id, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}
} // namespace

std::int64_t system_wall_us() noexcept {
    return read_us(CLOCK_REALTIME);
}
std::int64_t monotonic_now_us() noexcept {
    return read_us(CLOCK_MONOTONIC);
}
std::int64_t boot_now_us() noexcept {
    return read_us(CLOCK_BOOTTIME);
}

} // namespace stationsync::host
