#include "net/time_exchange.hpp"

#include "base/byte_stream.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

// Wall and monotonic time of one exchange may differ by this much: slewing, reading one after the
// other.
constexpr core::Duration step_min = std::chrono::milliseconds(100);
// Two good samples may differ by their round trips and this much of drift.
constexpr core::Duration drift_max = std::chrono::milliseconds(20);
// Times of a peer beyond the year 2500 cannot be subtracted safely.
constexpr std::int64_t sane_us_max = 16'725'225'600'000'000;

bool is_sane(core::WallTime time) {
    return time.us >= -sane_us_max && time.us <= sane_us_max;
}

core::WallTime wall_of(std::uint64_t value) {
    return {static_cast<std::int64_t>(value)};
}

} // namespace

std::vector<std::byte> encode(const Ping& ping) {
    ByteWriter out;
    out.u64(ping.number);
    out.u64(static_cast<std::uint64_t>(ping.sent_at.us));
    return out.take();
}

std::vector<std::byte> encode(const Pong& pong) {
    ByteWriter out;
    out.u64(pong.number);
    out.u64(static_cast<std::uint64_t>(pong.ping_sent_at.us));
    out.u64(static_cast<std::uint64_t>(pong.received_at.us));
    out.u64(static_cast<std::uint64_t>(pong.sent_at.us));
    return out.take();
}

std::optional<Ping> decode_ping(std::span<const std::byte> payload) {
    ByteReader in(payload);
    Ping ping;
    ping.number = in.u64();
    ping.sent_at = wall_of(in.u64());
    return in.at_end() ? std::optional(ping) : std::nullopt;
}

std::optional<Pong> decode_pong(std::span<const std::byte> payload) {
    ByteReader in(payload);
    Pong pong;
    pong.number = in.u64();
    pong.ping_sent_at = wall_of(in.u64());
    pong.received_at = wall_of(in.u64());
    pong.sent_at = wall_of(in.u64());
    return in.at_end() ? std::optional(pong) : std::nullopt;
}

void TimeFilter::sent(std::uint64_t number, core::WallTime wall, core::Instant instant) {
    outstanding_.push_back({number, wall, instant});
    if (outstanding_.size() > outstanding_max) {
        outstanding_.pop_front();
    }
}

std::optional<TimeSample> TimeFilter::received(const Pong& pong, core::WallTime wall,
                                               core::Instant instant) {
    const auto ping =
        std::find_if(outstanding_.begin(), outstanding_.end(),
                     [&](const Outstanding& entry) { return entry.number == pong.number; });
    if (ping == outstanding_.end()) {
        return std::nullopt;
    }
    const Outstanding sent = *ping;
    outstanding_.erase(outstanding_.begin(), ping + 1);
    const core::Duration elapsed = instant - sent.instant;
    if (std::chrono::abs((wall - sent.wall) - elapsed) > step_min || !is_sane(pong.received_at) ||
        !is_sane(pong.sent_at)) {
        return std::nullopt;
    }
    const core::Duration answering = pong.sent_at - pong.received_at;
    if (answering < core::Duration{0} || answering > elapsed) {
        return std::nullopt;
    }
    const core::Duration there = pong.received_at - sent.wall;
    const core::Duration back = pong.sent_at - (sent.wall + elapsed);
    const TimeSample sample{(there + back) / 2, elapsed - answering};
    const bool is_set = std::any_of(samples_.begin(), samples_.end(), [&](const TimeSample& other) {
        return std::chrono::abs(other.offset - sample.offset) >
               (other.round_trip + sample.round_trip) / 2 + drift_max;
    });
    if (is_set) {
        samples_.clear();
    }
    samples_.push_back(sample);
    if (samples_.size() > samples_max) {
        samples_.pop_front();
    }
    // The newest of equals: it is nearer to the present.
    const auto best = std::min_element(
        samples_.rbegin(), samples_.rend(),
        [](const TimeSample& a, const TimeSample& b) { return a.round_trip < b.round_trip; });
    return *best;
}

} // namespace stationsync::host
