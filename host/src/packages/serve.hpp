// Answers what other stations ask for. Engine thread; reading and compressing are the workers'.
//
// What a peer can make this station do is bounded: channels, those of them that have files open or
// are being opened (the others wait for their turn), memory for its questions, and bytes read but
// not yet taken by the link. A peer that reads slowly is read for slowly; others do not notice.
#pragma once

#include "packages/served_package.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace stationsync::host {

class Serve {
public:
    // `fetch_of` finds a running fetch by its package.
    using FetchOf = std::function<Fetch*(const core::Digest&)>;
    Serve(TransferContext& context, FetchOf fetch_of);
    ~Serve();

    void on_message(const core::StationId& station, TransferMessage& message);
    void on_writable(const core::StationId& station);
    void on_station_gone(const core::StationId& station);
    // What the station asked for or was sent may be lost: it is to open its channels again.
    void on_link_lost(const core::StationId& station);
    // Blocks of a package that is being fetched here have been verified since the last call.
    void on_advanced(Fetch& fetch);
    // The fetch is over: with success all of its blocks can be served.
    void on_fetch_ended(Fetch& fetch, bool complete);
    // Tells those who wait for a package that is still being made or hashed that it is.
    void tick(std::int64_t now_us);
    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] std::uint64_t bytes_in_flight() const;

private:
    struct Channel;
    struct Peer;
    struct Opening;
    using ChannelPtr = std::shared_ptr<Channel>;

    Peer& peer_of(const core::StationId& station);
    // serve_open.cpp
    void on_open(const core::StationId& station, OpenMessage& message);
    void start_waiting(Peer& peer);
    void end_turn(const ChannelPtr& channel);
    [[nodiscard]] bool goes_on(const ChannelPtr& channel);
    void locate(const ChannelPtr& channel);
    void open_files(const ChannelPtr& channel, const std::shared_ptr<Opening>& opening);
    void on_files_open(const ChannelPtr& channel, Opening& opening);

    // serve.cpp
    void open_partial(const ChannelPtr& channel, Fetch& fetch);
    void on_list_request(const ChannelPtr& channel, const ManifestRequestMessage& message);
    void answer_lists(const ChannelPtr& channel);
    void send_lists(const ChannelPtr& channel);
    void on_block_request(const ChannelPtr& channel, const BlockRequestMessage& message);
    void on_pages_request(const ChannelPtr& channel, PagesRequestMessage& message);
    void add_wish(const ChannelPtr& channel, BlockWish wish);
    [[nodiscard]] bool charge(const ChannelPtr& channel, std::size_t bytes);
    void discharge(const ChannelPtr& channel, std::size_t bytes);
    void attach_partial(const ChannelPtr& channel, Fetch& fetch);
    void pump(const core::StationId& station);
    void read(const ChannelPtr& channel);
    void on_answer(const ChannelPtr& channel, Answer& answer, std::uint64_t bytes);
    void refuse(const ChannelPtr& channel, CannotReason reason, const std::string& text);
    void close(const ChannelPtr& channel);
    void forget_gone(const core::StationId& station);

    TransferContext& context_;
    FetchOf fetch_of_;
    std::map<core::StationId, std::unique_ptr<Peer>> peers_;
    // Channels that are served from a running fetch.
    std::multimap<core::Digest, std::weak_ptr<Channel>> partial_channels_;
    std::int64_t told_preparing_at_us_ = 0;
    // Jobs outlive this object only to find that it is gone.
    std::shared_ptr<Serve*> self_;
};

} // namespace stationsync::host
