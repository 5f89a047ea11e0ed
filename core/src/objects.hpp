// The object half of the engine: what was changed, what wins, what has to be fetched and applied.
//
// Implemented over several files: objects_observe (scans, settling), objects_seal (export to
// revision), objects_decide (what next), objects_apply, objects_fetch, objects_exchange (index),
// objects_join (established, incarnations), objects_restore (publish, restore), objects_keep
// (history and retention), objects_explain (states and reasons), objects_verify.
#pragma once

#include "context.hpp"
#include "index_log.hpp"
#include "object.hpp"
#include "stations.hpp"

namespace stationsync::core {

// How the history calls a state that was replaced for this reason.
HistoryWhat what_of(KeptReason reason);

// Equal content under another revision serves as well: an undo, or a station that lost its state.
bool is_state_of(const KeptState& kept, const Revision& revision);

class Objects final : public StationsListener {
public:
    Objects(Context& context, TokenJudge& judge, DurableState& state);

    class Gates; // what keeps new states waiting: apply_gates.hpp
    void attach(Stations& stations) { stations_ = &stations; }
    Gates& gates() { return *gates_; }
    void on(const ProviderEnabled& event);
    void on(const ProviderDisabled& event);
    void on(const ProviderTokens& event);
    void on(const RecoverFinished& event);
    void on(const ObjectsObserved& event);
    void on(const ScanFinished& event);
    void on(const ChangeHinted& event);
    void on(const ExportFinished& event);
    void on(const FetchProgressed& event);
    void on(const FetchFinished& event);
    void on(const FetchSourceFailed& event);
    void on(const HistorySaved& event);
    void on(const ApplyFinished& event);
    void on(const PackageLost& event);
    void on(const KeptFound& event);
    void on(const KeptAdopted& event);
    void on(const SendNowRequested& event);
    void on(const PublishRequested& event);
    void on(const RestoreRequested& event);
    void on(const EstablishRequested& event);
    void on(const VerifyRequested& event);
    void on(const ScanRequested& event);
    void on(const StoppedByPerson& event);
    void on_tokens_judged(const std::string& provider);

    void on_message(const StationId& from, const Greeting& message);
    void on_message(const StationId& from, const IndexRequest& message);
    void on_message(const StationId& from, const IndexBatch& message);
    void on_message(const StationId& from, const PendingChange& message);
    void on_message(const StationId& from, const PartialPackage& message);
    void on_message(const StationId& from, const KeptQuery& message);
    void on_message(const StationId& from, const KeptAnswer& message);
    void on_message(const StationId& from, const VerifyRequest& message);
    void on_message(const StationId& from, const VerifyReport& message);

    // The peer judged us first: its greeting waits until the exchange is open here, too.
    void greeted_early(const StationId& from, const Greeting& message) {
        early_greetings_[from] = message;
    }
    void peer_opened(const StationId& id) override;
    void peer_closed(const StationId& id) override;
    void peer_providers_changed(const StationId& id) override;

    // The station that this state belongs to had another id until now (a copied disk).
    void station_renamed(const StationId& before);
    // Of any provider, from the durable state; the epoch: none yet.
    WallTime last_complete_scan() const;
    void first_run_ends();
    void handle_deadline();
    std::optional<Instant> next_deadline() const;
    // Decides again for everything that the present call touched, then sends what peers lack.
    void finish_call();
    // A package file may be wanted again between the decision to delete it and its durability:
    // holds such deletions back while a job of the object runs, and forgets those that are not due
    // any more.
    void screen_drops(std::vector<Action>& actions);

    std::vector<ProviderView> provider_views() const;
    std::vector<ObjectView> views(std::string_view provider) const;
    std::optional<ObjectView> view(const ObjectId& id) const;
    const ObjectRecord* record(const ObjectId& id) const;
    bool in_step(std::string_view provider) const;
    void check_invariants() const;

private:
    using ObjectMap = std::map<ObjectId, std::unique_ptr<Object>>;

    // -- objects.cpp: bookkeeping
    Object* find(const ObjectId& id);
    Object& get(const ObjectId& id);
    Provider* provider_of(const ObjectId& id);
    const Provider* provider_of(const ObjectId& id) const;
    std::pair<ObjectMap::iterator, ObjectMap::iterator> objects_of(const std::string& provider);
    void touch(Object& object);
    void touch_all(const std::string& provider);
    void store(Object& object); // its record goes into the transaction of this call
    void store_offer(Object& object);
    void store(Provider& provider);
    void bump(Object& object); // peers must hear of it; stores it
    void set_deadline(Object& object);
    void start_job(Object& object, Stage stage, JobId job);
    Object* end_job(JobId job, Stage stage); // null: a stale answer
    void set_stage(Object& object, Stage stage);
    void fail_live(Object& object, JobStatus status, std::string text, Duration retry_after = {});
    void count(Object& object);
    void send(const StationId& to, Message message);
    void send_durable(const StationId& to, Message message);
    void broadcast(const std::string& provider, const Message& message);
    void note_seen(const Revision& revision);
    std::uint16_t slot_of(const StationId& id);
    void publish_profile(const Provider& provider);

    // -- objects_observe.cpp
    void start_scans(Provider& provider);
    void observe(Provider& provider, Object& object, const ObservedObject& seen);
    void observe_held(Provider& provider, Object& object);
    void observe_change(Provider& provider, Object& object, const ObservedObject& seen);
    void observe_absent(Provider& provider, Object& object);
    void observe_fault(Provider& provider, const ObservedFault& fault);
    void clear_fault(Provider& provider, Object& object);
    void clear_mended_faults(Provider& provider, const ScanJob& job);
    void end_twin(Object& object);
    bool refuse_twin(Provider& provider, Object& object, const std::string& folded);
    void found_first(Provider& provider, Object& object);
    void begin_settling(Provider& provider, Object& object, bool moved);
    void tell_restored(const ObjectRecord& record);
    void end_change(Object& object); // the unsealed change is no more
    void announce_pending(Object& object, bool active);
    void rescan(Object& object);
    void conclude_absences(Provider& provider);
    bool is_stale(Provider& provider, Object& object);
    void scan_sealed(Provider& provider, Object& object);
    void scan_failed(Provider& provider, const ScanFinished& event);
    WallTime known_unchanged(const Provider& provider, const Object& object) const;

    // -- objects_seal.cpp
    void start_export(Provider& provider, Object& object);
    void export_ended();
    void on_export_failed(Provider& provider, Object& object, const ExportFinished& event);
    void conclude_export(Provider& provider, Object& object);
    void conclude_kept(Provider& provider, Object& object, const std::vector<SavedItem>& saved);
    void classify_exported(Object& object);
    bool is_put_back(const Object& object) const;
    bool adopts_head(const Object& object) const;
    void seal(Provider& provider, Object& object);
    void adopt(Provider& provider, Object& object);
    void put_back(Provider& provider, Object& object, const PackageInfo& kept);
    void no_change(Provider& provider, Object& object);
    RevisionPtr make_revision(Provider& provider, const Object& object, Rank& rank);
    VersionVector base_of(const Object& object) const;
    std::uint64_t next_sequence();
    Duration clock_error_bound() const;
    void become_held(Object& object, RevisionPtr revision, Rank rank, Mark mark,
                     WallTime held_time);

    // -- objects_decide.cpp
    void decide(Object& object);
    bool decide_next(Provider& provider, Object& object);
    void decide_content(Provider& provider, Object& object);
    bool may_apply(const Provider& provider, Object& object);
    bool key_refused(Provider& provider, Object& object);
    bool head_fits(Provider& provider, Object& object);
    std::optional<PackageInfo> local_content(const Object& object,
                                             const RevisionId& revision) const;
    bool adopt_kept(Object& object);
    bool has_package(const Provider& provider, const Object& object) const;
    bool lacks_package(const Provider& provider, const Object& object) const;
    bool wants_apply(const Object& object) const;
    void promote(Provider& provider, Object& object);
    void tell_conflict(Object& object, bool was_conflict);

    // -- objects_fetch.cpp
    void want_content(Object& object);
    void ask_for_packages(Object& object);
    void drop_fetch(Object& object);
    void run_fetch_queue();
    bool start_fetch(Object& object);
    bool choose_package(const Object& object, PackageInfo& package,
                        std::vector<StationId>& sources) const;
    void refresh_sources(Object& object);
    void announce_partial(Object& object, bool active);
    std::vector<PackageInfo> bases(const Object& object) const;

    // -- objects_apply.cpp
    void queue_apply(Object& object);
    void run_apply_queue();
    void prepare_apply(Provider& provider, Object& object);
    void intend(Provider& provider, Object& object, const std::vector<SavedItem>& saved);
    bool decision_stands(const Object& object) const;
    Mark expected_mark(const Object& object) const;
    KeptState replaced_state(const Object& object, const std::vector<SavedItem>& saved) const;
    void keep_saved(Object& object, const std::vector<SavedItem>& saved);
    void issue_apply(Object& object);
    void applied(Provider& provider, Object& object, const ApplyFinished& event);
    void apply_refused(Provider& provider, Object& object, const ApplyFinished& event);
    void reissue_intents(Provider& provider);

    // -- objects_exchange.cpp
    std::set<std::string> open_providers(const StationId& id) const;
    void greet(const StationId& id);
    void request_index(const StationId& id, bool wants_answer);
    void send_batches();
    bool send_batch(const StationId& id, Exchange& exchange);
    IndexEntry entry_of(const Object& object) const;
    bool merge(const StationId& from, const IndexEntry& entry);
    bool accept_stamps(const IndexEntry& entry, Object& object, std::vector<SetEntry>& accepted);
    void note_holder(const StationId& from, const IndexEntry& entry, Object& object);
    void reset_cursor(const StationId& id);
    void ask_held_back_again();

    // -- objects_join.cpp
    void sealed_first(Provider& provider);
    void catalogue_complete(const StationId& from, const std::vector<std::string>& established);
    void establish(Provider& provider, const std::string& why);
    void reincarnate();
    void begin_anew(const StationId& before);
    void confirm_old_names(const std::string& provider);
    void confirm_old_name(Object& object, const IndexEntry* theirs);
    void reseal(Object& object);
    bool is_unknown_own(const Revision& revision) const;
    Rank rank_of_change(const Provider& provider, const Object& object) const;

    // -- objects_restore.cpp
    void answer(std::string command, std::string subject, bool ok, std::string text);
    bool restore_refused(const std::string& subject, const Object& object);
    void restore_from_others(const ObjectId& object, const std::string& version);
    void conclude_restore(const PendingRestore& restore, const KeptAdopted& event);
    void restored_revision(Object& object, const RevisionPtr& of, std::optional<Digest> digest,
                           std::uint64_t bytes, const PackageInfo& package, bool local);
    VersionVector everything_known(const Object& object) const;
    void expire_restores();

    // -- objects_keep.cpp
    void keep(Object& object, KeptState state, HistoryWhat what);
    void record_history(const Object& object, HistoryWhat what, const RevisionPtr& revision,
                        const PackageInfo& package, bool kept, Stamp other);
    KeptReason loss_reason(const SetEntry& head, const Object& object) const;
    bool is_kept(const Object& object, const RevisionId& revision) const;
    void renew_kept(Object& object, KeptReason reason);
    void trim_kept(Object& object);
    void trim_all_kept();
    void drop_kept(Object& object, std::size_t position, bool tell);
    void keep_own(const Provider& provider, Object& object);
    void own_kept(Object& object, const HistorySaved& event);
    void tidy_packages(Provider& provider, Object& object);
    bool needs_package(const Object& object, const DropPackage& drop) const;
    std::vector<StationId> holders(const Object& object) const;

    // -- objects_explain.cpp
    ObjectView view_of(const Object& object) const;
    void explain(const Object& object, ObjectView& view) const;
    void explain_content(const Object& object, ObjectView& view) const;
    void explain_change(const Object& object, ObjectView& view) const;
    bool is_in_sync(const Object& object) const;

    // -- objects_verify.cpp
    void start_verify(const std::string& provider, std::uint64_t request,
                      std::optional<StationId> asker);
    void run_verify();
    bool verify_finished(const ExportFinished& event);
    void conclude_verify();

    Context& context_;
    TokenJudge& judge_;
    Stations* stations_ = nullptr;
    ObjectMap objects_;
    std::map<std::string, Provider> providers_;
    std::map<StationId, Exchange> exchanges_; // open peers
    std::map<StationId, Greeting> early_greetings_;
    std::map<StationId, std::set<std::string>> covered_; // providers of the last session
    std::map<AuthorId, std::uint64_t> highest_seen_;
    IndexLog index_log_;
    std::map<JobId, Object*> jobs_;
    std::set<std::pair<Instant, ObjectId>> deadlines_;
    std::vector<Object*> touched_;
    std::vector<Object*> finishing_;
    std::set<std::tuple<std::uint64_t, ObjectId>> fetch_queue_; // small ones first
    RunningJobs running_;
    std::set<ObjectId> apply_queue_;
    std::map<ApplyId, Object*> intents_;
    std::vector<StationId> slots_; // index = slot
    std::map<StationId, std::uint16_t> slot_by_station_;
    std::vector<PendingRestore> restores_;
    std::shared_ptr<Gates> gates_;
    std::vector<VerifyRun> verifies_;
    std::uint64_t verify_requests_ = 0;
    std::vector<DropPackage> drops_; // wait for a job of their object to end
    std::uint64_t kept_bytes_ = 0;
    Instant next_trim_{};
};

} // namespace stationsync::core
