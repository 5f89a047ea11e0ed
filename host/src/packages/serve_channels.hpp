// What Serve keeps of each peer. For serve*.cpp only.
#pragma once

#include "packages/serve.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace stationsync::host {

struct Serve::Channel {
    core::StationId station;
    ChannelId id = 0;
    core::ObjectId object;
    PackageRef package;
    std::vector<PackageRef> base_refs;
    BlockLayout layout;
    bool small = false;
    bool closed = false;
    bool counted = false; // the provider is known to be ours: bytes count under its name
    bool has_turn = false;
    bool located_again = false;
    bool opening = false; // its files are on their way, even when the channel is closed by now

    ServedFilePtr file; // null while it is being located
    std::vector<ServedFilePtr> bases;
    BlockManifestPtr manifest;
    std::vector<BlockManifestPtr> base_manifests;
    bool loading_manifest = false;
    std::int64_t asked_at_us = 0; // the last question that takes its time

    bool partial = false; // served from a running fetch
    BlockSet announced;   // what of it the peer knows to be here
    std::deque<ManifestRequestMessage> lists;
    std::deque<BlockWish> wishes;
    std::size_t asked_bytes = 0; // memory of both

    [[nodiscard]] std::string_view provider() const {
        return counted ? std::string_view(object.provider) : std::string_view();
    }
    [[nodiscard]] bool is_preparing() const { return (!file && !partial) || loading_manifest; }
};

struct Serve::Peer {
    std::map<ChannelId, ChannelPtr> channels;
    std::deque<ChannelPtr> waiting; // for their turn to be opened
    std::deque<ChannelPtr> ready;   // have something to read; each at most once
    std::size_t turns = 0;          // channels that are being opened or are open
    bool starting = false;
    bool gone = false; // only kept until its jobs have ended: they count when it comes back
    std::uint64_t bytes_in_work = 0;
    std::size_t asked_bytes = 0;
};

// Files of one channel on their way.
struct Serve::Opening {
    std::optional<IoResult<LocatedPackage>> package;
    std::vector<std::optional<LocatedPackage>> bases;
    std::size_t replies_missing = 0;
    // After the job:
    IoResult<ServedFilePtr> file{ServedFilePtr{}};
    std::vector<ServedFilePtr> base_files;
    std::vector<BlockManifestPtr> base_manifests;
};

} // namespace stationsync::host
