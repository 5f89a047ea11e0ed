// The object half of the engine: what was changed, what wins, what has to be fetched and applied.
//
// Implemented over several files, one responsibility each: objects_observe (scans, settling),
// objects_seal (export to revision), objects_decide (what next), objects_apply, objects_fetch,
// objects_exchange (index), objects_join (established, incarnations), objects_restore (publish, restore),
// objects_keep (history and retention), objects_explain (states and reasons), objects_verify.
#pragma once

#include "context.hpp"
#include "index_log.hpp"
#include "object.hpp"
#include "stations.hpp"

namespace stationsync::core {

class Objects final : public StationsListener {
public:
    Objects(Context& context, TokenJudge& judge, DurableState& state);

    void attach(Stations& stations) { stations_ = &stations; }
    // First action after construction: providers come with ProviderEnabled.
    void on(ProviderEnabled const& event);
    void on(ProviderDisabled const& event);
    void on(ProviderTokens const& event);
    void on(RecoverFinished const& event);
    void on(ObjectsObserved const& event);
    void on(ScanFinished const& event);
    void on(ChangeHinted const& event);
    void on(ExportFinished const& event);
    void on(FetchProgressed const& event);
    void on(FetchFinished const& event);
    void on(FetchSourceFailed const& event);
    void on(HistorySaved const& event);
    void on(ApplyFinished const& event);
    void on(PackageLost const& event);
    void on(SendNowRequested const& event);
    void on(PublishRequested const& event);
    void on(RestoreRequested const& event);
    void on(EstablishRequested const& event);
    void on(VerifyRequested const& event);
    void on(ScanRequested const& event);
    void on(StoppedByPerson const& event);
    void on_tokens_judged(std::string const& provider);

    void on_message(StationId const& from, Greeting const& message);
    void on_message(StationId const& from, IndexRequest const& message);
    void on_message(StationId const& from, IndexBatch const& message);
    void on_message(StationId const& from, PendingChange const& message);
    void on_message(StationId const& from, PartialPackage const& message);
    void on_message(StationId const& from, KeptQuery const& message);
    void on_message(StationId const& from, KeptAnswer const& message);
    void on_message(StationId const& from, VerifyRequest const& message);
    void on_message(StationId const& from, VerifyReport const& message);

    // The peer judged us sooner than we it: its greeting waits until the exchange is open here, too.
    void greeted_early(StationId const& from, Greeting const& message) {
        early_greetings_[from] = message;
    }
    void peer_opened(StationId const& id) override;
    void peer_closed(StationId const& id) override;
    void peer_providers_changed(StationId const& id) override;

    void first_run_ends();
    void handle_deadline();
    std::optional<Instant> next_deadline() const;
    // Decides again for everything that the present call touched, then sends what peers lack.
    void finish_call();

    std::vector<ProviderView> provider_views() const;
    std::vector<ObjectView> views(std::string_view provider) const;
    std::optional<ObjectView> view(ObjectId const& id) const;
    ObjectRecord const* record(ObjectId const& id) const;
    bool in_step(std::string_view provider) const;
    void check_invariants() const;

private:
    using ObjectMap = std::map<ObjectId, std::unique_ptr<Object>>;

    // -- objects.cpp: bookkeeping
    Object* find(ObjectId const& id);
    Object& get(ObjectId const& id);
    Provider* provider_of(ObjectId const& id);
    Provider const* provider_of(ObjectId const& id) const;
    std::pair<ObjectMap::iterator, ObjectMap::iterator> objects_of(std::string const& provider);
    void touch(Object& object);
    void touch_all(std::string const& provider);
    void store(Object& object);       // its record goes into the transaction of this call
    void store(Provider& provider);
    void bump(Object& object);        // peers must hear of it; stores it
    void set_deadline(Object& object);
    void start_job(Object& object, Stage stage, JobId job);
    Object* end_job(JobId job, Stage stage); // null: a stale answer
    void set_stage(Object& object, Stage stage);
    void fail_live(Object& object, JobStatus status, std::string text);
    void count(Object& object);
    void send(StationId const& to, Message message);
    void send_durable(StationId const& to, Message message);
    void broadcast(std::string const& provider, Message const& message);
    void note_seen(Revision const& revision);
    std::uint16_t slot_of(StationId const& id);
    void publish_profile(Provider const& provider);

    // -- objects_observe.cpp
    void start_scans(Provider& provider);
    void observe(Provider& provider, Object& object, ObservedObject const& seen);
    void observe_held(Provider& provider, Object& object);
    void observe_change(Provider& provider, Object& object, ObservedObject const& seen);
    void observe_absent(Provider& provider, Object& object);
    void observe_fault(Provider& provider, ObservedFault const& fault);
    void clear_fault(Provider& provider, Object& object);
    bool refuse_twin(Provider& provider, Object& object, std::string const& folded);
    void begin_settling(Provider& provider, Object& object, bool moved);
    void tell_restored(ObjectRecord const& record);
    void end_change(Object& object); // the unsealed change is no more
    void announce_pending(Object& object, bool active);
    void rescan(Object& object);
    void conclude_absences(Provider& provider, ScanJob const& job);
    void scan_sealed(Provider& provider, Object& object);
    void scan_failed(Provider& provider, ScanFinished const& event);
    WallTime known_unchanged(Provider const& provider, Object const& object) const;

    // -- objects_seal.cpp
    void start_export(Provider& provider, Object& object);
    void export_ended();
    void on_export_failed(Provider& provider, Object& object, ExportFinished const& event);
    void conclude_export(Provider& provider, Object& object);
    void conclude_kept(Provider& provider, Object& object, std::vector<SavedItem> const& saved);
    bool is_put_back(Object const& object) const;
    bool adopts_head(Object const& object) const;
    void seal(Provider& provider, Object& object);
    void adopt(Provider& provider, Object& object);
    void put_back(Provider& provider, Object& object, PackageInfo const& kept);
    void no_change(Provider& provider, Object& object);
    RevisionPtr make_revision(Provider& provider, Object const& object, Rank& rank);
    VersionVector base_of(Object const& object) const;
    std::uint64_t next_sequence();
    Duration clock_error_bound() const;
    void become_held(Object& object, RevisionPtr revision, Rank rank, Mark mark, WallTime held_time);

    // -- objects_decide.cpp
    void decide(Object& object);
    void decide_content(Provider& provider, Object& object);
    bool may_apply(Provider const& provider, Object& object);
    bool key_refused(Provider& provider, Object& object);
    bool head_fits(Provider& provider, Object& object);
    std::optional<PackageInfo> local_content(Object const& object, RevisionId const& revision) const;
    bool wants_apply(Object const& object) const;
    void promote(Provider& provider, Object& object);
    void tell_conflict(Object& object, bool was_conflict);

    // -- objects_fetch.cpp
    void want_content(Object& object);
    void ask_for_packages(Object& object);
    void drop_fetch(Object& object);
    void run_fetch_queue();
    bool start_fetch(Object& object);
    bool choose_package(Object const& object, PackageInfo& package, std::vector<StationId>& sources) const;
    void refresh_sources(Object& object);
    void announce_partial(Object& object, bool active);
    std::vector<PackageInfo> bases(Object const& object) const;

    // -- objects_apply.cpp
    void queue_apply(Object& object);
    void run_apply_queue();
    void prepare_apply(Provider& provider, Object& object);
    void intend(Provider& provider, Object& object, std::vector<SavedItem> const& saved);
    bool decision_stands(Object const& object) const;
    Mark expected_mark(Object const& object) const;
    void issue_apply(Object& object);
    void applied(Provider& provider, Object& object, ApplyFinished const& event);
    void apply_refused(Provider& provider, Object& object, ApplyFinished const& event);
    void reissue_intents(Provider& provider);

    // -- objects_exchange.cpp
    void greet(StationId const& id);
    void request_index(StationId const& id, bool wants_answer);
    void send_batches();
    bool send_batch(StationId const& id, Exchange& exchange);
    IndexEntry entry_of(Object const& object) const;
    bool merge(StationId const& from, IndexEntry const& entry);
    bool accept_stamps(IndexEntry const& entry, Object& object, std::vector<SetEntry>& accepted);
    void note_holder(StationId const& from, IndexEntry const& entry, Object& object);
    void reset_cursor(StationId const& id);
    void ask_held_back_again();

    // -- objects_join.cpp
    void sealed_first(Provider& provider);
    void catalogue_complete(StationId const& from, std::vector<std::string> const& established);
    void establish(Provider& provider, std::string const& why);
    void reincarnate();
    void confirm_old_name(Object& object, IndexEntry const* theirs);
    void reseal(Object& object);
    bool is_unknown_own(Revision const& revision) const;
    Rank rank_of_change(Provider const& provider, Object const& object) const;

    // -- objects_restore.cpp
    void answer(std::string command, std::string subject, bool ok, std::string text);
    void restore_kept(Object& object, KeptState const& kept);
    void restored_revision(Object& object, RevisionPtr const& of, std::optional<Digest> digest,
                           std::uint64_t bytes, PackageInfo const& package, bool local);
    VersionVector everything_known(Object const& object) const;
    void expire_restores();

    // -- objects_keep.cpp
    void keep(Object& object, KeptState state, HistoryWhat what);
    void record_history(Object const& object, HistoryWhat what, RevisionPtr const& revision,
                        PackageInfo const& package, bool kept, Stamp other);
    KeptReason loss_reason(SetEntry const& head, Object const& object) const;
    bool is_kept(Object const& object, RevisionId const& revision) const;
    void trim_kept(Object& object);
    void trim_all_kept();
    void drop_kept(Object& object, std::size_t position, bool tell);
    void tidy_packages(Provider& provider, Object& object);
    std::vector<StationId> holders(Object const& object) const;

    // -- objects_explain.cpp
    ObjectView view_of(Object const& object) const;
    void explain(Object const& object, ObjectView& view) const;
    void explain_content(Object const& object, ObjectView& view) const;
    void explain_change(Object const& object, ObjectView& view) const;
    bool is_in_sync(Object const& object) const;

    // -- objects_verify.cpp
    void start_verify(std::string const& provider, std::uint64_t request, std::optional<StationId> asker);
    void run_verify();
    bool verify_finished(ExportFinished const& event);
    void conclude_verify();

    struct VerifyRun {
        std::string provider;
        std::uint64_t request = 0;
        std::optional<StationId> asker; // none: a person here
        std::vector<ObjectId> waiting;
        std::map<JobId, ObjectId> running;
        std::uint64_t checked = 0;
        std::vector<std::string> different;
        std::set<StationId> awaited;          // peers whose report is missing
        std::vector<std::string> peer_reports;
        bool ok = true;
        Instant give_up{};
    };
    struct PendingRestore {
        ObjectId object;
        std::string version;
        Instant give_up{};
    };

    Context& context_;
    TokenJudge& judge_;
    Stations* stations_ = nullptr;
    ObjectMap objects_;
    std::map<std::string, Provider> providers_;
    std::map<StationId, Exchange> exchanges_; // open peers
    std::map<StationId, Greeting> early_greetings_;
    std::map<AuthorId, std::uint64_t> highest_seen_;
    IndexLog index_log_;
    std::map<JobId, Object*> jobs_;
    std::set<std::pair<Instant, ObjectId>> deadlines_;
    std::vector<Object*> touched_;
    std::vector<Object*> finishing_;
    std::set<std::tuple<std::uint64_t, ObjectId>> fetch_queue_; // small ones first
    std::uint32_t fetches_running_ = 0;
    std::uint64_t fetch_bytes_running_ = 0;
    std::set<ObjectId> apply_queue_;
    std::map<ApplyId, Object*> intents_;
    std::uint32_t applies_running_ = 0;
    std::uint32_t exports_running_ = 0;
    std::set<ObjectId> exports_waiting_;
    std::vector<StationId> slots_; // index = slot
    std::map<StationId, std::uint16_t> slot_by_station_;
    std::vector<PendingRestore> restores_;
    std::vector<VerifyRun> verifies_;
    std::uint64_t verify_requests_ = 0;
    std::uint64_t kept_bytes_ = 0;
    Instant next_trim_{};
};

} // namespace stationsync::core
