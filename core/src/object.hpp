// One object and one provider at run time: the durable record and what is volatile on purpose.
#pragma once

#include "stationsync/core/engine.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

namespace stationsync::core {

// What is going on with the live data of an object here. At most one job at a time.
enum class Stage : std::uint8_t {
    idle,
    settling,  // an unsealed change waits for quiet
    exporting, // job: Export
    keeping,   // job: SaveToHistory before a seal, adoption or put-back
    saving,    // job: SaveToHistory before an apply
    applying,  // record.intent is set
};

// Why the next step did not succeed, and when it is tried again.
struct Trouble {
    JobStatus status = JobStatus::ok;
    std::string text;
    std::uint32_t failures = 0;
    Instant retry_at{};
    bool of_apply = false;
};

struct PeerPackage {
    StationId station;
    RevisionId revision;
    PackageInfo package;
    bool partial = false;
    bool pinned = false; // a kept state, for a restore: not part of the peer's index
};

// Content that is being fetched. Goes on whatever the stage is.
struct Fetching {
    JobId job{};
    RevisionId revision;
    PackageInfo package;
    std::vector<StationId> sources;
    std::uint64_t done = 0;
    std::uint64_t received = 0; // bytes on the wire so far
    bool announced = false;     // peers know that we serve what we have of it
};

// A package of our own making on its way into the history. Goes on whatever the stage is.
struct OwnPackage {
    JobId job{};
    RevisionPtr revision;
    PackageInfo package;
};

// Volatile state of an object that is not simply in sync; freed when it is.
struct Activity {
    Stage stage = Stage::idle;
    JobId job{};
    Instant first_seen{}; // of the change that settles
    Instant settle_at{};
    bool urgent = false;     // "send now", the cap, a newcomer's first scan
    bool rescan = false;     // observed while a job ran: look again afterwards
    bool look_first = false; // an apply met other live data: none before a scan has told which
    JobId stale_scan{};      // ran while the live data changed: it may tell what was before
    bool announced_pending = false;
    bool export_waiting = false; // for another export to end
    bool publishing = false;     // the running export or keep serves `publish`
    bool live_absent = false;    // the last scan did not find it
    Instant absent_since{};
    Instant adopt_after{}; // the history's copy could not be had: not before this
    Trouble live;          // export, save, apply
    Trouble content;       // fetch
    std::optional<Fetching> fetching;
    std::optional<OwnPackage> own_package;
    bool fetch_queued = false;
    std::uint64_t fetch_priority = 0; // in the queue: small ones first
    std::uint64_t received_bytes = 0; // for the apply that follows
    std::vector<PeerPackage> peer_packages;
    std::set<Digest> bad_packages; // failed verification here
    // Of the running export, until what it means is durable.
    std::optional<ExportFinished> exported;
    std::vector<SaveItem> save_items;
    // Decision that an apply is bound to.
    RevisionId decided_head;
    RevisionId decided_held;
    Mark decided_mark;
    std::map<StationId, WallTime> pending_at;             // peers that are editing it
    std::map<StationId, std::vector<RevisionId>> kept_at; // conflict entries that peers keep
    std::string scan_fault;                    // why the last scan could not tell its state
    std::string refused;                       // key not allowed here, or a case-only twin
    std::optional<std::string> tokens_refused; // the plugin refuses the head's back end
    std::vector<RevisionPtr> held_stamps;      // too far ahead to be accepted yet
    std::optional<Instant> deadline;           // as registered
};

struct Object {
    ObjectRecord record;
    std::unique_ptr<Activity> activity;
    std::vector<std::uint16_t> present; // slots of stations that hold the head, sorted
    std::uint32_t scan_epoch = 0;       // last complete scan of the provider that saw it
    bool touched = false;
    bool in_sync = true; // as last counted for its provider

    Activity& active() {
        if (!activity)
            activity = std::make_unique<Activity>();
        return *activity;
    }
    const SetEntry* head() const { return record.set.empty() ? nullptr : &record.set.front(); }
    RevisionId head_id() const { return head() ? head()->revision->id() : RevisionId{}; }
    RevisionId held_id() const { return record.held ? record.held->id() : RevisionId{}; }
    Stage stage() const { return activity ? activity->stage : Stage::idle; }
    bool live_absent() const { return activity && activity->live_absent; }
    // The live data are known to be `held`.
    bool is_clean() const {
        return record.held && !record.seen_change && !record.replaceable && !live_absent();
    }
};

struct ScanJob {
    JobId job{};
    bool full = false;
    std::vector<std::string> keys;
    std::set<std::string> seen_keys;        // of a scan of keys
    std::set<std::string> faults;           // keys and folders that could not be looked at
    std::vector<std::string> unknown_below; // prefixes of keys that could not be looked at
};

// What `apply_when` of a provider said last.
struct ApplyVerdict {
    bool allowed = false;
    std::string text; // why not
    Instant until{};  // asked again from here on
    WallTime since;   // it says so
    WallTime answered;
    Duration stands_for{};
    unsigned refusals = 0; // one after the other, this one included
};
// Whether it allows an apply at this moment. The monotonic clock stands still while a computer
// sleeps: a leave is over by the wall clock, too.
bool leave_stands(const ApplyVerdict& verdict, const Now& now);

// What keeps new states of a provider waiting, see apply_gates.hpp.
struct GateState {
    std::optional<Instant> hold_ends;        // by the time that it has lasted
    std::optional<Instant> hold_ends_asleep; // by the wall clock, unless that was set
    // Stays until there is another one, or something waits anew after it has run out.
    std::optional<ApplyVerdict> verdict;
    std::optional<JobId> verdict_asked;
    std::set<ObjectId> waiting; // for nothing but to be allowed to be applied
    ApplyState told;            // as the peers know it
    bool hindrance_touched = false;
};

struct Provider {
    ProviderEnabled config;
    ProviderRecord record;
    bool enabled = false;
    bool recovered = false;
    bool scanned_once = false;     // a complete scan succeeded since the engine started
    bool told_of_replaced = false; // that a newcomer's data were, since the engine started
    std::optional<ScanJob> scan;
    bool full_scan_wanted = true;
    std::set<std::string> keys_wanted;
    Instant next_scan{};
    Instant next_full_scan{}; // however many hints come before it
    Instant next_recover{};
    std::uint32_t failures = 0;
    std::string fault; // of recover or scan
    std::uint32_t scan_epoch = 0;
    std::set<std::string> scan_faults;    // keys with a message
    std::set<std::string> unsealed_first; // found by the first scan, not sealed yet
    std::map<std::string, std::string>
        folded; // folded key -> key, for providers whose keys are paths
    bool tokens_known = false;
    std::vector<Token> tokens;
    std::uint64_t objects = 0; // with a held or known revision
    std::uint64_t unsynced = 0;
    GateState gate;

    bool is_newcomer() const { return !record.established; }
};

// Half of the exchange with one open peer.
struct Exchange {
    std::uint64_t their_incarnation = 0;
    std::uint64_t cursor = 0;    // merged up to here, in memory
    bool greeted = false;        // their greeting came
    std::uint64_t acked = 0;     // they have ours up to here
    std::uint64_t in_flight = 0; // sent up to here; 0: nothing outstanding
    bool answer_wanted = false;
    bool asked = false; // they asked for our index at all
    Instant sent_at{};
    std::optional<std::uint64_t> first_held_back; // position of the first entry with a held stamp
    Instant ask_again{};
    Instant requested_at{};
    bool awaiting_answer = false; // to an IndexRequest
    Instant greeted_at{};         // our greeting
    bool complete = false;        // a batch without `more` arrived since the request
    Instant packages_asked_at{};  // everything was asked for again, to learn who has packages
};

// Reading all content again and comparing it, on the order of a person here or of a peer.
struct VerifyRun {
    std::string provider;
    std::uint64_t request = 0;
    std::optional<StationId> asker; // none: a person here
    std::vector<ObjectId> waiting;
    std::map<JobId, ObjectId> running;
    std::uint64_t checked = 0;
    std::vector<std::string> different;
    std::set<StationId> awaited; // peers whose report is missing
    std::vector<std::string> peer_reports;
    bool ok = true;
    Instant give_up{};
};

// How much is under way at once, of all objects.
struct RunningJobs {
    std::uint32_t fetches = 0;
    std::uint64_t fetch_bytes = 0;
    std::uint32_t applies = 0;
    std::uint32_t exports = 0;
    std::set<ObjectId> exports_waiting;
};

// A kept state on its way: from the history here, or asked for at the other stations.
struct PendingRestore {
    ObjectId object;
    std::string version;
    Instant give_up{};                 // of asking others
    std::optional<KeptState> adopting; // its file is being copied out of the history here
};

} // namespace stationsync::core
