// From the question for a package to its open files.
#include "packages/serve_channels.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {
// Per station. A peer runs at most 64 fetches (core's fetches_at_once), small ones in part at once:
// neither limit is met by one that means well.
constexpr std::size_t channels_max = 2048;
constexpr std::size_t turns_max = 64; // each has up to five files open
} // namespace

void Serve::on_open(const core::StationId& station, OpenMessage& message) {
    Peer& peer = peer_of(station);
    const auto channel = std::make_shared<Channel>();
    channel->station = station;
    channel->id = message.channel;
    channel->object = std::move(message.object);
    channel->package = message.package;
    const auto layout = layout_of(message.package.bytes);
    const bool fresh = !peer.channels.contains(message.channel);
    if (!fresh || !layout || layout->count == 0 || peer.channels.size() >= channels_max) {
        channel->closed = !fresh; // the answer must not end the channel that has the number
        refuse(channel, fresh && layout ? CannotReason::busy : CannotReason::bad_request,
               fresh && layout ? "the source has too many requests of this station"
                               : "the request makes no sense");
        return;
    }
    channel->layout = *layout;
    channel->small = layout->count == 1;
    channel->asked_at_us = monotonic_now_us();
    peer.channels.emplace(message.channel, channel);
    Fetch* const fetch = fetch_of_(message.package.digest);
    if (fetch != nullptr && fetch->partial() != nullptr && fetch->object() == channel->object) {
        open_partial(channel, *fetch);
        return;
    }
    if (!channel->small) {
        channel->base_refs = std::move(message.bases);
    }
    peer.waiting.push_back(channel);
    start_waiting(peer);
}

// A peer that opens and closes in a loop makes this station do no more than one that waits.
void Serve::start_waiting(Peer& peer) {
    if (std::exchange(peer.starting, true)) {
        return; // an answer came at once
    }
    while (!peer.waiting.empty() && peer.turns < turns_max) {
        const ChannelPtr channel = std::move(peer.waiting.front());
        peer.waiting.pop_front();
        ++peer.turns;
        channel->has_turn = true;
        channel->opening = true;
        locate(channel);
    }
    peer.starting = false;
}

void Serve::end_turn(const ChannelPtr& channel) {
    if (!channel->closed || channel->opening || !std::exchange(channel->has_turn, false)) {
        return;
    }
    if (const auto peer = peers_.find(channel->station); peer != peers_.end()) {
        --peer->second->turns;
        start_waiting(*peer->second);
    }
}

// False: the channel was closed meanwhile, or everything is over.
bool Serve::goes_on(const ChannelPtr& channel) {
    if (!channel->closed) {
        return true;
    }
    channel->opening = false;
    end_turn(channel);
    forget_gone(channel->station);
    return false;
}

void Serve::locate(const ChannelPtr& channel) {
    auto opening = std::make_shared<Opening>();
    const std::size_t base_count = channel->base_refs.size();
    opening->bases.resize(base_count);
    opening->replies_missing = 1 + base_count;
    const auto replied = [this, channel, opening, self = self_] {
        if (--opening->replies_missing == 0 && *self != nullptr && goes_on(channel)) {
            open_files(channel, opening);
        }
    };
    for (std::size_t index = 0; index < base_count; ++index) {
        context_.host.locate(channel->object, channel->base_refs[index],
                             [opening, index, replied](IoResult<LocatedPackage> located) {
                                 if (located) {
                                     opening->bases[index] = std::move(*located);
                                 }
                                 replied();
                             });
    }
    context_.host.locate(channel->object, channel->package,
                         [opening, replied](IoResult<LocatedPackage> located) {
                             opening->package = std::move(located);
                             replied();
                         });
}

void Serve::open_files(const ChannelPtr& channel, const std::shared_ptr<Opening>& opening) {
    if (!*opening->package) {
        channel->opening = false;
        refuse(channel, CannotReason::not_held, opening->package->error().text);
        return;
    }
    channel->counted = true;
    context_.pool.submit(
        [opening, package = channel->package, refs = channel->base_refs, layout = channel->layout,
         manifests = context_.manifests] {
            opening->file = ServedFile::open(**opening->package, package);
            for (std::size_t index = 0; index < opening->bases.size(); ++index) {
                ServedFilePtr base;
                if (opening->bases[index]) {
                    auto opened = ServedFile::open(*opening->bases[index], refs[index]);
                    if (opened && (*opened)->layout().block_bytes == layout.block_bytes) {
                        base = std::move(*opened);
                    }
                }
                const PackageRef& ref = refs[index];
                opening->base_manifests.push_back(base ? manifests.load({ref.digest, ref.bytes, 0})
                                                       : nullptr);
                opening->base_files.push_back(std::move(base));
            }
        },
        [this, self = self_, channel, opening] {
            if (*self != nullptr && goes_on(channel)) {
                channel->opening = false;
                on_files_open(channel, *opening);
            }
        });
}

void Serve::on_files_open(const ChannelPtr& channel, Opening& opening) {
    if (!opening.file) {
        // What was applied meanwhile had a file when it was located, and is served from the live
        // data now.
        const bool has_gone = opening.file.error().kind == IoErrorKind::not_found;
        if (has_gone && !std::exchange(channel->located_again, true)) {
            channel->opening = true;
            locate(channel);
            return;
        }
        refuse(channel, CannotReason::not_held, opening.file.error().text);
        return;
    }
    channel->file = std::move(*opening.file);
    channel->bases = std::move(opening.base_files);
    channel->base_manifests = std::move(opening.base_manifests);
    if (channel->small) {
        add_wish(channel, {});
        return;
    }
    OpenedMessage opened{channel->id, true, 0, {}};
    for (std::size_t index = 0; index < channel->bases.size(); ++index) {
        if (channel->bases[index]) {
            opened.bases_known = static_cast<std::uint8_t>(opened.bases_known | 1U << index);
        }
    }
    context_.outbox.send(channel->station, TransferLane::control, opened, channel->provider());
}

} // namespace stationsync::host
