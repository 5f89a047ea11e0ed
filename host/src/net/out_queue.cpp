#include "net/out_queue.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

constexpr std::size_t answers_max = 4;

} // namespace

void OutQueue::push_control(FrameType type, Bytes payload) {
    control_bytes_ += payload.size() + frame_header_bytes;
    const auto header = frame_header(type, payload.size());
    control_.push_back({header, std::move(payload), false});
}

void OutQueue::push_block(Bytes payload) {
    block_bytes_ += payload.size() + frame_header_bytes;
    const auto header = frame_header(FrameType::block, payload.size());
    blocks_.push_back({header, std::move(payload), true});
}

void OutQueue::answer(const Ping& ping, core::WallTime received_at) {
    if (answers_.size() < answers_max) {
        answers_.push_back({ping, received_at});
    }
}

bool OutQueue::empty() const noexcept {
    return !current_ && control_.empty() && blocks_.empty() && answers_.empty() && !ping_wanted_;
}

void OutQueue::drop_blocks() {
    for (const Frame& frame : blocks_) {
        block_bytes_ -= frame.payload.size() + frame_header_bytes;
    }
    blocks_.clear();
}

bool OutQueue::next_frame(Clock now, TimeFilter& filter) {
    if (!answers_.empty()) {
        const Answer answer = answers_.front();
        answers_.pop_front();
        current_ = Frame{
            frame_header(FrameType::pong, pong_bytes),
            encode(Pong{answer.ping.number, answer.ping.sent_at, answer.received_at, now.wall}),
            false};
    } else if (ping_wanted_) {
        ping_wanted_ = false;
        ++ping_number_;
        filter.sent(ping_number_, now.wall, now.instant);
        current_ = Frame{frame_header(FrameType::ping, ping_bytes),
                         encode(Ping{ping_number_, now.wall}), false};
    } else if (!control_.empty()) {
        current_ = std::move(control_.front());
        control_.pop_front();
        control_bytes_ -= current_->payload.size() + frame_header_bytes;
    } else if (!blocks_.empty()) {
        current_ = std::move(blocks_.front());
        blocks_.pop_front();
    } else {
        return false;
    }
    current_sent_ = 0;
    return true;
}

std::size_t OutQueue::fill(std::span<std::byte> to, Clock now, TimeFilter& filter) {
    std::size_t filled = 0;
    while (filled < to.size() && (current_ || next_frame(now, filter))) {
        const std::span<const std::byte> payload = current_->payload;
        const std::span<const std::byte> part =
            current_sent_ < frame_header_bytes
                ? std::span<const std::byte>(current_->header).subspan(current_sent_)
                : payload.subspan(current_sent_ - frame_header_bytes);
        const std::size_t take = std::min(part.size(), to.size() - filled);
        std::copy_n(part.begin(), take, to.begin() + static_cast<std::ptrdiff_t>(filled));
        filled += take;
        current_sent_ += take;
        if (current_sent_ == frame_header_bytes + payload.size()) {
            if (current_->is_block) {
                block_bytes_ -= payload.size() + frame_header_bytes;
            }
            current_.reset();
        }
    }
    return filled;
}

} // namespace stationsync::host
