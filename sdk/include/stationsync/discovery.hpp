// What an author of a discovery plugin derives from; see discovery.h for the full contract.
#pragma once

#include "discovery.h"
#include "host_ref.hpp"
#include "op.hpp"

namespace stationsync::sdk {

// A station as it was found, or our own; see stsync_peer.
struct Peer {
    std::string id;
    std::string station_id;
    std::string name;
    std::string project;
    std::vector<std::string> endpoints;
    std::vector<std::pair<std::string, std::string>> texts;
    std::uint32_t ttl_s = 0;
};

// Receives finds, on any thread, until stop returns. Copies refer to the same sink.
class DiscoverySink {
public:
    explicit DiscoverySink(const stsync_discovery_sink* sink) noexcept : sink_(sink) {}

    void found(const Peer& peer) const { send(sink_->found, peer); }
    void updated(const Peer& peer) const { send(sink_->updated, peer); }
    void lost(std::string_view id) const noexcept { sink_->lost(sink_->ctx, to_abi(id)); }
    void note(std::string_view text) const noexcept { sink_->note(sink_->ctx, to_abi(text)); }

private:
    template <class Function>
    void send(Function function, const Peer& peer) const {
        std::vector<stsync_str> endpoints;
        for (const std::string& endpoint : peer.endpoints)
            endpoints.push_back(to_abi(endpoint));
        std::vector<stsync_pair> texts;
        for (const auto& [name, value] : peer.texts)
            texts.push_back({to_abi(name), to_abi(value)});
        stsync_peer raw{};
        raw.size = sizeof raw;
        raw.ttl_s = peer.ttl_s;
        raw.id = to_abi(peer.id);
        raw.station_id = to_abi(peer.station_id);
        raw.name = to_abi(peer.name);
        raw.project = to_abi(peer.project);
        raw.endpoints = endpoints.data();
        raw.texts = texts.data();
        raw.endpoint_count = static_cast<std::uint32_t>(endpoints.size());
        raw.text_count = static_cast<std::uint32_t>(texts.size());
        function(sink_->ctx, &raw);
    }

    const stsync_discovery_sink* sink_;
};

// One configured instance. The host calls one function at a time; none may block for long.
class Discovery {
public:
    Discovery() = default;
    Discovery(const Discovery&) = delete;
    Discovery& operator=(const Discovery&) = delete;
    virtual ~Discovery() = default;

    virtual void start(Op& op, DiscoverySink sink) = 0;
    // Joins; called also when start has thrown or was not called.
    virtual void stop(Op& op) = 0;
    // Our own record; to be recognised in finds, and announced where the plugin can.
    virtual void announce(Op&, const Peer& /*self*/) {}
    virtual void withdraw(Op&) {}
    // Search now, for `hint` or, when it is empty, for all.
    virtual void probe(Op&, const std::string& /*hint*/) {}
};

} // namespace stationsync::sdk
