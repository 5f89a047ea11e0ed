// Measures the difference of two clocks over a link: four time stamps, as NTP does, and a filter
// that trusts the quickest round trip.
#pragma once

#include "stationsync/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace stationsync::host {

inline constexpr std::size_t ping_bytes = 16;
inline constexpr std::size_t pong_bytes = 32;

// Both times are taken when the frame is written, not when it is queued.
struct Ping {
    std::uint64_t number = 0;
    core::WallTime sent_at; // by the sender's clock
};
struct Pong {
    std::uint64_t number = 0; // of the ping
    core::WallTime ping_sent_at;
    core::WallTime received_at; // by the answering clock
    core::WallTime sent_at;
};

[[nodiscard]] std::vector<std::byte> encode(const Ping& ping);
[[nodiscard]] std::vector<std::byte> encode(const Pong& pong);
// Nothing when the size is wrong.
[[nodiscard]] std::optional<Ping> decode_ping(std::span<const std::byte> payload);
[[nodiscard]] std::optional<Pong> decode_pong(std::span<const std::byte> payload);

struct TimeSample {
    core::Duration offset{};     // peer's clock minus ours, half the round trip taken off
    core::Duration round_trip{}; // without the time that the peer needed
    bool operator==(const TimeSample&) const = default;
};

class TimeFilter {
public:
    static constexpr std::size_t samples_max = 8;

    // Call when a ping is written.
    void sent(std::uint64_t number, core::WallTime wall, core::Instant instant);
    // Call when a pong arrives. Nothing when it answers no ping that we sent, when one of the two
    // clocks was set meanwhile, or when the peer's times are nonsense; else the present estimate:
    // of the last samples the one with the shortest round trip. A sample that cannot be explained
    // by the round trips means that a clock was set: then everything older is forgotten.
    [[nodiscard]] std::optional<TimeSample> received(const Pong& pong, core::WallTime wall,
                                                     core::Instant instant);

private:
    struct Outstanding {
        std::uint64_t number;
        core::WallTime wall;
        core::Instant instant;
    };
    static constexpr std::size_t outstanding_max = 16;

    std::deque<Outstanding> outstanding_;
    std::deque<TimeSample> samples_;
};

} // namespace stationsync::host
