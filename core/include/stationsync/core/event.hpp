// Everything that the host tells the engine. Past tense; plain structs.
#pragma once

#include "stationsync/core/message.hpp"

#include <variant>

namespace stationsync::core {

// Outcome of a job of the host, by what the engine does about it.
enum class JobStatus : std::uint8_t {
    ok,
    changed, // the live state is not the expected one: look again
    busy,    // in use, try again with backoff
    no_space,
    denied,
    not_found,
    corrupt,      // the package is bad: try another one or another source
    incompatible, // the plugin refuses it
    cancelled,
    failed, // anything else, with text; again with backoff
};
std::string_view to_text(JobStatus status);

// ---- providers -------------------------------------------------------------------------------
// A provider instance was loaded, or its settings changed. Scanning begins after `recover`
// succeeded.
struct ProviderEnabled {
    std::string provider;
    std::string plugin;
    std::string plugin_version;
    std::string identity; // what it looks at; a change makes a newcomer for what it did not hold
    Duration settle{};
    Duration settle_max{};
    Duration scan_interval{};
    bool keys_are_paths = false;
    bool export_reproducible = false;
    std::uint64_t live_above = 0; // reproducible only: bigger content is served from the live data
    bool apply_when = false;      // asked before each apply: AskApplyWhen
    bool operator==(const ProviderEnabled&) const = default;
};
struct ProviderDisabled {
    std::string provider;
};
// Back-end tokens, or that they are not known (its server is down).
struct ProviderTokens {
    std::string provider;
    bool known = false;
    std::vector<Token> tokens;
};
struct RecoverFinished {
    std::string provider;
    JobStatus status = JobStatus::ok;
    std::string text;
};
// A case fold of keys, made by the host with the Unicode tables that core does not have.
struct ObservedObject {
    std::string key;
    std::string
        folded_key; // equal for keys that one station may hold only one of; empty if not paths
    Mark mark;
    std::uint64_t bytes = 0;
    std::optional<WallTime> changed_at;
    std::optional<WallTime> changed_not_before;
    bool restored = false;
    bool time_uncertain = false;
    bool read_only = false;
};
// Something that is there and cannot be told: neither present nor absent, it keeps its last state.
struct ObservedFault {
    std::string key;
    bool subtree = false; // nothing is known of any key that begins with `key`
    std::string text;
};
struct ObjectsObserved {
    JobId job{};
    std::string provider;
    std::vector<ObservedObject> objects;
    std::vector<ObservedFault> faults;
};
// After the last ObjectsObserved of the job. Objects of the scope that were not observed are
// absent.
struct ScanFinished {
    JobId job{};
    std::string provider;
    JobStatus status = JobStatus::ok; // not ok: nothing is concluded from what was not observed
    std::string text;
    std::string remedy;
};
// Hint of a watch: the key may have changed; empty = anything may have.
struct ChangeHinted {
    std::string provider;
    std::string key;
};
struct ExportFinished {
    JobId job{};
    JobStatus status = JobStatus::ok;
    std::string text;
    Mark mark;
    std::uint64_t bytes = 0;
    std::optional<Digest> digest;
    PackageInfo package; // durable in the directory that the purpose names, or live
    bool live = false;
    std::optional<WallTime> changed_at; // as of the exported state, when it moved since the scan
    Duration retry_after{};             // the plugin's wish when it failed; 0: the engine decides
};
struct FetchProgressed {
    JobId job{};
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_received = 0;
};
// The package is durable in the sync directory, its bytes and (by the plugin) its content verified.
struct FetchFinished {
    JobId job{};
    JobStatus status = JobStatus::ok;
    std::string text;
    std::optional<Digest> digest; // canonical content as the plugin's verify computed it
    std::uint64_t bytes_received = 0;
};
// One source cannot serve the job (left, does not have it, sent garbage); the others go on.
struct FetchSourceFailed {
    JobId job{};
    StationId source;
    std::string text;
};
struct SavedItem {
    bool saved = false; // false: the bytes were nowhere to be had any more
    PackageInfo package;
};
struct HistorySaved {
    JobId job{};
    JobStatus status = JobStatus::ok;
    std::string text;
    std::vector<SavedItem> items; // as asked for
};
struct ApplyFinished {
    ApplyId apply;
    JobStatus status = JobStatus::ok;
    std::string text;
    Mark mark;                          // after the apply
    std::optional<WallTime> changed_at; // what the provider will report for that state
    Duration retry_after{};             // the plugin's wish when it failed; 0: the engine decides
};
// A package file is gone or damaged (directory deleted, disk error).
struct PackageLost {
    ObjectId object;
    Digest package;
    bool from_history = false;
};
// A package lies in the history that no record names: it was there before the directory was lost
// and came back, or the service died between writing and recording it.
struct KeptFound {
    ObjectId object;
    PackageInfo package;
    RevisionPtr revision; // null: a state that was never sealed
};
// Answer to AdoptKept. not_found: the history has no such file, as after PackageLost from there.
struct KeptAdopted {
    ObjectId object;
    Digest package;
    JobStatus status = JobStatus::ok;
    std::string text;
};
struct TokensJudged {
    JobId job{};
    bool compatible = true;
    std::string text;
};

// Answer to AskApplyWhen: whether new states may be brought into the live data now. It is neither
// relied on nor asked for again before `stands_for` is over.
struct ApplyWhenAnswered {
    JobId job{};
    bool allowed = false;
    std::string text; // why not
    Duration stands_for{};
};

// ---- stations --------------------------------------------------------------------------------
enum class CandidateSource : std::uint8_t { configured, discovered, introduced, remembered };
struct CandidateFound {
    CandidateSource source = CandidateSource::configured;
    std::string origin; // discovery instance that says so
    std::string handle; // identifies the find to its discovery instance, for CandidateLost
    std::optional<StationId> id;
    std::string name;
    std::string project;                // empty: not told
    std::vector<std::string> addresses; // "host:port"
    std::string protocol;               // "1.0", empty: not told; like the next only shown
    std::string product_version;
    std::string not_dialled; // one sentence why nobody connects to it; empty = it is dialled
};
struct CandidateLost {
    std::string origin;
    std::string handle;
};
// An authenticated connection stands; the peer's id is proven.
struct LinkUp {
    LinkId link{};
    StationId station;
    std::uint64_t run_id = 0;
    std::string name;
    bool dialled = false; // by us
    std::optional<DialId> dial;
    std::string address; // the peer's
};
struct LinkDown {
    LinkId link{};
    std::string reason;
};
struct DialFailed {
    DialId dial{};
    std::string reason;     // one sentence, with the likely cause
    bool wrong_key = false; // reached, but it does not hold the project's key
    bool is_self = false;   // the address is our own
};
// Somebody connected to us and did not become a link.
struct IncomingRefused {
    std::string host; // numeric address that it came from
    std::string reason;
    bool wrong_key = false; // it does not hold the project's key
};
// The link answered a ProbeLink.
struct LinkAlive {
    LinkId link{};
};
// Peer's clock minus ours over this link, filtered by the host.
struct ClockMeasured {
    LinkId link{};
    Duration offset{};
    Duration uncertainty{}; // half the round trip
};
struct MessageReceived {
    LinkId link{};
    Message message;
};

// ---- durability and the rest -----------------------------------------------------------------
struct Persisted {
    PersistId id{};
};
struct ProfileChanged { // of this station
    std::string station_name;
    std::string product_version;
    std::vector<std::string> addresses;
    ProviderMismatch on_provider_mismatch = ProviderMismatch::reject_station;
};

// ---- commands of a person --------------------------------------------------------------------
struct SendNowRequested {
    std::optional<ObjectId> object;
}; // none: everything that settles
struct PublishRequested {
    ObjectId object;
};
struct RestoreRequested {
    ObjectId object;
    std::string version;
};
struct EstablishRequested {
    std::string provider;
};
struct BlockRequested {
    StationId id;
    bool blocked = true;
};
struct ForgetRequested {
    StationId id;
};
struct VerifyRequested {
    std::string provider;
}; // empty: all
// Nothing new is brought into the live data of the provider until it is released, or for this long.
struct HoldRequested {
    std::string provider;
    std::optional<Duration> length;
};
struct ReleaseRequested {
    std::string provider;
};
struct ScanRequested {
    std::string provider;
};
// `stop` by a person, or of the service: ends the episodes of restored old data. Not sent on a
// crash, reboot or `restart`.
struct StoppedByPerson {};

using Event = std::variant<
    ProviderEnabled, ProviderDisabled, ProviderTokens, RecoverFinished, ObjectsObserved,
    ScanFinished, ChangeHinted, ExportFinished, FetchProgressed, FetchFinished, FetchSourceFailed,
    HistorySaved, ApplyFinished, PackageLost, KeptFound, KeptAdopted, TokensJudged,
    ApplyWhenAnswered, CandidateFound, CandidateLost, LinkUp, LinkDown, DialFailed, IncomingRefused,
    LinkAlive, ClockMeasured, MessageReceived, Persisted, ProfileChanged, SendNowRequested,
    PublishRequested, RestoreRequested, EstablishRequested, BlockRequested, ForgetRequested,
    VerifyRequested, ScanRequested, HoldRequested, ReleaseRequested, StoppedByPerson>;

std::string_view event_name(const Event& event);
std::string to_text(const Event& event); // one line

} // namespace stationsync::core
