// Revisions, their order, and what a station knows of an object. notes: rules of "what wins".
#pragma once

#include "stationsync/core/ids.hpp"
#include "stationsync/core/time.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace stationsync::core {

// For each author the highest sequence that is part of a history. Sorted by author, no duplicates.
class VersionVector {
public:
    using Entry = std::pair<AuthorId, std::uint64_t>;

    std::uint64_t at(const AuthorId& author) const;
    void raise(const AuthorId& author, std::uint64_t sequence); // never lowers
    void merge(const VersionVector& other);
    void erase(const AuthorId& author);
    const std::vector<Entry>& entries() const { return entries_; }
    bool operator==(const VersionVector&) const = default;

private:
    std::vector<Entry> entries_;
};

// A fact about the back end that made a revision or that a station runs, e.g.
// {"sqlserver.version", "16.0", exact}. How tokens compare is the plugin's business.
struct Token {
    std::string name;
    std::string value;
    std::uint32_t kind = 0; // 0 exact, 1 minimum, 2 information
    auto operator<=>(const Token&) const = default;
};

inline constexpr std::uint32_t revision_kind_content =
    1; // other kinds hold the object, with a reason

// One state of an object. Immutable once sealed.
struct Revision {
    ObjectId object;
    AuthorId author;
    std::uint64_t sequence = 0;
    Stamp stamp;
    VersionVector seen;           // includes the revision itself
    std::optional<Digest> digest; // canonical content; only this is compared between stations
    std::uint64_t bytes = 0;      // size of the content as the provider reports it
    WallTime changed_at;
    Duration uncertainty{}; // length of the change interval + clock error bound of the author
    RevisionId parent;      // what was live when the change was made; empty for a first state
    std::uint32_t kind = revision_kind_content;
    std::vector<Token> tokens; // back-end tokens that it was made with

    RevisionId id() const { return {author, sequence}; }
    bool operator==(const Revision&) const = default;
};
using RevisionPtr = std::shared_ptr<const Revision>;

// A regular file that carries a revision. Identified by the SHA-256 of its bytes.
struct PackageInfo {
    Digest digest;
    std::uint64_t bytes = 0;
    std::int64_t modified_100ns =
        0; // modification time in 100 ns since 1970-01-01 UTC: part of the package
    auto operator<=>(const PackageInfo&) const = default;
};

enum class Rank : std::uint8_t {
    newcomer = 0, // made by a station that was not established, on nothing or on rank 0
    adopted = 1,  // a newcomer's revision that an established station took as its head
    plant = 2,
};

// A maximal revision as a station knows it. Both attributes only ever grow.
struct SetEntry {
    RevisionPtr revision;
    Rank rank = Rank::plant;
    bool clock_wrong = false;
};

bool has_seen(const Revision& a, const Revision& b); // vv(a)[author(b)] >= sequence(b)
bool concurrent(const Revision& a, const Revision& b);
bool same_content(const Revision& a,
                  const Revision& b); // both digests known and equal, or the same revision

// Total order of the entries of a set: (rank, not clock_wrong, stamp, author, sequence).
bool loses_to(const SetEntry& a, const SetEntry& b);

// Adds `entry` to `set` (sorted, head first), keeps the maximal revisions of the highest rank,
// merges attributes of a revision that is already there. True when `set` changed.
bool merge_entry(std::vector<SetEntry>& set, const SetEntry& entry);

// Two entries of the same rank whose content differs.
bool has_conflict(std::span<const SetEntry> set);

// |t1 - t2| <= uncertainty1 + uncertainty2, from the two records alone so that all stations agree.
bool order_uncertain(const Revision& a, const Revision& b);

std::string to_text(const Revision& revision);

} // namespace stationsync::core
