// What stations tell each other of third ones, and what is remembered of them: hints, never
// identity.
#include "stations_impl.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t address_bytes_max = 300;
constexpr char wrong_key_message[] = "station-wrong-key";

bool is_usable(const std::string& address) {
    return !address.empty() && address.size() <= address_bytes_max &&
           address.find(':') != std::string::npos;
}

} // namespace

std::string_view host_of(std::string_view address) {
    return address.substr(0, address.rfind(':'));
}

std::string_view bare_host_of(std::string_view address) {
    std::string_view host = host_of(address);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    return host;
}

std::string record_claim(const StationId& id) {
    return "s/" + to_text(id);
}

std::string candidate_claim(const std::string& origin, const std::string& handle) {
    return "c/" + origin + '\0' + handle;
}

std::vector<std::string> reachable_addresses(const std::vector<std::string>& listens,
                                             const std::string& peer_address) {
    std::vector<std::string> reachable;
    for (const std::string& address : listens) {
        if (!is_usable(address))
            continue;
        std::string_view const host = host_of(address);
        const bool everywhere = host.empty() || host == "0.0.0.0" || host == "[::]";
        std::string text = address;
        if (everywhere && !is_usable(peer_address))
            continue;
        if (everywhere)
            text = std::string(host_of(peer_address)) + address.substr(host.size());
        if (std::find(reachable.begin(), reachable.end(), text) == reachable.end())
            reachable.push_back(std::move(text));
    }
    return reachable;
}

void Stations::Impl::store(const Peer& peer) {
    context.out.mutate(PutStation{*peer.record});
}

void Stations::Impl::claim_record(const Peer& peer) {
    if (peer.record && peer.record->forgotten != record_hidden && !peer.record->addresses.empty())
        dialling.claim(record_claim(peer.id), peer.id,
                       peer.record->forgotten == record_announced ? CandidateSource::discovered
                                                                  : CandidateSource::introduced,
                       peer.record->addresses);
    else
        dialling.withdraw(record_claim(peer.id));
}

// Good addresses go to the front. True when the list changed.
bool Stations::Impl::add_addresses(StationRecord& record, const std::vector<std::string>& addresses,
                                   bool good) {
    const std::vector<std::string> before = record.addresses;
    for (const std::string& address : addresses) {
        const auto place = std::find(record.addresses.begin(), record.addresses.end(), address);
        if (!is_usable(address) || (place != record.addresses.end() && !good))
            continue;
        if (place != record.addresses.end())
            record.addresses.erase(place);
        record.addresses.insert(good ? record.addresses.begin() : record.addresses.end(), address);
    }
    if (record.addresses.size() > record_addresses_max)
        record.addresses.resize(record_addresses_max);
    return record.addresses != before;
}

// A station with a link: it was seen, by itself. `good`: a dial reached it at these addresses; what
// it says of itself is a hint.
void Stations::Impl::remember(Peer& peer, const std::string& name,
                              const std::vector<std::string>& addresses, bool good) {
    bool news = !peer.record || peer.record->forgotten != record_seen;
    if (!peer.record) {
        peer.record.emplace();
        peer.record->id = peer.id;
    }
    StationRecord& record = *peer.record;
    record.forgotten = record_seen;
    const std::string shown = shown_text(name, name_bytes_max);
    if (!shown.empty() && record.name != shown) {
        record.name = shown;
        news = true;
    }
    if (add_addresses(record, addresses, good))
        news = true;
    if (news)
        claim_record(peer);
    if (news || context.wall() - record.last_seen > sweep_interval) {
        record.last_seen = context.wall();
        store(peer);
        changed(peer);
    }
    if (news)
        note_introducible(peer.id);
}

void Stations::Impl::note_last_seen(Peer& peer) {
    if (!peer.record)
        return;
    peer.record->last_seen = context.wall();
    store(peer);
}

// ---- candidates ------------------------------------------------------------------------------

void Stations::Impl::candidate_found(const CandidateFound& event) {
    if (event.id == context.config.self)
        return;
    const auto key = std::pair(event.origin, event.handle);
    auto place = candidates.find(key);
    const bool again = place != candidates.end();
    if (!again && candidates.size() >= candidates_max)
        return;
    const bool same = again && place->second.found.addresses == event.addresses &&
                      place->second.found.id == event.id;
    Candidate& candidate = candidates[key];
    for (const std::string& address : candidate.found.addresses)
        if (std::find(event.addresses.begin(), event.addresses.end(), address) ==
            event.addresses.end())
            clear_wrong_key(address);
    candidate.found = event;
    std::erase_if(candidate.found.addresses,
                  [](const std::string& address) { return !is_usable(address); });
    candidate.foreign = !event.project.empty() && event.project != context.config.project;
    std::string const claim = candidate_claim(event.origin, event.handle);
    if (candidate.foreign || !event.not_dialled.empty()) {
        dialling.withdraw(claim);
        return;
    }
    Peer* peer = event.id ? find(*event.id) : nullptr;
    if (peer != nullptr && peer->record && peer->record->forgotten == record_hidden) {
        peer->record->forgotten = record_announced; // seen again by discovery
        store(*peer);
        changed(*peer);
    }
    const bool configured = event.source == CandidateSource::configured;
    dialling.claim(claim, configured ? std::nullopt : event.id, event.source,
                   candidate.found.addresses);
    if (again && same)
        dialling.hurry_claim(claim);
    if (event.id && !configured)
        hear_of(*event.id, event.name, candidate.found.addresses,
                event.source == CandidateSource::discovered ? record_announced : record_hearsay);
}

void Stations::Impl::candidate_lost(const CandidateLost& event) {
    const auto place = candidates.find({event.origin, event.handle});
    if (place == candidates.end())
        return;
    const CandidateFound found = std::move(place->second.found);
    for (const std::string& address : found.addresses)
        clear_wrong_key(address);
    candidates.erase(place);
    dialling.withdraw(candidate_claim(event.origin, event.handle));
    // Its record stays for the next start; whoever took its leave is not dialled until then.
    const Peer* peer = found.id ? find(*found.id) : nullptr;
    const bool is_found_elsewhere =
        std::any_of(candidates.begin(), candidates.end(),
                    [&found](const auto& entry) { return entry.second.found.id == found.id; });
    if (peer != nullptr && peer->record && peer->record->forgotten == record_announced &&
        !is_found_elsewhere)
        dialling.withdraw(record_claim(peer->id));
}

void Stations::Impl::dial_failed(const DialFailed& event) {
    std::string const address = dialling.failed(event);
    if (address.empty())
        return;
    if (!event.wrong_key) {
        clear_wrong_key(address);
        return;
    }
    if (!wrong_key_told.insert(address).second)
        return;
    clear_wrong_key(std::string(bare_host_of(address))); // one message, the one that says more
    context.out.now(make_message(
        wrong_key_message, address,
        {{"text", wrong_key_text(name_at(address), address, context.config.project)}}));
}

// Somebody knocks and does not become a link: no identity is proven, so only its host can be shown.
void Stations::Impl::incoming_refused(const IncomingRefused& event) {
    const Instant now = context.instant();
    if (!refused.contains(event.host) && refused.size() >= refusals_max)
        return;
    refused[event.host] = {event, now};
    timers.set_if_none({TimerKind::refusals, {}, {}}, now + refusal_shown);
    const bool is_told = std::any_of(
        wrong_key_told.begin(), wrong_key_told.end(),
        [&event](const std::string& address) { return bare_host_of(address) == event.host; });
    if (!event.wrong_key || is_told || !wrong_key_told.insert(event.host).second)
        return;
    context.out.now(make_message(
        wrong_key_message, event.host,
        {{"text", wrong_key_text(name_at(event.host), event.host, context.config.project)}}));
}

// Who no longer knocks is no longer told of.
void Stations::Impl::forget_refusals() {
    const Instant now = context.instant();
    for (auto place = refused.begin(); place != refused.end();) {
        const bool old = now - place->second.at >= refusal_shown;
        if (old)
            clear_wrong_key(place->first);
        place = old ? refused.erase(place) : std::next(place);
    }
    if (!refused.empty())
        timers.set({TimerKind::refusals, {}, {}}, now + refusal_shown);
}

// A link with that address stands: what was wrong there is mended.
void Stations::Impl::clear_wrong_key(const std::string& address) {
    if (wrong_key_told.erase(address) != 0)
        context.out.now(ClearMessage{wrong_key_message, address});
}

// The name that discovery gave for an address or host.
std::string Stations::Impl::name_at(const std::string& address) const {
    for (const auto& [key, candidate] : candidates) {
        const auto& addresses = candidate.found.addresses;
        const auto is_it = [&](const std::string& known) {
            return known == address || bare_host_of(known) == address;
        };
        if (!candidate.found.name.empty() && std::any_of(addresses.begin(), addresses.end(), is_it))
            return candidate.found.name;
    }
    return {};
}

bool Stations::Impl::has_room_for(std::uint64_t told_by) const {
    const auto count = std::count_if(peers.begin(), peers.end(), [told_by](const auto& entry) {
        return entry.second.record && entry.second.record->forgotten == told_by;
    });
    return static_cast<std::size_t>(count) <
           (told_by == record_announced ? announced_records_max : hearsay_records_max);
}

// Somebody told of a station that we have no link to. `told_by`: record_hearsay or
// record_announced.
void Stations::Impl::hear_of(const StationId& id, const std::string& name,
                             const std::vector<std::string>& addresses, std::uint64_t told_by) {
    if (id == context.config.self)
        return;
    Peer* known = find(id);
    if (known == nullptr || !known->record) {
        if (!has_room_for(told_by))
            return;
        Peer& peer = get(id);
        peer.record.emplace();
        peer.record->id = id;
        peer.record->name = shown_text(name, name_bytes_max);
        peer.record->forgotten = told_by;
        peer.record->last_seen = context.wall();
        known = &peer;
    } else if (known->record->forgotten == record_hidden ||
               (told_by == record_announced && known->record->forgotten != record_announced)) {
        return; // what is better known takes no address of an announcement for good
    } else if (known->record->forgotten == told_by || known->record->forgotten == record_seen) {
        const auto& have = known->record->addresses;
        const std::string shown = shown_text(name, name_bytes_max);
        const bool renamed = known->record->forgotten == record_announced && !shown.empty() &&
                             shown != known->record->name;
        if (renamed)
            known->record->name = shown;
        if (!renamed &&
            std::all_of(addresses.begin(), addresses.end(), [&have](const std::string& address) {
                return std::find(have.begin(), have.end(), address) != have.end();
            }))
            return;
    }
    StationRecord& record = *known->record;
    if (record.forgotten == record_announced)
        record.forgotten = told_by;
    if (record.name.empty())
        record.name = shown_text(name, name_bytes_max);
    // A full list keeps what once worked at its front and gives up its oldest hint.
    if (record.addresses.size() >= record_addresses_max)
        record.addresses.pop_back();
    add_addresses(record, addresses, false);
    claim_record(*known);
    store(*known);
    changed(*known);
}

// ---- introductions ---------------------------------------------------------------------------

void Stations::Impl::note_introducible(const StationId& id) {
    to_introduce.insert(id);
    timers.set_if_none({TimerKind::introduce, {}, {}}, context.instant() + introduce_pause);
}

// Only stations that we saw ourselves: what is passed on again and again never grows old.
std::optional<Introduction> Stations::Impl::introduction_of(const StationId& id) const {
    const Peer* peer = find(id);
    if (peer == nullptr || !peer->record)
        return std::nullopt;
    const StationRecord& record = *peer->record;
    if (record.blocked || record.forgotten != record_seen || record.addresses.empty())
        return std::nullopt;
    return Introduction{id, record.name, record.addresses};
}

void Stations::Impl::introduce_all(const Peer& to) {
    Introductions message;
    for (const auto& [id, peer] : peers) {
        std::optional<Introduction> introduction = introduction_of(id);
        if (id == to.id || !introduction)
            continue;
        message.stations.push_back(std::move(*introduction));
        if (message.stations.size() == gossip_batch) {
            context.out.now(SendMessage{to.session_link, message});
            message.stations.clear();
        }
    }
    if (!message.stations.empty())
        context.out.now(SendMessage{to.session_link, std::move(message)});
}

void Stations::Impl::introduce_changes() {
    Introductions all;
    for (const StationId& id : to_introduce)
        if (std::optional<Introduction> introduction = introduction_of(id))
            all.stations.push_back(std::move(*introduction));
    to_introduce.clear();
    for (const auto& [id, peer] : peers) {
        if (!peer.told_open || !peer.open)
            continue;
        Introductions message = all;
        std::erase_if(message.stations,
                      [&own = id](const Introduction& entry) { return entry.id == own; });
        if (!message.stations.empty())
            context.out.now(SendMessage{peer.session_link, std::move(message)});
    }
}

// Who is not of our project, or is not one station, tells us nothing of others.
bool Stations::Impl::may_gossip(const Peer& peer) const {
    return peer.active && peer.runs.at(*peer.active).profile && !peer.cloned && !peer.rejected;
}

void Stations::Impl::on_introductions(LinkId id, const Introductions& message) {
    const Link* link = find_link(id);
    const Peer* peer = link == nullptr ? nullptr : find(link->station);
    if (peer == nullptr || !may_gossip(*peer))
        return;
    std::size_t const count = std::min(message.stations.size(), gossip_batch * 4);
    for (std::size_t i = 0; i < count; ++i) {
        const Introduction& entry = message.stations[i];
        std::vector<std::string> addresses = entry.addresses;
        if (addresses.size() > record_addresses_max)
            addresses.resize(record_addresses_max);
        if (entry.id != peer->id)
            hear_of(entry.id, entry.name, addresses, record_hearsay);
    }
}

// ---- forgetting ------------------------------------------------------------------------------

void Stations::Impl::erase_record(Peer& peer) {
    dialling.withdraw(record_claim(peer.id));
    for (const std::string& address : peer.record->addresses)
        clear_wrong_key(address);
    // A block outlives everything, else an old one could come back by hearsay.
    if (peer.record->blocked_stamp != Stamp{}) {
        peer.record->forgotten = record_hidden;
        peer.record->addresses.clear();
        store(peer);
    } else {
        context.out.mutate(EraseStation{peer.id});
        peer.record.reset();
    }
    changed(peer);
}

void Stations::Impl::forget_requested(const ForgetRequested& event) {
    std::string const subject = to_text(event.id);
    Peer* peer = find(event.id);
    if (peer == nullptr || !peer->record || peer->record->forgotten == record_hidden) {
        context.out.now(
            CommandAnswered{"forget-station", subject, false, "no station with this id is known"});
        return;
    }
    if (!peer->links.empty()) {
        context.out.now(CommandAnswered{"forget-station", subject, false,
                                        "station \"" + name_of(event.id) +
                                            "\" is linked now; stop it first, or block it"});
        return;
    }
    std::string const name = name_of(event.id);
    StationRecord& record = *peer->record;
    record.forgotten = record_hidden;
    for (const std::string& address : record.addresses)
        clear_wrong_key(address);
    record.addresses.clear();
    record.incarnation = 0;
    record.index_seen = 0;
    record.last_seen = context.wall();
    dialling.withdraw(record_claim(event.id));
    for (auto place = candidates.begin(); place != candidates.end();) {
        const CandidateFound& found = place->second.found;
        const bool is_it = found.id == event.id && found.source != CandidateSource::configured;
        if (is_it)
            dialling.withdraw(candidate_claim(found.origin, found.handle));
        place = is_it ? candidates.erase(place) : std::next(place);
    }
    store(*peer);
    changed(*peer);
    context.out.now(CommandAnswered{"forget-station", subject, true, "forgot \"" + name + '"'});
}

// Drops what nobody saw for a month, but only by a clock that somebody shares: a wrong one must not
// empty the list.
void Stations::Impl::sweep() {
    timers.set({TimerKind::sweep, {}, {}}, context.instant() + sweep_interval);
    const bool clock_agrees = std::any_of(peers.begin(), peers.end(),
                                          [](const auto& entry) { return entry.second.open; });
    for (auto& [id, peer] : peers) {
        if (!peer.record)
            continue;
        StationRecord& record = *peer.record;
        const Duration age = context.wall() - record.last_seen;
        if (!peer.links.empty() ? age > last_seen_age_max : age.count() < 0) {
            record.last_seen = context.wall();
            store(peer);
        } else if (peer.links.empty() && clock_agrees &&
                   age > context.config.limits.station_unseen_max) {
            if (record.blocked_stamp == Stamp{} || record.forgotten != record_hidden)
                erase_record(peer);
        }
    }
}

} // namespace stationsync::core
