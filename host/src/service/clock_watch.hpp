// Notices a step of the wall clock: wall time against monotonic time that goes on during sleep.
#pragma once

#include <cstdint>
#include <optional>

namespace stationsync::host {

class ClockWatch {
public:
    static constexpr std::int64_t step_us_min = 2'000'000; // between two samples (rule 4)

    // Microseconds by which the wall clock has stepped since the last sample, when that is a step.
    std::optional<std::int64_t> sample(std::int64_t wall_us, std::int64_t boot_us) {
        const std::int64_t difference = wall_us - boot_us;
        const std::int64_t moved = difference_ ? difference - *difference_ : 0;
        difference_ = difference;
        if (moved > step_us_min || moved < -step_us_min)
            return moved;
        return std::nullopt;
    }

private:
    std::optional<std::int64_t> difference_;
};

} // namespace stationsync::host
