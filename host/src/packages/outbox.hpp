// Gathers messages for other stations into frames, and counts their bytes. Engine thread.
#pragma once

#include "packages/transfer.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

class Outbox {
public:
    // `schedule` runs flush() soon, after what the engine thread is doing now: what many small
    // packages have to say then shares a frame.
    Outbox(TransferHost& host, std::function<void()> schedule);

    void send(const core::StationId& station, TransferLane lane, const TransferMessage& message,
              std::string_view provider);
    // A finished frame of messages.
    void send_frame(const core::StationId& station, TransferLane lane, std::vector<std::byte> frame,
                    std::string_view provider);
    // The stations that turned out to be gone.
    [[nodiscard]] std::set<core::StationId> flush();

    // False: the lane `blocks` of the station is full.
    [[nodiscard]] bool is_writable(const core::StationId& station) const;
    void set_writable(const core::StationId& station);
    void forget(const core::StationId& station);

    void count_received(std::string_view provider, std::uint64_t bytes);
    [[nodiscard]] const std::map<std::string, TransferBytes>& counters() const { return bytes_; }

private:
    struct Lanes {
        std::vector<std::byte> control;
        std::vector<std::byte> blocks;
    };
    void hand_over(const core::StationId& station, TransferLane lane,
                   std::vector<std::byte>& frame);
    TransferBytes& counter(std::string_view provider);

    TransferHost& host_;
    std::function<void()> schedule_;
    std::map<core::StationId, Lanes> waiting_;
    std::set<core::StationId> full_;
    std::set<core::StationId> gone_;
    std::map<std::string, TransferBytes> bytes_;
    bool scheduled_ = false;
};

} // namespace stationsync::host
