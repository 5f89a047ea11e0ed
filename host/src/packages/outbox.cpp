#include "packages/outbox.hpp"

#include <utility>

namespace stationsync::host {

Outbox::Outbox(TransferHost& host, std::function<void()> schedule)
    : host_(host), schedule_(std::move(schedule)) {}

void Outbox::send(const core::StationId& station, TransferLane lane, const TransferMessage& message,
                  std::string_view provider) {
    Lanes& lanes = waiting_[station];
    std::vector<std::byte>& frame = lane == TransferLane::control ? lanes.control : lanes.blocks;
    const std::size_t before = frame.size();
    append(frame, message);
    counter(provider).sent += frame.size() - before;
    if (frame.size() >= frame_bytes_target) {
        hand_over(station, lane, frame);
    }
    if (!scheduled_) {
        scheduled_ = true;
        schedule_();
    }
}

void Outbox::send_frame(const core::StationId& station, TransferLane lane,
                        std::vector<std::byte> frame, std::string_view provider) {
    counter(provider).sent += frame.size();
    Lanes& lanes = waiting_[station];
    // What was said before comes before.
    hand_over(station, lane, lane == TransferLane::control ? lanes.control : lanes.blocks);
    hand_over(station, lane, frame);
    if (!scheduled_ && !gone_.empty()) {
        scheduled_ = true;
        schedule_();
    }
}

void Outbox::hand_over(const core::StationId& station, TransferLane lane,
                       std::vector<std::byte>& frame) {
    if (frame.empty()) {
        return;
    }
    switch (host_.send_transfer(station, lane, std::exchange(frame, {}))) {
    case SendResult::taken:
        break;
    case SendResult::full:
        full_.insert(station);
        break;
    case SendResult::gone:
        gone_.insert(station);
        break;
    }
}

std::set<core::StationId> Outbox::flush() {
    scheduled_ = false;
    for (auto& [station, lanes] : std::exchange(waiting_, {})) {
        hand_over(station, TransferLane::control, lanes.control);
        hand_over(station, TransferLane::blocks, lanes.blocks);
    }
    return std::exchange(gone_, {});
}

bool Outbox::is_writable(const core::StationId& station) const {
    return !full_.contains(station);
}

void Outbox::set_writable(const core::StationId& station) {
    full_.erase(station);
}

void Outbox::forget(const core::StationId& station) {
    waiting_.erase(station);
    full_.erase(station);
    gone_.erase(station);
}

void Outbox::count_received(std::string_view provider, std::uint64_t bytes) {
    counter(provider).received += bytes;
}

TransferBytes& Outbox::counter(std::string_view provider) {
    // A peer may name any provider: only those that a located package or a fetch of ours has
    // confirmed come here.
    return bytes_[std::string(provider)];
}

} // namespace stationsync::host
