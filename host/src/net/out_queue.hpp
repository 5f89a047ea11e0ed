// What waits to be sent on one link. Two lanes: control overtakes blocks between two frames; pings
// and pongs overtake both and take their times at the moment they are written.
#pragma once

#include "net/frames.hpp"
#include "net/time_exchange.hpp"

#include <deque>
#include <optional>

namespace stationsync::host {

class OutQueue {
public:
    struct Clock {
        core::WallTime wall;
        core::Instant instant;
    };

    void push_control(FrameType type, Bytes payload);
    void push_block(Bytes payload);
    void request_ping() noexcept { ping_wanted_ = true; }
    // At most 4 answers wait; more pings than that are not answered.
    void answer(const Ping& ping, core::WallTime received_at);

    // Copies up to `to.size()` bytes of what is to be sent next. `filter` hears of pings written.
    [[nodiscard]] std::size_t fill(std::span<std::byte> to, Clock now, TimeFilter& filter);

    [[nodiscard]] bool empty() const noexcept;
    [[nodiscard]] std::size_t control_bytes() const noexcept { return control_bytes_; }
    [[nodiscard]] std::size_t block_bytes() const noexcept { return block_bytes_; }
    // Frames that have not begun; the one in the middle goes on.
    void drop_blocks();

private:
    struct Frame {
        std::array<std::byte, frame_header_bytes> header{};
        Bytes payload;
        bool is_block = false;
    };
    struct Answer {
        Ping ping;
        core::WallTime received_at;
    };
    [[nodiscard]] bool next_frame(Clock now, TimeFilter& filter);

    std::deque<Frame> control_;
    std::deque<Frame> blocks_;
    std::deque<Answer> answers_;
    std::optional<Frame> current_;
    std::size_t current_sent_ = 0; // header included
    std::size_t control_bytes_ = 0;
    std::size_t block_bytes_ = 0;
    std::uint64_t ping_number_ = 0;
    bool ping_wanted_ = false;
};

} // namespace stationsync::host
