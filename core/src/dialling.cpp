#include "dialling.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

// Later addresses of one claim wait a moment, so that the first one usually makes the link.
constexpr Duration next_address_pause = std::chrono::milliseconds(500);
constexpr Duration hurry_pause = std::chrono::milliseconds(300);
constexpr Duration hurry_interval_min = std::chrono::seconds(5);
constexpr Duration other_dial_pause = std::chrono::seconds(2);
// Our own address may be given to another station one day.
constexpr Duration self_pause = std::chrono::minutes(10);

} // namespace

std::vector<StationId> Dialling::ids_of(Entry const& entry) const {
    std::vector<StationId> ids;
    for (auto const& [name, claim] : entry.claims)
        if (claim.id)
            ids.push_back(*claim.id);
    if (entry.proven)
        ids.push_back(*entry.proven);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

bool Dialling::is_configured(Entry const& entry) const {
    return std::any_of(entry.claims.begin(), entry.claims.end(),
                       [](auto const& claim) { return claim.second.configured; });
}

bool Dialling::needed(std::string const& address, Entry const& entry) const {
    if (entry.linked || entry.dial || entry.claims.empty())
        return false;
    std::vector<std::string> const& own = context_.config.addresses;
    if (std::find(own.begin(), own.end(), address) != own.end())
        return false;
    auto const unserved = [this](StationId const& id) { return !served_.contains(id); };
    if (entry.proven && unserved(*entry.proven))
        return true;
    for (auto const& [name, claim] : entry.claims) {
        if (claim.id ? unserved(*claim.id) : !entry.proven)
            return true;
    }
    return false;
}

void Dialling::reindex(Place place, std::vector<StationId> const& before) {
    std::vector<StationId> const after = ids_of(place->second);
    for (StationId const& id : before) {
        if (std::binary_search(after.begin(), after.end(), id))
            continue;
        auto const station = by_station_.find(id);
        station->second.erase(place->first);
        if (station->second.empty())
            by_station_.erase(station);
    }
    for (StationId const& id : after)
        by_station_[id].insert(place->first);
}

void Dialling::schedule(Place place) {
    Entry& entry = place->second;
    bool const wanted = needed(place->first, entry);
    if (wanted == entry.queued)
        return;
    entry.queued = wanted;
    if (wanted)
        queue_.emplace(entry.due, place->first);
    else
        queue_.erase({entry.due, place->first});
}

void Dialling::schedule_station(StationId const& id) {
    auto const station = by_station_.find(id);
    if (station == by_station_.end())
        return;
    for (std::string const& address : station->second)
        schedule(entries_.find(address));
}

void Dialling::postpone(Place place, Instant due) {
    Entry& entry = place->second;
    if (entry.queued)
        queue_.erase({entry.due, place->first});
    entry.queued = false;
    entry.due = due;
    schedule(place);
}

void Dialling::drop_if_unclaimed(Place place) {
    Entry const& entry = place->second;
    if (!entry.claims.empty() || entry.dial || entry.linked)
        return;
    std::vector<StationId> const before = ids_of(entry);
    place->second.proven.reset();
    reindex(place, before);
    if (place->second.queued)
        queue_.erase({place->second.due, place->first});
    entries_.erase(place);
}

void Dialling::claim(std::string const& claim, std::optional<StationId> const& id, bool configured,
                     std::vector<std::string> const& addresses) {
    std::vector<std::string> const old = std::move(claimed_[claim]);
    std::vector<std::string>& now = claimed_[claim];
    now.clear();
    Instant due = context_.instant();
    for (std::string const& address : addresses) {
        bool const known = entries_.contains(address);
        if (address.empty() || (!known && entries_.size() >= dial_addresses_max) ||
            std::find(now.begin(), now.end(), address) != now.end())
            continue;
        now.push_back(address);
        Place const place = entries_.try_emplace(address).first;
        std::vector<StationId> const before = ids_of(place->second);
        place->second.claims[claim] = {id, configured};
        reindex(place, before);
        if (!known)
            place->second.due = due;
        due = due + next_address_pause;
        schedule(place);
    }
    std::vector<std::string> const kept = now;
    for (std::string const& address : old)
        if (std::find(kept.begin(), kept.end(), address) == kept.end())
            unclaim(claim, address);
    if (kept.empty())
        claimed_.erase(claim);
}

void Dialling::unclaim(std::string const& claim, std::string const& address) {
    Place const place = entries_.find(address);
    if (place == entries_.end())
        return;
    std::vector<StationId> const before = ids_of(place->second);
    place->second.claims.erase(claim);
    reindex(place, before);
    schedule(place);
    drop_if_unclaimed(place);
}

void Dialling::withdraw(std::string const& claim) {
    auto node = claimed_.extract(claim);
    if (node.empty())
        return;
    for (std::string const& address : node.mapped())
        unclaim(claim, address);
}

void Dialling::set_served(StationId const& id, bool served) {
    bool const changed = served ? served_.insert(id).second : served_.erase(id) != 0;
    if (changed)
        schedule_station(id);
}

void Dialling::hurry_entry(Place place) {
    Entry const& entry = place->second;
    Instant const now = context_.instant();
    bool const just_tried = entry.tried && now - entry.tried_at < hurry_interval_min;
    if (!entry.queued || just_tried || entry.is_self)
        return;
    Instant const soon = now + context_.random.jittered(hurry_pause);
    if (soon < entry.due)
        postpone(place, soon);
}

void Dialling::hurry(StationId const& id) {
    auto const station = by_station_.find(id);
    if (station == by_station_.end())
        return;
    for (std::string const& address : station->second)
        hurry_entry(entries_.find(address));
}

void Dialling::hurry_claim(std::string const& claim) {
    auto const place = claimed_.find(claim);
    if (place == claimed_.end())
        return;
    for (std::string const& address : place->second)
        hurry_entry(entries_.find(address));
}

void Dialling::start(Place place) {
    Entry& entry = place->second;
    DialId const dial{++last_dial_};
    Flight flight{place->first, ids_of(entry)};
    for (StationId const& id : flight.ids)
        ++in_flight_[id];
    flights_.emplace(dial, std::move(flight));
    entry.dial = dial;
    entry.tried = true;
    entry.tried_at = context_.instant();
    schedule(place); // out of the queue
    context_.out.now(Dial{dial, place->first});
}

Dialling::Flight Dialling::land(DialId dial) {
    auto node = flights_.extract(dial);
    if (node.empty())
        return {};
    for (StationId const& id : node.mapped().ids)
        if (auto const count = in_flight_.find(id); --count->second == 0)
            in_flight_.erase(count);
    return std::move(node.mapped());
}

void Dialling::pump() {
    Instant const now = context_.instant();
    while (flights_.size() < dials_at_once && !queue_.empty() && queue_.begin()->first <= now) {
        Place const place = entries_.find(queue_.begin()->second);
        std::vector<StationId> const ids = ids_of(place->second);
        bool const waits = !is_configured(place->second) &&
                           std::any_of(ids.begin(), ids.end(), [this](StationId const& id) {
                               return in_flight_.contains(id);
                           });
        if (waits)
            postpone(place, now + context_.random.jittered(other_dial_pause));
        else
            start(place);
    }
}

std::optional<Instant> Dialling::next_deadline() const {
    if (queue_.empty() || flights_.size() >= dials_at_once)
        return std::nullopt;
    return queue_.begin()->first;
}

std::string Dialling::linked(DialId dial, StationId const& id) {
    Flight const flight = land(dial);
    Place const place = entries_.find(flight.address);
    if (place == entries_.end() || place->second.dial != dial)
        return flight.address;
    Entry& entry = place->second;
    std::vector<StationId> const before = ids_of(entry);
    entry.proven = id;
    entry.dial.reset();
    entry.linked = true;
    entry.is_self = false;
    entry.failure.reset();
    reindex(place, before);
    return flight.address;
}

void Dialling::link_lost(std::string const& address, bool lasted) {
    Place const place = entries_.find(address);
    if (place == entries_.end() || !place->second.linked)
        return;
    Entry& entry = place->second;
    entry.linked = false;
    if (lasted)
        entry.pause = dial_pause_min;
    Instant const due = context_.instant() + context_.random.jittered(entry.pause);
    if (!lasted)
        entry.pause = std::min(entry.pause * 2, dial_pause_max);
    postpone(place, due);
    drop_if_unclaimed(place);
}

std::string Dialling::failed(DialFailed const& event) {
    Flight flight = land(event.dial);
    Place const place = entries_.find(flight.address);
    if (place == entries_.end() || place->second.dial != event.dial)
        return std::move(flight.address);
    Entry& entry = place->second;
    entry.dial.reset();
    entry.is_self = event.is_self;
    if (event.is_self) {
        entry.failure.reset();
        postpone(place, context_.instant() + self_pause);
    } else {
        entry.failure = Failure{event.reason, event.wrong_key};
        entry.failure_order = ++failures_;
        postpone(place, context_.instant() + context_.random.jittered(entry.pause));
        entry.pause = std::min(entry.pause * 2, dial_pause_max);
    }
    drop_if_unclaimed(place);
    return std::move(flight.address);
}

void Dialling::own_addresses_changed() {
    for (Place place = entries_.begin(); place != entries_.end(); ++place) {
        if (place->second.is_self) {
            place->second.is_self = false;
            postpone(place, context_.instant());
        } else {
            schedule(place);
        }
    }
}

std::optional<Dialling::Picture> Dialling::picture(std::string const& address) const {
    auto const place = entries_.find(address);
    if (place == entries_.end())
        return std::nullopt;
    Entry const& entry = place->second;
    return Picture{entry.proven, entry.is_self, entry.linked, entry.failure};
}

std::optional<Dialling::Failure> Dialling::failure_of(StationId const& id) const {
    auto const station = by_station_.find(id);
    if (station == by_station_.end())
        return std::nullopt;
    Entry const* latest = nullptr;
    for (std::string const& address : station->second) {
        Entry const& entry = entries_.at(address);
        if (entry.failure && (latest == nullptr || entry.failure_order > latest->failure_order))
            latest = &entry;
    }
    return latest == nullptr ? std::nullopt : latest->failure;
}

} // namespace stationsync::core
