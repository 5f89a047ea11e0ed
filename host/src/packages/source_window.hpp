// How much may be outstanding at one source: as much as it delivers within a short time, so that a
// slow source is given little and a fast one is never idle. Plain arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>

namespace stationsync::host {

class SourceWindow {
public:
    SourceWindow(std::uint32_t block_bytes, std::uint64_t bytes_max)
        : block_bytes_(block_bytes),
          bytes_max_(bytes_max),
          bytes_(std::min<std::uint64_t>(bytes_max, std::uint64_t{4} * block_bytes)) {}

    // Blocks that may be outstanding; at least one.
    [[nodiscard]] std::uint32_t blocks() const noexcept {
        return static_cast<std::uint32_t>(
            std::max<std::uint64_t>(1, std::min(bytes_, bytes_max_) / block_bytes_));
    }
    void set_bytes_max(std::uint64_t bytes_max) noexcept { bytes_max_ = bytes_max; }

    // A block arrived `latency_us` after it was requested.
    void on_block(std::int64_t latency_us) noexcept {
        shortest_us_ = shortest_us_ == 0 ? latency_us : std::min(shortest_us_, latency_us);
        const std::int64_t target_us = std::max(latency_target_us, 2 * shortest_us_);
        if (latency_us < target_us) {
            bytes_ = std::min(bytes_max_, bytes_ + block_bytes_);
        } else if (latency_us > 2 * target_us) {
            bytes_ = std::max<std::uint64_t>(block_bytes_, bytes_ - bytes_ / 8);
        }
        latency_us_ = latency_us_ == 0 ? latency_us : (latency_us_ * 7 + latency_us) / 8;
    }
    // Smoothed; 0 before the first block.
    [[nodiscard]] std::int64_t latency_us() const noexcept { return latency_us_; }

private:
    // Longer would only put more into queues on the way.
    static constexpr std::int64_t latency_target_us = 250'000;

    std::uint64_t block_bytes_;
    std::uint64_t bytes_max_;
    std::uint64_t bytes_;
    std::int64_t shortest_us_ = 0;
    std::int64_t latency_us_ = 0;
};

} // namespace stationsync::host
