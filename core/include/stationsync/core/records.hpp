// What the engine keeps durable. The host stores each record under its key and gives all of them
// back at start; the engine alone decides their content.
#pragma once

#include "stationsync/core/revision.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stationsync::core {

enum class ChangeClass : std::uint8_t { edit = 0, restored_old = 1 };

// An unsealed local change, written at first sight.
struct SeenChange {
    Mark mark;
    ChangeClass change_class = ChangeClass::edit;
    WallTime known_unchanged_at; // last moment at which the object was known unchanged
    WallTime first_seen_at;
    VersionVector base; // what the change had seen: held and what had lost to it here
    std::optional<WallTime> changed_at; // as the provider reports it for `mark`
    std::optional<WallTime> changed_not_before;
    bool time_uncertain = false;
    bool before_1990 = false; // restored old if its content turns out to have been held before
    bool operator==(const SeenChange&) const = default;
};

// How a state left the live data, which decides how long it is kept.
enum class KeptReason : std::uint8_t {
    superseded = 0, // replaced by a change that had seen it
    conflict_lost = 1,
    put_back = 2, // restored old content, replaced by the plant's state
    newcomer_replaced = 3,
    found = 4, // found on disk after the state database was lost
    clock_wrong = 5,
};

// A replaced state whose bytes are in the history directory.
struct KeptState {
    PackageInfo package;
    KeptReason reason = KeptReason::superseded;
    WallTime kept_at;
    RevisionPtr revision;         // null for content that never was a revision (put back, found)
    std::optional<Digest> digest; // canonical content where known
    std::uint64_t bytes = 0;      // of the content
    bool operator==(const KeptState&) const;
};

// An apply that is not yet recorded.
struct Intent {
    ApplyId id;
    RevisionPtr revision;
    PackageInfo package;
    Mark expected; // empty: absent
    WallTime intended_at;
    Rank rank = Rank::plant; // of the revision then: it may leave the set before the apply ends
    std::vector<KeptState> replaced; // in the history before the apply began; recorded with it
    bool operator==(const Intent&) const;
};

// A package file of an object in the sync directory, or the live data serving as one.
struct LocalPackage {
    RevisionId revision;
    PackageInfo package;
    bool live = false; // no file: bytes come from the live data while they are clean
    bool operator==(const LocalPackage&) const = default;
};

// Everything durable about one object.
struct ObjectRecord {
    ObjectId id;
    std::vector<SetEntry> set;     // maximal revisions, head first
    RevisionPtr held;              // null: never held anything
    Rank held_rank = Rank::plant;  // rank and mark of `held` when it is no longer in `set`
    Mark mark;                     // of the live data when last known to be `held`; empty = absent
    WallTime held_time;            // change time as the provider reported it for that state
    WallTime recorded_at;          // local time of the seal, or of the intent of the apply
    WallTime clean_at;             // last scan that found the mark, unless the provider's is later
    std::uint64_t clock_steps = 0; // count of noticed clock steps when the times above were taken
    std::optional<SeenChange> seen_change;
    std::optional<Mark> replaceable; // this live state is in the history and may be overwritten
    std::optional<Intent> intent;
    std::vector<LocalPackage> packages;
    std::vector<KeptState> kept;       // oldest first
    bool publish_requested = false;    // by a person, done before anything is put back
    bool old_name_unconfirmed = false; // held under an earlier incarnation of ours, see rule 5
    std::uint64_t index = 0; // our index position of the last change that peers must hear of
};

// A person holds a provider on this station: what comes is fetched and waits.
struct Hold {
    WallTime since;
    std::optional<WallTime> until; // none: until it is released
    Duration length{};             // as ordered, when there is an end
    Duration clock_moved{};        // MetaRecord::clock_moved then
    bool operator==(const Hold&) const = default;
};

struct ProviderRecord {
    std::string provider;
    bool established = false;
    bool first_scan_sealed = false; // everything of the first complete scan is sealed
    bool rebased = false; // root or pattern changed: what it did not hold is found at rank 0
    WallTime last_complete_scan;
    std::string identity; // root, database name, pattern: a change makes a newcomer for what is new
    std::uint64_t published = 0; // local changes sealed
    std::uint64_t applied = 0;   // synchronizations: applies of data
    WallTime last_applied_at;
    std::optional<Hold> hold;
    bool operator==(const ProviderRecord&) const = default;
};

// A station of the project that we know, for redialling, introductions and resuming the exchange.
struct StationRecord {
    StationId id;
    std::string name;
    std::vector<std::string> addresses; // "host:port", most recently good first
    WallTime last_seen;
    std::uint64_t incarnation = 0; // of the index cursor below
    std::uint64_t index_seen = 0;  // their index position up to which everything is merged here
    bool blocked = false;
    Stamp blocked_stamp; // last block or unblock wins, everywhere
    StationId blocked_by;
    // 1: hidden until seen again. 2: others told of it, no link stood yet; last_seen is when they
    // did. 3: likewise, told by nobody but discovery.
    std::uint64_t forgotten = 0;
    bool operator==(const StationRecord&) const = default;
};

struct MetaRecord {
    StationId station; // whose state this is; zero in a new database
    std::uint64_t incarnation = 0;
    std::uint64_t sequence = 0; // last own
    std::uint64_t index = 0;    // last own index position
    std::uint64_t clock_steps = 0;
    Duration clock_moved{};    // by all these steps together
    bool made_by_init = false; // established for the providers enabled at its first run
    bool first_run_done = false;
    std::vector<std::uint64_t> old_incarnations; // newest last
    // What is kept for a time ages from here at the earliest: a clock that steps a year ahead makes
    // nothing old. The first moment after the step that `aging_clock_steps` counts, or after more
    // than a week off, which may be a step that nobody noticed.
    WallTime aging_since{};
    std::uint64_t aging_clock_steps = 0;
    bool operator==(const MetaRecord&) const = default;
};

enum class HistoryWhat : std::uint8_t {
    published,
    applied,
    superseded,
    restored,
    conflict_lost,
    put_back,
    newcomer_replaced,
    found,
    clock_wrong,
    deleted, // deleted: a kept state was removed by the limits
};

// One line of the record of every transfer and overwrite. Append only.
struct HistoryEntry {
    WallTime at;
    ObjectId object;
    HistoryWhat what = HistoryWhat::published;
    std::string version; // the same on all stations, see version_id()
    StationId from;      // author of the change, or for `applied` the author of what arrived
    Stamp stamp;
    Stamp replaced_stamp; // of the other side of the event, zero when there is none
    std::uint64_t bytes = 0;
    std::uint64_t transferred_bytes = 0;
    bool kept = false;              // its content is in the history here
    Digest package;                 // when kept
    std::vector<StationId> kept_on; // who keeps it when we do not
    bool operator==(const HistoryEntry&) const = default;
};

// Name of a kept state for `restore`: of the revision, or of the package for content that never was
// one.
std::string version_id(const RevisionPtr& revision, const PackageInfo& package);

std::string_view to_text(HistoryWhat what);
std::string_view to_text(KeptReason reason);

struct PutMeta {
    MetaRecord record;
};
struct PutProvider {
    ProviderRecord record;
};
struct PutStation {
    StationRecord record;
};
struct EraseStation {
    StationId id;
};
struct PutObject {
    ObjectRecord record;
};
struct EraseObject {
    ObjectId id;
};
struct AppendHistory {
    HistoryEntry entry;
};
using Mutation = std::variant<PutMeta, PutProvider, PutStation, EraseStation, PutObject,
                              EraseObject, AppendHistory>;

// Everything that was reported durable, as given back at start.
struct DurableState {
    MetaRecord meta;
    std::vector<ProviderRecord> providers;
    std::vector<StationRecord> stations;
    std::vector<ObjectRecord> objects;
};

} // namespace stationsync::core
