#include "packages/serve_channels.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {
constexpr std::size_t wishes_max = 4096; // per channel, blocks
constexpr std::size_t lists_max = 256;   // per channel, ranges
// Per station: several times what the window of a whole station takes.
constexpr std::size_t asked_bytes_max = std::size_t{4} << 20;
constexpr std::size_t blocks_per_job = 8;

std::size_t bytes_of(const BlockWish& wish) {
    return sizeof wish + wish.old_pages.size() * sizeof(PageHash);
}
} // namespace

Serve::Serve(TransferContext& context, FetchOf fetch_of)
    : context_(context), fetch_of_(std::move(fetch_of)), self_(std::make_shared<Serve*>(this)) {}

Serve::~Serve() {
    *self_ = nullptr;
}

Serve::Peer& Serve::peer_of(const core::StationId& station) {
    auto& peer = peers_[station];
    if (!peer) {
        peer = std::make_unique<Peer>();
    }
    return *peer;
}

void Serve::on_message(const core::StationId& station, TransferMessage& message) {
    peer_of(station).gone = false;
    if (auto* const open = std::get_if<OpenMessage>(&message)) {
        on_open(station, *open);
        return;
    }
    const ChannelId id = std::visit([](const auto& any) { return any.channel; }, message);
    const auto& channels = peer_of(station).channels;
    const auto found = channels.find(id);
    if (found == channels.end()) {
        return; // closed here meanwhile
    }
    const ChannelPtr channel = found->second;
    if (const auto* const list = std::get_if<ManifestRequestMessage>(&message)) {
        on_list_request(channel, *list);
    } else if (const auto* const blocks = std::get_if<BlockRequestMessage>(&message)) {
        on_block_request(channel, *blocks);
    } else if (auto* const pages = std::get_if<PagesRequestMessage>(&message)) {
        on_pages_request(channel, *pages);
    } else if (std::holds_alternative<CloseMessage>(message)) {
        close(channel);
    }
}

void Serve::open_partial(const ChannelPtr& channel, Fetch& fetch) {
    channel->partial = true;
    channel->counted = true;
    channel->announced = BlockSet(channel->layout.count);
    partial_channels_.emplace(channel->package.digest, channel);
    attach_partial(channel, fetch);
    OpenedMessage opened{channel->id, false, 0, channel->announced.runs(runs_max)};
    context_.outbox.send(channel->station, TransferLane::control, opened, channel->provider());
}

// Takes over what the fetch has by now; the caller tells the peer.
void Serve::attach_partial(const ChannelPtr& channel, Fetch& fetch) {
    const PartialPackage& partial = *fetch.partial();
    if (!channel->file && partial.file) {
        channel->file = std::make_shared<ServedFile>(partial.file);
    }
    if (channel->file) {
        channel->announced = partial.blocks;
        channel->manifest = partial.manifest;
    }
}

void Serve::on_list_request(const ChannelPtr& channel, const ManifestRequestMessage& message) {
    const bool fits = message.range.first < channel->layout.count &&
                      message.range.count <= channel->layout.count - message.range.first;
    if (!fits || channel->lists.size() >= lists_max || channel->small) {
        refuse(channel, CannotReason::bad_request, "the request makes no sense");
        return;
    }
    if (!charge(channel, sizeof message)) {
        return;
    }
    channel->asked_at_us = monotonic_now_us();
    channel->lists.push_back(message);
    answer_lists(channel);
}

void Serve::answer_lists(const ChannelPtr& channel) {
    if (channel->manifest) {
        send_lists(channel);
        return;
    }
    // A partial package gets its list with the fetch.
    if (channel->partial || channel->loading_manifest || !channel->file) {
        return;
    }
    channel->loading_manifest = true;
    const auto loaded = std::make_shared<IoResult<BlockManifestPtr>>(BlockManifestPtr{});
    context_.pool.submit(
        [loaded, file = channel->file, package = channel->package, manifests = context_.manifests] {
            *loaded = manifests.load_or_compute({package.digest, package.bytes, 0}, file->path());
        },
        [this, self = self_, channel, loaded] {
            if (*self == nullptr || channel->closed) {
                return;
            }
            channel->loading_manifest = false;
            if (!*loaded) {
                refuse(channel, CannotReason::changed, loaded->error().text);
                return;
            }
            channel->manifest = std::move(**loaded);
            send_lists(channel);
        });
}

void Serve::send_lists(const ChannelPtr& channel) {
    while (!channel->lists.empty() && context_.outbox.is_writable(channel->station)) {
        const ManifestRequestMessage request = channel->lists.front();
        channel->lists.pop_front();
        discharge(channel, sizeof request);
        const BlockManifest* const base = request.base < channel->base_manifests.size()
                                              ? channel->base_manifests[request.base].get()
                                              : nullptr;
        context_.outbox.send(channel->station, TransferLane::blocks,
                             list_range(*channel->manifest, base, channel->id, request.range),
                             channel->provider());
    }
}

void Serve::on_block_request(const ChannelPtr& channel, const BlockRequestMessage& message) {
    for (const BlockRun& run : message.runs) {
        for (std::uint32_t index = run.first; index < run.first + run.count; ++index) {
            add_wish(channel, {index, message.base, {}});
            if (channel->closed) {
                return;
            }
        }
    }
}

void Serve::on_pages_request(const ChannelPtr& channel, PagesRequestMessage& message) {
    add_wish(channel, {message.block, no_base, std::move(message.old_pages)});
}

void Serve::add_wish(const ChannelPtr& channel, BlockWish wish) {
    const bool here = channel->file && wish.index < channel->layout.count &&
                      (!channel->partial || channel->announced.has(wish.index));
    if (!here || channel->wishes.size() >= wishes_max) {
        refuse(channel, CannotReason::bad_request,
               here ? "the source has too many requests of this station"
                    : "the source was asked for a block that it does not have");
        return;
    }
    if (!charge(channel, bytes_of(wish))) {
        return;
    }
    channel->wishes.push_back(std::move(wish));
    if (channel->wishes.size() == 1) {
        peer_of(channel->station).ready.push_back(channel);
    }
    pump(channel->station);
}

// Counts what a question takes of this station's memory. False: refused, that is too much.
bool Serve::charge(const ChannelPtr& channel, std::size_t bytes) {
    Peer& peer = peer_of(channel->station);
    if (peer.asked_bytes + bytes > asked_bytes_max) {
        refuse(channel, CannotReason::busy, "the source has too many requests of this station");
        return false;
    }
    peer.asked_bytes += bytes;
    channel->asked_bytes += bytes;
    return true;
}

void Serve::discharge(const ChannelPtr& channel, std::size_t bytes) {
    channel->asked_bytes -= bytes;
    if (const auto peer = peers_.find(channel->station); peer != peers_.end()) {
        peer->second->asked_bytes -= bytes;
    }
}

void Serve::pump(const core::StationId& station) {
    Peer& peer = peer_of(station);
    while (!peer.ready.empty() && context_.outbox.is_writable(station) &&
           peer.bytes_in_work < context_.options.serve_window_bytes) {
        const ChannelPtr channel = std::move(peer.ready.front());
        peer.ready.pop_front();
        if (!channel->closed) {
            read(channel); // puts it back at the end when there is more: all get their turn
        }
    }
}

void Serve::read(const ChannelPtr& channel) {
    Peer& peer = peer_of(channel->station);
    std::vector<BlockWish> wishes;
    while (!channel->wishes.empty() && wishes.size() < blocks_per_job) {
        discharge(channel, bytes_of(channel->wishes.front()));
        wishes.push_back(std::move(channel->wishes.front()));
        channel->wishes.pop_front();
    }
    if (!channel->wishes.empty()) {
        peer.ready.push_back(channel);
    }
    const std::uint64_t bytes = wishes.size() * std::uint64_t{channel->layout.block_bytes};
    peer.bytes_in_work += bytes;
    const auto answer = std::make_shared<Answer>();
    context_.pool.submit(
        [answer, file = channel->file, bases = channel->bases, id = channel->id,
         small = channel->small, package = channel->package, wishes = std::move(wishes)] {
            *answer =
                small ? read_small(*file, id, package) : read_blocks(*file, bases, id, wishes);
        },
        [this, self = self_, channel, answer, bytes] {
            if (*self != nullptr) {
                on_answer(channel, *answer, bytes);
            }
        });
}

void Serve::on_answer(const ChannelPtr& channel, Answer& answer, std::uint64_t bytes) {
    const auto peer = peers_.find(channel->station);
    if (peer == peers_.end()) {
        return;
    }
    peer->second->bytes_in_work -= std::min(bytes, peer->second->bytes_in_work);
    if (!channel->closed) {
        if (answer.cannot) {
            refuse(channel, answer.cannot->reason, answer.cannot->text);
        } else {
            for (std::vector<std::byte>& frame : answer.frames) {
                context_.outbox.send_frame(channel->station, TransferLane::blocks, std::move(frame),
                                           channel->provider());
            }
            if (channel->small) {
                close(channel);
            }
        }
    }
    pump(channel->station);
    forget_gone(channel->station);
}

void Serve::refuse(const ChannelPtr& channel, CannotReason reason, const std::string& text) {
    // On the lane of the blocks, so that it does not overtake those that are on their way; but a
    // peer that reads nothing must not fill that one with refusals.
    const TransferLane lane = context_.outbox.is_writable(channel->station) ? TransferLane::blocks
                                                                            : TransferLane::control;
    context_.outbox.send(channel->station, lane, CannotMessage{channel->id, reason, text},
                         channel->provider());
    close(channel);
}

void Serve::close(const ChannelPtr& channel) {
    if (std::exchange(channel->closed, true)) {
        return;
    }
    channel->wishes.clear();
    channel->lists.clear();
    discharge(channel, channel->asked_bytes);
    const auto peer = peers_.find(channel->station);
    if (peer != peers_.end()) {
        peer->second->channels.erase(channel->id);
        if (!channel->has_turn) {
            std::erase(peer->second->waiting, channel);
        }
    }
    if (channel->partial) {
        const auto [first, last] = partial_channels_.equal_range(channel->package.digest);
        for (auto entry = first; entry != last; ++entry) {
            if (entry->second.lock() == channel) {
                partial_channels_.erase(entry);
                break;
            }
        }
    }
    // Closing files is the workers'.
    if (channel->file) {
        context_.pool.submit([file = std::exchange(channel->file, nullptr),
                              bases = std::exchange(channel->bases, {})] {},
                             {});
    }
    end_turn(channel);
}

void Serve::on_writable(const core::StationId& station) {
    const auto peer = peers_.find(station);
    if (peer == peers_.end()) {
        return;
    }
    for (const auto& [id, channel] : peer->second->channels) {
        if (channel->manifest && !channel->lists.empty()) {
            send_lists(channel);
        }
    }
    pump(station);
}

void Serve::on_station_gone(const core::StationId& station) {
    const auto peer = peers_.find(station);
    if (peer == peers_.end()) {
        return;
    }
    peer->second->waiting.clear();
    while (!peer->second->channels.empty()) {
        const ChannelPtr channel = peer->second->channels.begin()->second; // outlives its entry
        close(channel);
    }
    peer->second->gone = true;
    forget_gone(station);
}

// Once its jobs have ended as well: a station that comes and goes has no more of them than others.
void Serve::forget_gone(const core::StationId& station) {
    const auto peer = peers_.find(station);
    if (peer != peers_.end() && peer->second->gone && !peer->second->starting &&
        peer->second->turns == 0 && peer->second->bytes_in_work == 0) {
        peers_.erase(peer);
    }
}

void Serve::tick(std::int64_t now_us) {
    if (now_us - told_preparing_at_us_ < context_.options.preparing_us) {
        return;
    }
    told_preparing_at_us_ = now_us;
    for (const auto& [station, peer] : peers_) {
        for (const auto& [id, channel] : peer->channels) {
            const std::int64_t waited_us = now_us - channel->asked_at_us;
            const bool late = waited_us >= context_.options.preparing_us;
            const bool hangs = waited_us > context_.options.preparing_max_us;
            if (channel->is_preparing() && late && !hangs) {
                context_.outbox.send(station, TransferLane::control, HaveMessage{id, {}},
                                     channel->provider());
            }
        }
    }
}

void Serve::on_link_lost(const core::StationId& station) {
    const auto peer = peers_.find(station);
    if (peer == peers_.end()) {
        return;
    }
    peer->second->waiting.clear();
    while (!peer->second->channels.empty()) {
        const ChannelPtr channel = peer->second->channels.begin()->second; // outlives its entry
        refuse(channel, CannotReason::lost, "what was on its way was lost with a link");
    }
}

void Serve::on_advanced(Fetch& fetch) {
    const auto [first, last] = partial_channels_.equal_range(fetch.package().digest);
    for (auto entry = first; entry != last; ++entry) {
        const ChannelPtr channel = entry->second.lock();
        if (!channel || channel->closed) {
            continue;
        }
        const BlockSet before = channel->announced;
        attach_partial(channel, fetch);
        std::vector<std::uint32_t> fresh;
        for (std::uint32_t index = 0; index < channel->layout.count; ++index) {
            if (channel->announced.has(index) && !before.has(index)) {
                fresh.push_back(index);
            }
        }
        std::vector<BlockRun> runs = runs_of(std::move(fresh));
        if (!runs.empty()) {
            runs.resize(std::min(runs.size(), runs_max));
            context_.outbox.send(channel->station, TransferLane::control,
                                 HaveMessage{channel->id, std::move(runs)}, channel->provider());
        }
        answer_lists(channel);
    }
}

void Serve::on_fetch_ended(Fetch& fetch, bool complete) {
    if (complete) {
        on_advanced(fetch); // all of it; the open file stays readable under its new name
        return;
    }
    std::vector<ChannelPtr> channels;
    const auto [first, last] = partial_channels_.equal_range(fetch.package().digest);
    for (auto entry = first; entry != last; ++entry) {
        if (const ChannelPtr channel = entry->second.lock()) {
            channels.push_back(channel);
        }
    }
    for (const ChannelPtr& channel : channels) {
        refuse(channel, CannotReason::not_held, "the source has stopped fetching the package");
    }
}

bool Serve::is_busy() const {
    return std::any_of(peers_.begin(), peers_.end(),
                       [](const auto& peer) { return !peer.second->channels.empty(); });
}

std::uint64_t Serve::bytes_in_flight() const {
    std::uint64_t bytes = 0;
    for (const auto& [station, peer] : peers_) {
        bytes += peer->bytes_in_work;
    }
    return bytes;
}

} // namespace stationsync::host
