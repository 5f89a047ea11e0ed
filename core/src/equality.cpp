// Equality of records that point to revisions: by the revision's content, not by its address.
#include "stationsync/core/message.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

bool same(RevisionPtr const& a, RevisionPtr const& b) {
    return a == b || (a && b && *a == *b);
}

bool same(SetEntry const& a, SetEntry const& b) {
    return same(a.revision, b.revision) && a.rank == b.rank && a.clock_wrong == b.clock_wrong;
}

} // namespace

bool KeptState::operator==(KeptState const& other) const {
    return package == other.package && reason == other.reason && kept_at == other.kept_at &&
           same(revision, other.revision);
}

bool Intent::operator==(Intent const& other) const {
    return id == other.id && same(revision, other.revision) && package == other.package &&
           expected == other.expected && intended_at == other.intended_at &&
           replaced == other.replaced;
}

bool IndexEntry::operator==(IndexEntry const& other) const {
    return object == other.object &&
           std::equal(set.begin(), set.end(), other.set.begin(), other.set.end(),
                      [](SetEntry const& a, SetEntry const& b) { return same(a, b); }) &&
           held == other.held && packages == other.packages && kept == other.kept &&
           index == other.index;
}

bool KeptAnswer::operator==(KeptAnswer const& other) const {
    return object == other.object && version == other.version && found == other.found &&
           same(revision, other.revision) && package == other.package;
}

} // namespace stationsync::core
