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

std::vector<StationId> Dialling::ids_of(const Entry& entry) const {
    std::vector<StationId> ids;
    for (const auto& [name, claim] : entry.claims)
        if (claim.id)
            ids.push_back(*claim.id);
    if (entry.proven)
        ids.push_back(*entry.proven);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

bool Dialling::is_configured(const Entry& entry) const {
    return std::any_of(entry.claims.begin(), entry.claims.end(), [](const auto& claim) {
        return claim.second.source == CandidateSource::configured;
    });
}

// Who once answered there holds the key of the project.
bool Dialling::is_only_announced(const Entry& entry) const {
    return !entry.proven &&
           std::all_of(entry.claims.begin(), entry.claims.end(), [](const auto& claim) {
               return claim.second.source == CandidateSource::discovered;
           });
}

bool Dialling::needed(const std::string& address, const Entry& entry) const {
    if (entry.linked || entry.dial || entry.claims.empty())
        return false;
    const std::vector<std::string>& own = context_.config.addresses;
    if (std::find(own.begin(), own.end(), address) != own.end())
        return false;
    const auto unserved = [this](const StationId& id) { return !served_.contains(id); };
    if (entry.proven && unserved(*entry.proven))
        return true;
    for (const auto& [name, claim] : entry.claims) {
        if (claim.id ? unserved(*claim.id) : !entry.proven)
            return true;
    }
    return false;
}

void Dialling::reindex(Place place, const std::vector<StationId>& before) {
    const std::vector<StationId> after = ids_of(place->second);
    for (const StationId& id : before) {
        if (std::binary_search(after.begin(), after.end(), id))
            continue;
        const auto station = by_station_.find(id);
        station->second.erase(place->first);
        if (station->second.empty())
            by_station_.erase(station);
    }
    for (const StationId& id : after)
        by_station_[id].insert(place->first);
}

void Dialling::schedule(Place place) {
    Entry& entry = place->second;
    Queue* const queue = !needed(place->first, entry) ? nullptr
                         : is_only_announced(entry)   ? &announced_
                                                      : &queue_;
    if (queue == entry.queue)
        return;
    unqueue(place);
    if (queue != nullptr)
        queue->emplace(entry.due, place->first);
    entry.queue = queue;
}

void Dialling::unqueue(Place place) {
    if (place->second.queue != nullptr)
        place->second.queue->erase({place->second.due, place->first});
    place->second.queue = nullptr;
}

void Dialling::schedule_station(const StationId& id) {
    const auto station = by_station_.find(id);
    if (station == by_station_.end())
        return;
    for (const std::string& address : station->second)
        schedule(entries_.find(address));
}

void Dialling::postpone(Place place, Instant due) {
    Entry& entry = place->second;
    unqueue(place);
    entry.due = due;
    schedule(place);
}

void Dialling::drop_if_unclaimed(Place place) {
    const Entry& entry = place->second;
    if (!entry.claims.empty() || entry.dial || entry.linked)
        return;
    const std::vector<StationId> before = ids_of(entry);
    place->second.proven.reset();
    reindex(place, before);
    unqueue(place);
    entries_.erase(place);
}

void Dialling::claim(const std::string& claim, const std::optional<StationId>& id,
                     CandidateSource source, const std::vector<std::string>& addresses) {
    const std::vector<std::string> old = std::move(claimed_[claim]);
    std::vector<std::string>& now = claimed_[claim];
    now.clear();
    Instant due = context_.instant();
    for (const std::string& address : addresses) {
        const bool known = entries_.contains(address);
        if (address.empty() || (!known && entries_.size() >= dial_addresses_max) ||
            std::find(now.begin(), now.end(), address) != now.end())
            continue;
        now.push_back(address);
        const Place place = entries_.try_emplace(address).first;
        const std::vector<StationId> before = ids_of(place->second);
        const bool was_announced = is_only_announced(place->second);
        place->second.claims[claim] = {id, source};
        reindex(place, before);
        if (!known)
            place->second.due = due;
        else if (was_announced && !is_only_announced(place->second))
            trust(place, due);
        due = due + next_address_pause;
        schedule(place);
    }
    const std::vector<std::string> kept = now;
    for (const std::string& address : old)
        if (std::find(kept.begin(), kept.end(), address) == kept.end())
            unclaim(claim, address);
    if (kept.empty())
        claimed_.erase(claim);
}

// Somebody better than an announcement tells of it: no long pause any more.
void Dialling::trust(Place place, Instant due) {
    place->second.pause = dial_pause_min;
    postpone(place, std::min(place->second.due, due));
}

void Dialling::unclaim(const std::string& claim, const std::string& address) {
    const Place place = entries_.find(address);
    if (place == entries_.end())
        return;
    const std::vector<StationId> before = ids_of(place->second);
    place->second.claims.erase(claim);
    reindex(place, before);
    schedule(place);
    drop_if_unclaimed(place);
}

void Dialling::withdraw(const std::string& claim) {
    auto node = claimed_.extract(claim);
    if (node.empty())
        return;
    for (const std::string& address : node.mapped())
        unclaim(claim, address);
}

void Dialling::set_served(const StationId& id, bool served) {
    const bool changed = served ? served_.insert(id).second : served_.erase(id) != 0;
    if (changed)
        schedule_station(id);
}

void Dialling::hurry_entry(Place place) {
    const Entry& entry = place->second;
    const Instant now = context_.instant();
    const bool just_tried = entry.tried && now - entry.tried_at < hurry_interval_min;
    // What only announces itself may do so as often as it likes.
    if (entry.queue != &queue_ || just_tried || entry.is_self)
        return;
    const Instant soon = now + context_.random.jittered(hurry_pause);
    if (soon < entry.due)
        postpone(place, soon);
}

void Dialling::hurry(const StationId& id) {
    const auto station = by_station_.find(id);
    if (station == by_station_.end())
        return;
    for (const std::string& address : station->second)
        hurry_entry(entries_.find(address));
}

void Dialling::hurry_claim(const std::string& claim) {
    const auto place = claimed_.find(claim);
    if (place == claimed_.end())
        return;
    for (const std::string& address : place->second)
        hurry_entry(entries_.find(address));
}

void Dialling::start(Place place) {
    Entry& entry = place->second;
    const DialId dial{++last_dial_};
    Flight flight{place->first, ids_of(entry), entry.queue == &announced_};
    if (flight.announced) {
        ++announced_flights_;
        next_announced_ = context_.instant() + announced_interval_min;
    }
    for (const StationId& id : flight.ids)
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
    if (node.mapped().announced)
        --announced_flights_;
    for (const StationId& id : node.mapped().ids)
        if (const auto count = in_flight_.find(id); --count->second == 0)
            in_flight_.erase(count);
    return std::move(node.mapped());
}

void Dialling::start_first(Queue& queue) {
    const Place place = entries_.find(queue.begin()->second);
    const std::vector<StationId> ids = ids_of(place->second);
    const bool waits = !is_configured(place->second) &&
                       std::any_of(ids.begin(), ids.end(),
                                   [this](const StationId& id) { return in_flight_.contains(id); });
    if (waits)
        postpone(place, context_.instant() + context_.random.jittered(other_dial_pause));
    else
        start(place);
}

bool Dialling::has_room(const Queue& queue) const {
    return !queue.empty() && flights_.size() < dials_at_once &&
           (&queue != &announced_ || announced_flights_ < announced_dials_at_once);
}

void Dialling::pump() {
    const Instant now = context_.instant();
    while (has_room(queue_) && queue_.begin()->first <= now)
        start_first(queue_);
    while (has_room(announced_) && announced_.begin()->first <= now && next_announced_ <= now)
        start_first(announced_);
}

std::optional<Instant> Dialling::next_deadline() const {
    std::optional<Instant> next;
    if (has_room(queue_))
        next = queue_.begin()->first;
    if (has_room(announced_)) {
        const Instant announced = std::max(announced_.begin()->first, next_announced_);
        next = next ? std::min(*next, announced) : announced;
    }
    return next;
}

std::string Dialling::linked(DialId dial, const StationId& id) {
    const Flight flight = land(dial);
    const Place place = entries_.find(flight.address);
    if (place == entries_.end() || place->second.dial != dial)
        return flight.address;
    Entry& entry = place->second;
    const std::vector<StationId> before = ids_of(entry);
    entry.proven = id;
    entry.dial.reset();
    entry.linked = true;
    entry.is_self = false;
    entry.failure.reset();
    entry.pause = std::min(entry.pause, dial_pause_max);
    reindex(place, before);
    return flight.address;
}

void Dialling::link_lost(const std::string& address, bool lasted) {
    const Place place = entries_.find(address);
    if (place == entries_.end() || !place->second.linked)
        return;
    Entry& entry = place->second;
    entry.linked = false;
    if (lasted)
        entry.pause = dial_pause_min;
    const Instant due = context_.instant() + context_.random.jittered(entry.pause);
    if (!lasted)
        entry.pause = std::min(entry.pause * 2, dial_pause_max);
    postpone(place, due);
    drop_if_unclaimed(place);
}

std::string Dialling::failed(const DialFailed& event) {
    Flight flight = land(event.dial);
    const Place place = entries_.find(flight.address);
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
        const bool announced = is_only_announced(entry);
        if (announced)
            entry.pause = std::max(entry.pause, announced_pause_min);
        postpone(place, context_.instant() + context_.random.jittered(entry.pause));
        entry.pause = std::min(entry.pause * 2, announced ? announced_pause_max : dial_pause_max);
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

std::optional<Dialling::Picture> Dialling::picture(const std::string& address) const {
    const auto place = entries_.find(address);
    if (place == entries_.end())
        return std::nullopt;
    const Entry& entry = place->second;
    return Picture{entry.proven, entry.is_self, entry.linked, entry.failure};
}

std::optional<Dialling::Failure> Dialling::failure_of(const StationId& id) const {
    const auto station = by_station_.find(id);
    if (station == by_station_.end())
        return std::nullopt;
    const Entry* latest = nullptr;
    for (const std::string& address : station->second) {
        const Entry& entry = entries_.at(address);
        if (entry.failure && (latest == nullptr || entry.failure_order > latest->failure_order))
            latest = &entry;
    }
    return latest == nullptr ? std::nullopt : latest->failure;
}

} // namespace stationsync::core
