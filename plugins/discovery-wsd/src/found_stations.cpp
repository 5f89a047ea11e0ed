#include "found_stations.hpp"

#include <algorithm>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t paths_max = 8; // of one station
constexpr unsigned new_finds_burst = 64;
constexpr Time report_gap{1000}; // between two reports of one station

bool is_from(const Sighting& sighting, const IpAddress& source, std::uint32_t zone) noexcept {
    return sighting.endpoint.address == source && sighting.zone == zone;
}

// Of link-local addresses only: the others say themselves where they are.
std::uint32_t shown_zone(const Sighting& sighting) noexcept {
    const bool is_v6 = sighting.endpoint.address.family == Family::v6;
    return is_v6 && sighting.endpoint.address.is_link_local() ? sighting.zone : 0;
}

} // namespace

FoundStations::FoundStations(const Limits& limits)
    : limits_(limits),
      new_finds_(limits.new_finds, std::max(limits.new_finds, new_finds_burst)),
      new_answers_(limits.new_finds, std::max(limits.new_finds, new_finds_burst)) {}

std::optional<DropReason> FoundStations::see(const Sighting& sighting, Time now) {
    auto place = entries_.find(sighting.record.station_id);
    if (place == entries_.end()) {
        if (const auto reason = make_room(sighting, now))
            return reason;
        place = entries_.emplace(sighting.record.station_id, Entry{}).first;
        place->second.first_seen = now;
    } else if (!has_path(place->second, sighting) && !make_room_at(sighting)) {
        return DropReason::finds_of_source;
    }
    const auto reason = see_path(place->second, sighting, now);
    if (!reason)
        dirty_.insert(place->first);
    return reason;
}

std::optional<DropReason> FoundStations::make_room(const Sighting& sighting, Time now) {
    if (!make_room_at(sighting))
        return DropReason::finds_of_source;
    if (!(sighting.is_answer ? new_answers_ : new_finds_).take(now))
        return DropReason::find_rate;
    if (entries_.size() >= limits_.finds && !drop_oldest_claim({}))
        return DropReason::table_full;
    return std::nullopt;
}

// Anybody can send in the name of another one: who answers from an address is believed before those
// who are only said to be there.
bool FoundStations::make_room_at(const Sighting& sighting) {
    return count_at(sighting.endpoint.address, sighting.zone) < limits_.finds_per_source ||
           (sighting.is_answer && drop_oldest_claim(sighting.endpoint.address));
}

// Of those who never answered, at that address if one is given, the one that was silent for
// longest.
bool FoundStations::drop_oldest_claim(const std::optional<IpAddress>& source) {
    auto oldest = entries_.end();
    Time oldest_seen{0};
    for (auto place = entries_.begin(); place != entries_.end(); ++place) {
        Time seen{0};
        bool is_verified = false;
        bool is_there = !source;
        for (const Path& path : place->second.paths) {
            seen = std::max(seen, path.last_seen);
            is_verified = is_verified || path.is_verified;
            is_there = is_there || path.sighting.endpoint.address == *source;
        }
        if (is_there && !is_verified && (oldest == entries_.end() || seen < oldest_seen)) {
            oldest = place;
            oldest_seen = seen;
        }
    }
    if (oldest == entries_.end())
        return false;
    if (oldest->second.reported)
        lost_.push_back(oldest->first);
    dirty_.erase(oldest->first);
    entries_.erase(oldest);
    return true;
}

std::optional<DropReason> FoundStations::see_path(Entry& entry, const Sighting& sighting,
                                                  Time now) {
    auto path = std::find_if(entry.paths.begin(), entry.paths.end(), [&](const Path& each) {
        return is_from(each.sighting, sighting.endpoint.address, sighting.zone);
    });
    if (path == entry.paths.end()) {
        if (entry.paths.size() == paths_max) {
            const auto claimed = std::find_if(entry.paths.begin(), entry.paths.end(),
                                              [](const Path& each) { return !each.is_verified; });
            if (claimed == entry.paths.end())
                return DropReason::table_full;
            entry.paths.erase(claimed);
        }
        path = entry.paths.insert(entry.paths.end(), Path{});
        path->first_seen = now;
    } else if (!sighting.is_answer && sighting.sequence && path->sighting.sequence &&
               *sighting.sequence <= *path->sighting.sequence) {
        return DropReason::stale;
    }
    const auto known = path->sighting.sequence;
    const auto& told = sighting.sequence;
    // Answers overtake each other; only what goes to everybody is in order. One that was sent
    // before something that is known already says when it was alive, and nothing else.
    const bool is_overtaken = sighting.is_answer && known && told &&
                              told->instance_id == known->instance_id && *told < *known;
    if (!is_overtaken)
        path->sighting = sighting;
    if (sighting.is_answer && known && !told)
        path->sighting.sequence = known;
    path->is_verified = path->is_verified || sighting.is_answer;
    path->last_seen = now;
    path->expires = now + sighting.ttl;
    path->versions.insert(sighting.version);
    note_clash(entry, *path);
    return std::nullopt;
}

// One that was restarted at another address is not heard at the old one any more.
void FoundStations::note_clash(Entry& entry, const Path& heard) {
    const auto& own = heard.sighting.sequence;
    if (!own || !heard.is_verified)
        return;
    for (const Path& other : entry.paths) {
        const auto& sequence = other.sighting.sequence;
        if (other.is_verified && sequence && sequence->instance_id > own->instance_id)
            entry.clash = to_text(heard.sighting.endpoint.address) + " and " +
                          to_text(other.sighting.endpoint.address);
    }
}

std::optional<DropReason> FoundStations::leave(const std::string& station_id,
                                               const IpAddress& source, std::uint32_t zone,
                                               const std::optional<AppSequence>& sequence) {
    const auto place = entries_.find(station_id);
    if (place == entries_.end())
        return DropReason::unknown_bye;
    auto& paths = place->second.paths;
    const auto path = std::find_if(paths.begin(), paths.end(), [&](const Path& each) {
        return is_from(each.sighting, source, zone);
    });
    if (path == paths.end())
        return DropReason::unknown_bye;
    const auto known = path->sighting.sequence;
    if (sequence && known && *sequence <= *known)
        return DropReason::stale;
    // The program behind it ends on all its interfaces at once.
    std::erase_if(paths, [&](const Path& each) {
        const auto& other = each.sighting.sequence;
        return is_from(each.sighting, source, zone) ||
               (known && other && other->instance_id == known->instance_id);
    });
    place->second.clash.reset(); // told again if two are left
    dirty_.insert(station_id);
    return std::nullopt;
}

void FoundStations::expire(Time now) {
    for (auto& [id, entry] : entries_) {
        const std::size_t before = entry.paths.size();
        std::erase_if(entry.paths, [&](const Path& each) { return each.expires <= now; });
        if (entry.paths.size() != before) {
            entry.clash.reset();
            dirty_.insert(id);
        }
    }
}

void FoundStations::prolong(Time ttl) {
    for (auto& [id, entry] : entries_)
        for (Path& path : entry.paths)
            path.expires = std::max(path.expires, path.last_seen + ttl);
}

Find FoundStations::view_of(const Entry& entry) {
    std::vector<const Path*> paths;
    for (const Path& path : entry.paths)
        paths.push_back(&path);
    std::sort(paths.begin(), paths.end(), [](const Path* a, const Path* b) {
        const auto rank = [](const Path* path) {
            return std::tuple(!path->is_verified, path->sighting.endpoint, path->sighting.zone);
        };
        return rank(a) < rank(b);
    });
    // Who answers may change the description; who only claims may not change that of another one.
    const Path* teller = paths.front();
    for (const Path* path : paths) {
        if (path->is_verified != teller->is_verified)
            continue;
        if (path->is_verified ? path->last_seen > teller->last_seen
                              : path->first_seen < teller->first_seen)
            teller = path;
    }
    Find find;
    find.record = teller->sighting.record;
    find.is_verified = paths.front()->is_verified;
    find.source = to_text(paths.front()->sighting.endpoint.address);
    find.via = paths.front()->sighting.via;
    std::set<Version> versions;
    for (const Path* path : paths) {
        std::string text = to_text(path->sighting.endpoint, shown_zone(path->sighting));
        if (std::find(find.endpoints.begin(), find.endpoints.end(), text) == find.endpoints.end())
            find.endpoints.push_back(std::move(text));
        find.ttl = std::max(find.ttl, path->sighting.ttl);
        versions.insert(path->versions.begin(), path->versions.end());
    }
    for (const Version version : versions)
        find.versions.append(find.versions.empty() ? "" : " ").append(to_text(version));
    return find;
}

std::vector<FindChange> FoundStations::take_changes(Time now) {
    std::vector<FindChange> changes;
    for (const std::string& id : lost_)
        changes.push_back({FindChange::What::lost, id, {}});
    lost_.clear();
    for (auto id = dirty_.begin(); id != dirty_.end();) {
        Entry& entry = entries_.at(*id);
        if (entry.paths.empty()) {
            if (entry.reported)
                changes.push_back({FindChange::What::lost, *id, {}});
            entries_.erase(*id);
            id = dirty_.erase(id);
            continue;
        }
        const Find find = view_of(entry);
        const Time since = now - entry.reported_at;
        const bool is_new = !entry.reported || *entry.reported != find;
        if (entry.reported && is_new && since < report_gap) {
            ++id; // soon
            continue;
        }
        // The host counts the seconds, so it is told again well before they are over.
        if (is_new || since >= find.ttl / 6) {
            changes.push_back(
                {entry.reported ? FindChange::What::updated : FindChange::What::found, *id, find});
            entry.reported = find;
            entry.reported_at = now;
        }
        id = dirty_.erase(id);
    }
    return changes;
}

std::optional<Time> FoundStations::next_deadline() const {
    std::optional<Time> next;
    const auto consider = [&](Time time) { next = std::min(next.value_or(time), time); };
    for (const auto& [id, entry] : entries_) {
        for (const Path& path : entry.paths)
            consider(path.expires);
    }
    for (const std::string& id : dirty_)
        consider(entries_.at(id).reported_at + report_gap);
    return next;
}

bool FoundStations::contains(const std::string& station_id) const {
    return entries_.contains(station_id);
}

bool FoundStations::has_verified() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const auto& each) {
        return std::any_of(each.second.paths.begin(), each.second.paths.end(),
                           [](const Path& path) { return path.is_verified; });
    });
}

bool FoundStations::is_settled_since(Time then, const std::string& project) const {
    return std::all_of(entries_.begin(), entries_.end(), [&](const auto& each) {
        const Entry& entry = each.second;
        return entry.first_seen < then &&
               std::any_of(entry.paths.begin(), entry.paths.end(), [&](const Path& path) {
                   return path.sighting.record.project != project || path.last_seen >= then;
               });
    });
}

std::vector<std::string> FoundStations::clashes() const {
    std::vector<std::string> texts;
    for (const auto& [id, entry] : entries_)
        if (entry.clash)
            texts.push_back("Two computers use the station id " + id + ", at " + *entry.clash +
                            ": one is a copy of the other's disk; give it an identity of its own "
                            "(stationsync station new-identity).");
    return texts;
}

bool FoundStations::has_path(const Entry& entry, const Sighting& sighting) {
    return std::any_of(entry.paths.begin(), entry.paths.end(), [&](const Path& path) {
        return is_from(path.sighting, sighting.endpoint.address, sighting.zone);
    });
}

std::size_t FoundStations::count_at(const IpAddress& source, std::uint32_t zone) const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [&](const auto& each) {
            return std::any_of(
                each.second.paths.begin(), each.second.paths.end(),
                [&](const Path& path) { return is_from(path.sighting, source, zone); });
        }));
}

} // namespace stationsync::discovery_wsd
