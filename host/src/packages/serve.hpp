// Answers what other stations ask for. Engine thread; reading and compressing are the workers'.
//
// What a peer can make this station do is bounded: channels, wishes per channel, and bytes read but
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
    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] std::uint64_t bytes_in_flight() const;

private:
    struct Channel;
    struct Peer;
    struct Opening;
    using ChannelPtr = std::shared_ptr<Channel>;

    Peer& peer_of(const core::StationId& station);
    void on_open(const core::StationId& station, const OpenMessage& message);
    void open_partial(const ChannelPtr& channel, Fetch& fetch);
    void locate(const ChannelPtr& channel, const std::vector<PackageRef>& bases);
    void open_files(const ChannelPtr& channel, const std::shared_ptr<Opening>& opening);
    void on_files_open(const ChannelPtr& channel, Opening& opening);
    void on_list_request(const ChannelPtr& channel, const ManifestRequestMessage& message);
    void answer_lists(const ChannelPtr& channel);
    void send_lists(const ChannelPtr& channel);
    void on_block_request(const ChannelPtr& channel, const BlockRequestMessage& message);
    void on_pages_request(const ChannelPtr& channel, PagesRequestMessage& message);
    void add_wish(const ChannelPtr& channel, BlockWish wish);
    void attach_partial(const ChannelPtr& channel, Fetch& fetch);
    void pump(const core::StationId& station);
    void read(const ChannelPtr& channel);
    void on_answer(const ChannelPtr& channel, Answer& answer, std::uint64_t bytes);
    void refuse(const ChannelPtr& channel, CannotReason reason, const std::string& text);
    void close(const ChannelPtr& channel);

    TransferContext& context_;
    FetchOf fetch_of_;
    std::map<core::StationId, std::unique_ptr<Peer>> peers_;
    // Channels that are served from a running fetch.
    std::multimap<core::Digest, std::weak_ptr<Channel>> partial_channels_;
    // Jobs outlive this object only to find that it is gone.
    std::shared_ptr<Serve*> self_;
};

} // namespace stationsync::host
