#include "packages/serve.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {
constexpr std::size_t channels_max = 8192; // per station
constexpr std::size_t wishes_max = 4096;   // per channel, blocks
constexpr std::size_t lists_max = 256;     // per channel, ranges
constexpr std::size_t blocks_per_job = 8;
} // namespace

struct Serve::Channel {
    core::StationId station;
    ChannelId id = 0;
    core::ObjectId object;
    PackageRef package;
    BlockLayout layout;
    bool small = false;
    bool closed = false;
    bool counted = false; // the provider is known to be ours: bytes count under its name

    ServedFilePtr file; // null while it is being located
    std::vector<ServedFilePtr> bases;
    BlockManifestPtr manifest;
    std::vector<BlockManifestPtr> base_manifests;
    bool loading_manifest = false;

    bool partial = false; // served from a running fetch
    BlockSet announced;   // what of it the peer knows to be here
    std::deque<ManifestRequestMessage> lists;
    std::deque<BlockWish> wishes;

    [[nodiscard]] std::string_view provider() const {
        return counted ? std::string_view(object.provider) : std::string_view();
    }
};

struct Serve::Peer {
    std::map<ChannelId, ChannelPtr> channels;
    std::deque<ChannelPtr> ready; // have something to read; each at most once
    std::uint64_t bytes_in_work = 0;
};

// Files of one channel on their way.
struct Serve::Opening {
    std::optional<IoResult<LocatedPackage>> package;
    std::vector<std::optional<LocatedPackage>> bases;
    std::vector<PackageRef> base_refs;
    std::size_t replies_missing = 0;
    // After the job:
    IoResult<ServedFilePtr> file{ServedFilePtr{}};
    std::vector<ServedFilePtr> base_files;
    std::vector<BlockManifestPtr> base_manifests;
};

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
    if (const auto* const open = std::get_if<OpenMessage>(&message)) {
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

void Serve::on_open(const core::StationId& station, const OpenMessage& message) {
    Peer& peer = peer_of(station);
    const auto channel = std::make_shared<Channel>();
    channel->station = station;
    channel->id = message.channel;
    channel->object = message.object;
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
    peer.channels.emplace(message.channel, channel);
    Fetch* const fetch = fetch_of_(message.package.digest);
    if (fetch != nullptr && fetch->partial() != nullptr && fetch->object() == message.object) {
        open_partial(channel, *fetch);
    } else {
        locate(channel, message.bases);
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

void Serve::locate(const ChannelPtr& channel, const std::vector<PackageRef>& bases) {
    auto opening = std::make_shared<Opening>();
    const std::size_t base_count = channel->small ? 0 : bases.size();
    opening->bases.resize(base_count);
    opening->base_refs.assign(bases.begin(),
                              bases.begin() + static_cast<std::ptrdiff_t>(base_count));
    opening->replies_missing = 1 + base_count;
    const auto replied = [this, channel, opening, self = self_] {
        if (--opening->replies_missing == 0 && *self != nullptr && !channel->closed) {
            open_files(channel, opening);
        }
    };
    for (std::size_t index = 0; index < base_count; ++index) {
        context_.host.locate(channel->object, bases[index],
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
        refuse(channel, CannotReason::not_held, opening->package->error().text);
        return;
    }
    channel->counted = true;
    context_.pool.submit(
        [opening, package = channel->package, layout = channel->layout,
         manifests = context_.manifests] {
            opening->file = ServedFile::open(**opening->package, package);
            for (std::size_t index = 0; index < opening->bases.size(); ++index) {
                ServedFilePtr base;
                if (opening->bases[index]) {
                    auto opened =
                        ServedFile::open(*opening->bases[index], opening->base_refs[index]);
                    if (opened && (*opened)->layout().block_bytes == layout.block_bytes) {
                        base = std::move(*opened);
                    }
                }
                const PackageRef& ref = opening->base_refs[index];
                opening->base_manifests.push_back(base ? manifests.load({ref.digest, ref.bytes, 0})
                                                       : nullptr);
                opening->base_files.push_back(std::move(base));
            }
        },
        [this, self = self_, channel, opening] {
            if (*self != nullptr && !channel->closed) {
                on_files_open(channel, *opening);
            }
        });
}

void Serve::on_files_open(const ChannelPtr& channel, Opening& opening) {
    if (!opening.file) {
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

void Serve::on_list_request(const ChannelPtr& channel, const ManifestRequestMessage& message) {
    const bool fits = message.range.first < channel->layout.count &&
                      message.range.count <= channel->layout.count - message.range.first;
    if (!fits || channel->lists.size() >= lists_max || channel->small) {
        refuse(channel, CannotReason::bad_request, "the request makes no sense");
        return;
    }
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
    channel->wishes.push_back(std::move(wish));
    if (channel->wishes.size() == 1) {
        peer_of(channel->station).ready.push_back(channel);
    }
    pump(channel->station);
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
}

void Serve::refuse(const ChannelPtr& channel, CannotReason reason, const std::string& text) {
    // On the lane of the blocks, so that it does not overtake those that are on their way.
    context_.outbox.send(channel->station, TransferLane::blocks,
                         CannotMessage{channel->id, reason, text}, channel->provider());
    close(channel);
}

void Serve::close(const ChannelPtr& channel) {
    if (std::exchange(channel->closed, true)) {
        return;
    }
    channel->wishes.clear();
    channel->lists.clear();
    const auto peer = peers_.find(channel->station);
    if (peer != peers_.end()) {
        peer->second->channels.erase(channel->id);
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
    // The last reference may remove a temporary file: not on this thread.
    context_.pool.submit([file = std::exchange(channel->file, nullptr),
                          bases = std::exchange(channel->bases, {})] {},
                         {});
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
    while (!peer->second->channels.empty()) {
        const ChannelPtr channel = peer->second->channels.begin()->second; // outlives its entry
        close(channel);
    }
    peers_.erase(peer);
}

void Serve::on_link_lost(const core::StationId& station) {
    const auto peer = peers_.find(station);
    if (peer == peers_.end()) {
        return;
    }
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
