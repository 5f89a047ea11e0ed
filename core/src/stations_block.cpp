// Blocking a station: decided by a person on any station, valid on all of them. The last word wins.
#include "stations_impl.hpp"

#include <limits>

namespace stationsync::core {

namespace {

// Nobody can say anything later than this; a stamp beyond it could never be taken back.
constexpr std::int64_t stamp_wall_max = 4'102'444'800'000'000; // 2100-01-01 UTC

Stamp later_than(const Stamp& stamp, WallTime now) {
    if (now.us > stamp.wall_us)
        return {now.us, 0};
    if (stamp.logical == std::numeric_limits<std::uint32_t>::max())
        return {stamp.wall_us + 1, 0};
    return {stamp.wall_us, stamp.logical + 1};
}

bool is_later(const BlockEntry& entry, const StationRecord& record) {
    return std::pair(entry.stamp, entry.by) > std::pair(record.blocked_stamp, record.blocked_by);
}

BlockEntry entry_of(const StationRecord& record) {
    return {record.id, record.blocked, record.blocked_stamp, record.blocked_by};
}

} // namespace

void Stations::Impl::apply_block(Peer& peer, const BlockEntry& entry) {
    if (!peer.record) {
        peer.record.emplace();
        peer.record->id = peer.id;
        peer.record->forgotten = record_hearsay;
        peer.record->last_seen = context.wall();
    }
    StationRecord& record = *peer.record;
    record.blocked = entry.blocked;
    record.blocked_stamp = entry.stamp;
    record.blocked_by = entry.by;
    store(peer);
    changed(peer);
    if (record.blocked)
        close_all(peer, "this station is blocked by \"" + name_of(entry.by) + '"');
    update_served(peer);
    claim_record(peer);
}

void Stations::Impl::spread_block(const BlockEntry& entry, const std::optional<StationId>& except) {
    for (const auto& [id, peer] : peers)
        if (peer.open && id != except && id != entry.id)
            context.out.after_durable(SendMessage{peer.session_link, BlockList{{entry}}});
}

void Stations::Impl::send_block_list(const Peer& to) {
    BlockList message;
    for (const auto& [id, peer] : peers) {
        if (!peer.record || peer.record->blocked_stamp == Stamp{} || id == to.id)
            continue;
        message.entries.push_back(entry_of(*peer.record));
        if (message.entries.size() == gossip_batch) {
            context.out.now(SendMessage{to.session_link, message});
            message.entries.clear();
        }
    }
    if (!message.entries.empty())
        context.out.now(SendMessage{to.session_link, std::move(message)});
}

void Stations::Impl::on_block_list(LinkId id, const BlockList& message) {
    const Link* link = find_link(id);
    const Peer* from = link == nullptr ? nullptr : find(link->station);
    if (from == nullptr || !may_gossip(*from))
        return;
    const StationId sender = from->id;
    for (const BlockEntry& entry : message.entries) {
        if (entry.id == context.config.self || entry.stamp.wall_us > stamp_wall_max ||
            entry.stamp == Stamp{})
            continue;
        const Peer* known = find(entry.id);
        const bool later = known == nullptr || !known->record || is_later(entry, *known->record);
        if (!later || (known == nullptr && peers.size() >= candidates_max))
            continue;
        apply_block(get(entry.id), entry);
        spread_block(entry, sender);
    }
}

void Stations::Impl::block_requested(const BlockRequested& event) {
    const char* const command = event.blocked ? "block" : "unblock";
    std::string const subject = to_text(event.id);
    if (event.id == context.config.self) {
        context.out.now(CommandAnswered{command, subject, false,
                                        "a station cannot block itself; do it on another one"});
        return;
    }
    const Peer* known = find(event.id);
    const bool blocked = known != nullptr && known->record && known->record->blocked;
    if (blocked == event.blocked) {
        context.out.now(CommandAnswered{command, subject, true,
                                        blocked ? "it is blocked already" : "it is not blocked"});
        return;
    }
    Peer& peer = get(event.id);
    const Stamp before = peer.record ? peer.record->blocked_stamp : Stamp{};
    const BlockEntry entry{event.id, event.blocked, later_than(before, context.wall()),
                           context.config.self};
    apply_block(peer, entry);
    spread_block(entry, std::nullopt);
    context.out.after_durable(CommandAnswered{
        command, subject, true,
        '"' + name_of(event.id) + (event.blocked ? "\" is blocked" : "\" is no longer blocked") +
            "; the other stations hear of it"});
}

} // namespace stationsync::core
