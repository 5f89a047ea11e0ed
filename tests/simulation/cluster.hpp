// A simulated plant: stations, their users, the faults that befall them, and the reference model
// that watches. Random runs and scripted scenarios both drive it.
#pragma once

#include "machine.hpp"
#include "model.hpp"

namespace stationsync::simulation {

class Cluster : private Watcher, private Witness {
public:
    Cluster(std::uint64_t seed, std::vector<ProviderSpec> specs);

    World world;
    ReferenceModel model;

    // ---- stations ----
    Machine& add_station(std::string name, bool by_init);
    Machine& clone_station(std::size_t original, std::string name); // its disk, copied
    void give_new_identity(std::size_t machine);
    Machine& station(std::size_t machine) { return *world.machines[machine]; }
    std::size_t stations() const { return world.machines.size(); }
    const std::vector<ProviderSpec>& specs() const { return specs_; }
    void configure(std::size_t from, std::size_t to);
    const std::string& address(std::size_t machine) { return world.network.node(machine).address; }

    // ---- users ----
    Content new_content() { return ++last_content_; }
    void edit(std::size_t machine, const core::ObjectId& object, Content content);
    void write_at(std::size_t machine, const core::ObjectId& object, Content content,
                  std::int64_t changed_at_us, WriteKind kind);
    void restore_backup(std::size_t machine, const core::ObjectId& object, Content content,
                        std::int64_t age_us);
    void touch(std::size_t machine, const core::ObjectId& object);
    void remove(std::size_t machine, const core::ObjectId& object);
    const std::vector<Content>& contents_of(const core::ObjectId& object) {
        return contents_[object];
    }

    // ---- orders of a person; nothing happens when the service is off ----
    void publish(std::size_t machine, const core::ObjectId& object);
    bool restore_kept(std::size_t index, std::size_t keeper,
                      const core::ObjectId& object); // any kept state
    void restore_version(std::size_t machine, const core::ObjectId& object,
                         const std::string& version);
    void establish(std::size_t machine, const std::string& provider);
    void order(std::size_t machine, core::Event event);
    void hold(std::size_t machine, const std::string& provider,
              std::optional<std::int64_t> length_us); // none: until it is released
    void release(std::size_t machine, const std::string& provider);
    void close_applies(std::size_t machine, const std::string& provider, std::int64_t for_us);
    void release_everything();

    // ---- faults beyond the network's ----
    void lose_state(std::size_t machine);
    void lose_disk(std::size_t machine);
    void roll_back(std::size_t machine, std::size_t snapshot);
    void lose_directory(std::size_t machine, bool of_history);
    void change_root(std::size_t machine, const std::string& provider);
    void step_clock(std::size_t machine, std::int64_t delta_us);
    void excuse_if_last(std::size_t index, const core::ObjectId& object, Content content);
    void trace_deed(std::size_t index, const std::string& deed);
    void note(const char* fault) { ++world.trace.coverage.faults[fault]; }

    // ---- time and judgement ----
    void run_for(std::int64_t us) { world.scheduler.run_until(world.now() + us); }
    void heal(); // ends every fault; people do what the service's messages ask of them
    bool is_quiet() const;
    bool wait_until_quiet(std::int64_t deadline_us); // of the stations that are on; no one helps
    bool settle_down(std::int64_t deadline_us);      // true when all is quiet for good
    void check_reasons(std::size_t machine);         // every object that is not in sync has one
    void check_end();
    std::string describe_unrest() const;

    std::string content_name(Content content) const;
    std::map<Content, std::string> content_names; // of scripts
    // Scenarios hang a user's save on these moments.
    std::function<void(std::size_t, const core::ObjectId&)> when_apply_starts;
    std::function<void(std::size_t, const core::ObjectId&)> when_applied;
    bool restart_crashed = false; // somebody switches it on again, minutes later

private:
    // Watcher
    void on_durable(Machine& machine, const StateStore::Transaction& transaction) override;
    void on_message_sent(Machine& machine, core::LinkId link,
                         const core::Message& message) override;
    void on_apply_started(Machine& machine, const core::StartApply& order) override;
    void on_applied(Machine& machine, const core::StartApply& order, Content before,
                    Content after) override;
    void on_command_answered(Machine& machine, const core::CommandAnswered& answer) override;
    void on_crashed(Machine& machine) override;
    void on_apply_when_asked(Machine& machine, const std::string& provider,
                             bool too_early) override;
    // Witness
    Content live(std::size_t machine, const core::ObjectId& object) const override;
    bool in_history(std::size_t machine, const core::ObjectId& object,
                    Content content) const override;
    bool in_sync_directory(std::size_t machine, const core::ObjectId& object,
                           Content content) const override;
    std::int64_t local_us(std::size_t machine) const override;
    std::size_t machines() const override { return world.machines.size(); }
    bool reproducible(const core::ObjectId& object) const override;
    bool tells_equality(const core::ObjectId& object) const override;
    bool served_live(const core::ObjectId& object, Content content) const override;

    ModelRevision translate(const core::RevisionPtr& revision,
                            const core::ObjectRecord& record) const;
    ClaimedRecord translate(const core::ObjectRecord& record) const;
    void tell_history(Machine& machine, const core::HistoryEntry& entry);
    void state_replaced(std::size_t machine);
    void fold_keys(core::Event& event) const;
    bool sees_both(const Machine& machine, std::size_t original, std::size_t copy);
    void watch_clones();
    void watch_clones_regularly();
    void mend_settings(Machine& machine);
    void list_everybody_again();
    void operators_help();
    void check_object_at_end(const core::ObjectId& object);
    void check_intent(Machine& machine, const core::ObjectRecord& record);
    void check_hold(Machine& machine, const core::ProviderRecord& record);
    void check_hold_answer(Machine& machine, const core::CommandAnswered& answer);
    void check_allowed(Machine& machine, const core::ObjectId& object);
    void check_holds_end(Machine& machine);
    void forget_hold_orders(std::size_t index);
    core::StationId new_station_id();

    struct HoldOrder {
        std::int64_t given_at = 0; // true time
        std::optional<std::int64_t> length;
        bool confirmed = false; // the person was told
        bool may_end = false;   // and has ordered the release since
    };
    std::map<std::pair<std::size_t, std::string>, HoldOrder> hold_orders_;

    std::vector<ProviderSpec> specs_;
    std::map<core::ObjectId, std::vector<Content>> contents_;           // everything ever saved
    std::map<std::size_t, std::int64_t> sync_lost_at_;                  // by machine
    bool disks_lost_ = false;                                           // of some machine
    std::map<std::pair<std::size_t, core::ObjectId>, Content> initial_; // before the first start
    std::set<core::ApplyId> intents_seen_;
    struct ClonesSeen { // by one machine: both, over these links, so many times in a row
        std::pair<std::optional<core::LinkId>, std::optional<core::LinkId>> links;
        int times = 0;
    };
    std::pair<std::optional<core::LinkId>, std::optional<core::LinkId>>
    links_to(const Machine& machine, std::size_t original, std::size_t copy) const;
    std::map<std::tuple<std::size_t, std::size_t, std::size_t>, ClonesSeen> clones_seen_;
    std::vector<std::pair<std::size_t, std::size_t>> clones_; // original, copy
    Content last_content_ = 0;
};

} // namespace stationsync::simulation
