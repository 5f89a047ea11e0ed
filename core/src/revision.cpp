#include "stationsync/core/revision.hpp"

#include "mutants.hpp"
#include "stationsync/core/message.hpp"

#include <algorithm>
#include <cstdlib>

namespace stationsync::core {

namespace {

auto lower_bound(std::vector<VersionVector::Entry>& entries, const AuthorId& author) {
    return std::lower_bound(
        entries.begin(), entries.end(), author,
        [](const auto& entry, const AuthorId& key) { return entry.first < key; });
}

bool same_entry(const SetEntry& a, const SetEntry& b) {
    return a.rank == b.rank && a.clock_wrong == b.clock_wrong &&
           a.revision->id() == b.revision->id();
}

} // namespace

std::uint64_t VersionVector::at(const AuthorId& author) const {
    const auto place =
        std::lower_bound(entries_.begin(), entries_.end(), author,
                         [](const auto& entry, const AuthorId& key) { return entry.first < key; });
    return place != entries_.end() && place->first == author ? place->second : 0;
}

void VersionVector::raise(const AuthorId& author, std::uint64_t sequence) {
    const auto place = lower_bound(entries_, author);
    if (place != entries_.end() && place->first == author)
        place->second = std::max(place->second, sequence);
    else
        entries_.insert(place, {author, sequence});
}

void VersionVector::merge(const VersionVector& other) {
    for (const auto& [author, sequence] : other.entries_)
        raise(author, sequence);
}

void VersionVector::erase(const AuthorId& author) {
    const auto place = lower_bound(entries_, author);
    if (place != entries_.end() && place->first == author)
        entries_.erase(place);
}

bool has_seen(const Revision& a, const Revision& b) {
    return a.seen.at(b.author) >= b.sequence;
}

bool concurrent(const Revision& a, const Revision& b) {
    return !has_seen(a, b) && !has_seen(b, a);
}

bool same_content(const Revision& a, const Revision& b) {
    return a.id() == b.id() || (a.digest && b.digest && *a.digest == *b.digest);
}

bool loses_to(const SetEntry& a, const SetEntry& b) {
    const auto rank = [](const SetEntry& entry) {
        return mutant(Mutant::newcomer_wins) ? Rank::plant : entry.rank;
    };
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    if (a.clock_wrong != b.clock_wrong)
        return a.clock_wrong;
    if (a.revision->stamp != b.revision->stamp)
        return a.revision->stamp < b.revision->stamp;
    return a.revision->id() < b.revision->id();
}

bool merge_entry(std::vector<SetEntry>& set, const SetEntry& entry) {
    for (SetEntry& present : set) {
        if (present.revision->id() == entry.revision->id()) {
            SetEntry merged = present;
            merged.rank = std::max(present.rank, entry.rank);
            merged.clock_wrong = present.clock_wrong || entry.clock_wrong;
            if (same_entry(merged, present))
                return false;
            set.erase(set.begin() + (&present - set.data()));
            merge_entry(set, merged);
            return true;
        }
        if (has_seen(*present.revision, *entry.revision))
            return false;
    }
    std::vector<SetEntry> before = set;
    std::erase_if(
        set, [&](const SetEntry& present) { return has_seen(*entry.revision, *present.revision); });
    set.push_back(entry);
    if (!mutant(Mutant::order_by_arrival)) {
        std::sort(set.begin(), set.end(),
                  [](const SetEntry& a, const SetEntry& b) { return loses_to(b, a); });
    } else {
        std::rotate(set.begin(), set.end() - 1, set.end());
    }
    // Only the highest rank stays.
    if (!mutant(Mutant::newcomer_wins)) {
        const Rank highest = std::max_element(set.begin(), set.end(), [](auto& a, auto& b) {
                                 return a.rank < b.rank;
                             })->rank;
        std::erase_if(set, [&](const SetEntry& present) { return present.rank < highest; });
    }
    return !std::equal(set.begin(), set.end(), before.begin(), before.end(), same_entry);
}

bool has_conflict(std::span<const SetEntry> set) {
    for (std::size_t i = 1; i < set.size(); ++i)
        if (!same_content(*set[0].revision, *set[i].revision))
            return true;
    return false;
}

bool order_uncertain(const Revision& a, const Revision& b) {
    const auto apart = std::abs((a.changed_at - b.changed_at).count());
    return apart <= (a.uncertainty + b.uncertainty).count();
}

bool KeptState::operator==(const KeptState& other) const {
    const bool same_revision =
        revision && other.revision ? *revision == *other.revision : revision == other.revision;
    return same_revision && package == other.package && reason == other.reason &&
           kept_at == other.kept_at && digest == other.digest && bytes == other.bytes;
}

bool Intent::operator==(const Intent& other) const {
    const bool same_revision =
        revision && other.revision ? *revision == *other.revision : revision == other.revision;
    return same_revision && id == other.id && package == other.package &&
           expected == other.expected && rank == other.rank && intended_at == other.intended_at &&
           replaced == other.replaced;
}

bool IndexEntry::operator==(const IndexEntry& other) const {
    const auto same = [](const SetEntry& a, const SetEntry& b) {
        return a.rank == b.rank && a.clock_wrong == b.clock_wrong && *a.revision == *b.revision;
    };
    return object == other.object && held == other.held && packages == other.packages &&
           kept == other.kept && index == other.index &&
           std::equal(set.begin(), set.end(), other.set.begin(), other.set.end(), same);
}

bool KeptAnswer::operator==(const KeptAnswer& other) const {
    const bool same_revision =
        revision && other.revision ? *revision == *other.revision : revision == other.revision;
    return same_revision && object == other.object && version == other.version &&
           found == other.found && package == other.package;
}

std::size_t IdHash::operator()(const StationId& id) const noexcept {
    std::size_t hash = 1469598103934665603ull; // FNV-1a
    for (std::uint8_t const byte : id.bytes)
        hash = (hash ^ byte) * 1099511628211ull;
    return hash;
}

std::size_t IdHash::operator()(const ObjectId& id) const noexcept {
    return std::hash<std::string>{}(id.provider) * 31 + std::hash<std::string>{}(id.key);
}

} // namespace stationsync::core
