// Everything that the engine asks of the host. Imperative; plain structs.
//
// Order: actions are to be begun in the order in which take_actions() gives them. What must be
// durable before an action is done was reported durable before the engine gave the action out: the
// host needs no ordering of its own. Every job (JobId, ApplyId) is answered by exactly one terminal
// event, also after CancelJob (with status `cancelled` or its real outcome).
#pragma once

#include "stationsync/core/event.hpp"
#include "stationsync/core/operator_message.hpp"

namespace stationsync::core {

// One transaction: all mutations or none. Transactions become durable in the order of their ids;
// the host may group several into one commit. Answer: Persisted.
struct Persist {
    PersistId id{};
    std::vector<Mutation> mutations;
};

struct SendMessage {
    LinkId link{};
    Message message;
};
// Connect to "host:port". Answer: LinkUp with the same dial, or DialFailed.
struct Dial {
    DialId dial{};
    std::string address;
};
struct CloseLink {
    LinkId link{};
    std::string reason;
};
// Is this link really alive? Answer: LinkAlive, or LinkDown within a few seconds.
struct ProbeLink {
    LinkId link{};
};

// Finish or undo what a killed apply left. Answer: RecoverFinished.
struct Recover {
    std::string provider;
};
// Look at all objects, or at these keys. Answer: ObjectsObserved (any number), then ScanFinished.
struct Scan {
    JobId job{};
    std::string provider;
    std::vector<std::string> keys; // empty: everything
};
enum class ExportPurpose : std::uint8_t {
    seal,      // package into the sync directory
    put_back,  // restored old content: package into the history
    repackage, // a package of `held` again, because its file was lost
    verify,    // only digest and mark are wanted; no package is kept
};
// Write a package of the live state. `revision_hint` names it in the file name until it is sealed.
// Answer: ExportFinished; status `changed` when the state moved meanwhile.
struct Export {
    JobId job{};
    ObjectId object;
    ExportPurpose purpose = ExportPurpose::seal;
    Mark expected;             // the mark seen; another one is answered with `changed`
    bool live_allowed = false; // big reproducible content: digest only, served from the live data
};
// The package that an Export made carries this revision: write it beside the package, durable
// before the revision is announced (the engine orders it before its Persist).
struct DescribePackage {
    ObjectId object;
    Digest package;
    RevisionPtr revision;
    bool in_history = false;
};
// Bring the package into the sync directory, verified. Answer: FetchFinished.
struct StartFetch {
    JobId job{};
    ObjectId object;
    RevisionPtr revision;
    PackageInfo package;
    std::vector<StationId> sources;
    std::vector<PackageInfo> bases; // older packages of the object here, newest first
};
struct SetFetchSources {
    JobId job{};
    std::vector<StationId> sources;
};
struct CancelJob {
    JobId job{};
};

struct SaveItem {
    RevisionPtr revision;               // null: content that never was a revision
    std::optional<PackageInfo> package; // a file in the sync directory
    bool from_live = false;             // export the live state (also when the file is gone)
    Mark mark;                          // of the live state
    KeptReason reason = KeptReason::superseded;
};
// Put these states into the history directory, durable. Answer: HistorySaved.
struct SaveToHistory {
    JobId job{};
    ObjectId object;
    std::vector<SaveItem> items;
};
// The plugin's apply with compare-and-swap on `expected`. Answer: ApplyFinished. Never cancelled.
struct StartApply {
    ApplyId apply;
    ObjectId object;
    RevisionPtr revision;
    PackageInfo package;
    Mark expected; // empty: absent
};
// Delete a package file. Bytes that are still needed elsewhere are other files (hard links).
struct DropPackage {
    ObjectId object;
    Digest package;
    bool from_history = false;
};
// Copy a kept state's package from the history into the sync directory, for a revision with the
// same content. Answer: KeptAdopted.
struct AdoptKept {
    ObjectId object;
    PackageInfo package;
    RevisionPtr revision;
};
// check_compat of the provider's plugin. Answer: TokensJudged.
struct JudgeTokens {
    JobId job{};
    std::string provider;
    std::vector<Token> tokens; // of a peer or of a revision
};

// May new states of the provider be brought in now, by its `apply_when`? Asked only while something
// waits for it. Answer: ApplyWhenAnswered.
struct AskApplyWhen {
    JobId job{};
    std::string provider;
    unsigned refusals = 0; // the answers before this one, without another in between
};

// RaiseMessage (operator_message.hpp): raised once per (id, subject), cleared when the cause is
// gone.
struct ClearMessage {
    std::string id;
    std::string subject;
};
// What a person would see has changed; the event stream tells it. At most one per object and batch.
struct ObjectChanged {
    ObjectId object;
};
struct StationChanged {
    StationId id;
};
struct ProviderChanged {
    std::string provider;
};
// A command of a person ended; `text` says why not. Commands without a job are answered at once.
struct CommandAnswered {
    std::string command; // "publish", "restore", "establish", "verify", …
    std::string subject;
    bool ok = true;
    std::string text;
};

using Action =
    std::variant<Persist, SendMessage, Dial, CloseLink, ProbeLink, Recover, Scan, Export,
                 DescribePackage, StartFetch, SetFetchSources, CancelJob, SaveToHistory, StartApply,
                 DropPackage, AdoptKept, JudgeTokens, AskApplyWhen, RaiseMessage, ClearMessage,
                 ObjectChanged, StationChanged, ProviderChanged, CommandAnswered>;

std::string_view action_name(const Action& action);
std::string to_text(const Action& action); // one line

} // namespace stationsync::core
