// The reference model: what must be true of a plant, told in terms of what users did, what was live
// when they did it, and which revisions were sealed. Written from the text of the rules; it shares
// nothing with the engine but the identifiers, so that an error of the engine's logic cannot hide
// in it.
//
// Machines are told apart by index; two may claim one station id (a cloned disk).
#pragma once

#include "content.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stationsync::simulation {

// A revision as it was seen in durable state, in the model's own terms.
struct ModelRevision {
    core::RevisionId id;
    core::ObjectId object;
    std::int64_t stamp_us = 0;
    std::uint32_t stamp_logical = 0;
    std::vector<std::pair<core::AuthorId, std::uint64_t>> seen;
    Content content = absent;
    std::int64_t changed_at_us = 0;

    int rank = 2;             // as the model judges it
    bool clock_wrong = false; // as some station marked it
};

struct ClaimedEntry { // of a station's set of maximal revisions
    ModelRevision revision;
    int rank = 2;
    bool clock_wrong = false;
};

struct ClaimedRecord { // of a station's durable record of one object
    core::ObjectId object;
    std::vector<ClaimedEntry> set;
    std::optional<ModelRevision> held;
};

enum class WriteKind {
    edit,       // saved now
    old_backup, // restored with its old time
    uncertain,  // anything that the model does not judge: wrong clocks, unknown times
};

struct UserWrite {
    std::size_t machine = 0;
    core::ObjectId object;
    Content content = absent;
    WriteKind kind = WriteKind::edit;
    std::int64_t changed_at_us = 0; // as the provider will report it
    std::int64_t local_us = 0;      // wall clock of the station
    bool clock_trusted = true;      // the station's clock never stepped
    bool provider_tells_times = true;
};

// What the model asks of the simulation.
class Witness {
public:
    virtual ~Witness() = default;
    virtual Content live(std::size_t machine, const core::ObjectId& object) const = 0;
    virtual bool in_history(std::size_t machine, const core::ObjectId& object,
                            Content content) const = 0;
    virtual bool in_sync_directory(std::size_t machine, const core::ObjectId& object,
                                   Content content) const = 0;
    virtual std::int64_t local_us(std::size_t machine) const = 0;
    virtual std::size_t machines() const = 0;
    virtual bool reproducible(const core::ObjectId& object) const = 0;
    virtual bool tells_equality(const core::ObjectId& object) const = 0; // by a digest
    // Too big for a package of its own: the live file serves, and an edit replaces the only copy.
    virtual bool served_live(const core::ObjectId& object, Content content) const = 0;
};

class ReferenceModel {
public:
    explicit ReferenceModel(const Witness& witness) : witness_(witness) {}

    // ---- what happens to the live data ----
    void user_wrote(const UserWrite& write);
    void user_touched(std::size_t machine, const core::ObjectId& object);
    void user_removed(std::size_t machine, const core::ObjectId& object);
    void apply_started(std::size_t machine, const core::ObjectId& object);
    void applied(std::size_t machine, const core::RevisionId& revision,
                 const core::ObjectId& object, Content before, Content after,
                 std::int64_t reported_time_us);

    // ---- what people order ----
    void publish_ordered(std::size_t machine, const core::ObjectId& object);
    void restore_ordered(std::size_t machine, const core::ObjectId& object);
    void order_refused(std::size_t machine, const std::string& command, const std::string& subject);
    void stopped_by_person(std::size_t machine);
    void establish_ordered(std::size_t machine, const std::string& provider);

    // ---- what the stations say ----
    void record_durable(std::size_t machine, const core::StationId& station,
                        const ClaimedRecord& record);
    // It may cease to be so only after its state was replaced or copied.
    void not_established(std::size_t machine, const std::string& provider);
    // One transaction makes it established and takes in newcomers' data.
    void establishes(std::size_t machine, const std::string& provider) {
        establishing_.insert({machine, provider});
    }
    // A state that a later change replaced went into the history, and counts against its limit.
    void superseded_kept(std::size_t machine, const core::ObjectId& object, Content content);
    void established(std::size_t machine, const std::string& provider,
                     const std::vector<core::ObjectId>& unsealed_first_finds);
    void announced(std::size_t machine, const core::ObjectId& object,
                   const std::vector<core::RevisionId>& set);
    void catalogue_sent(std::size_t from, std::size_t to,
                        const std::vector<std::string>& established_providers);

    // ---- faults that excuse a loss or an otherwise forbidden seal ----
    void identity_taken(std::size_t machine); // a copy that is a newcomer from now on
    void made_by_init(std::size_t machine) { init_.insert(machine); }
    void state_replaced(std::size_t machine, const std::vector<ClaimedRecord>& records,
                        const std::set<std::string>& established_providers);
    void history_lost(std::size_t machine);
    void packages_lost(std::size_t machine); // its sync directory
    void root_changed(std::size_t machine, const std::string& provider);
    void excuse(const core::ObjectId& object, Content content) {
        excused_.insert({object, content});
    }
    void copies_lost(); // a disk or directory was lost: what exists nowhere now is excused
    void excuse_what_is_nowhere();
    void
    machine_removed(std::size_t machine); // a clone that got a new identity: nothing is asked of it
    void clock_stepped(std::size_t machine, std::int64_t before_us); // from this local time
    void history_aged(); // more than 30 days have passed
    void clones_exist() { clones_ = true; }
    bool had_clones() const { return clones_; }
    bool copies_collided() const { return copies_collided_; }

    // ---- at the end, when all is healed ----
    std::optional<core::RevisionId> winner(const core::ObjectId& object) const;
    bool has_open_conflict(const core::ObjectId& object) const;
    std::vector<core::ObjectId> objects() const;
    void check_end();
    bool exists_somewhere(const core::ObjectId& object, Content content) const;
    // By a station that has to keep it; what was merely fetched is dropped when something newer
    // comes.
    bool is_owned_somewhere(const core::ObjectId& object, Content content) const;
    bool loss_excused(const core::ObjectId& object, Content content) const;
    const ModelRevision* find(const core::RevisionId& id, const core::ObjectId& object) const;

    const std::vector<std::string>& violations() const { return violations_; }
    void violation(std::string text);

private:
    struct Write {
        UserWrite what;
        bool certainly_fresh = false;
        bool certainly_old = false;
    };
    using Writes = std::vector<Write>;
    struct Truth {             // of one object on one machine
        core::RevisionId base; // what the live data is, or was made on
        bool base_known = true;
        std::int64_t base_time_us = 0;  // as the provider reported it
        std::int64_t base_local_us = 0; // local time of the seal, or of the apply's beginning
        std::int64_t apply_began_us = 0;
        Writes unsealed;      // since the base, oldest first
        bool episode = false; // restored old data is or was on top of the base
        int free_seals = 0;   // seals that need no user's write, after a fault
        int publish_orders = 0;
        int restore_orders = 0;
        std::int64_t ordered_at_us = 0;       // local time of the last order
        std::optional<core::RevisionId> held; // as last claimed
        Content held_content = absent;
        Content saved_at_apply = absent; // live when an apply replaced it
        bool package_lost = false;       // of what is held
    };
    struct Duty { // a content that must not be lost
        std::size_t machine;
        core::ObjectId object;
        Content content;
        bool superseded;
        bool had_package; // the station kept a package of it
        bool judged;      // it was known what the live state was made on
        int entry;        // which superseded entry of the object's history there; 0: none
    };
    struct HistoryEntries { // of superseded states that a station says to keep
        int count = 0;
        Content unclaimed = absent; // of the newest, until its duty is known
    };
    using Place = std::pair<std::size_t, core::ObjectId>;

    Truth& truth(std::size_t machine, const core::ObjectId& object) {
        return truths_[{machine, object}];
    }
    void learn(std::size_t machine, const core::StationId& station, const ClaimedEntry& entry,
               const ClaimedRecord& record);
    void note_collision(std::size_t machine, const ModelRevision& known);
    void check_attributes(std::size_t machine, ModelRevision& known, const ClaimedEntry& entry,
                          bool is_head, bool new_here);
    void sealed(std::size_t machine, ModelRevision& revision, int claimed_rank, bool is_held);
    static Writes::reverse_iterator written_as(Truth& t, const ModelRevision& revision);
    static bool is_stamped_as(const Write& write, const ModelRevision& revision);
    void check_seal(std::size_t machine, const Truth& t, const ModelRevision& revision,
                    const Write& write);
    std::int64_t check_seen(std::size_t machine, const Truth& t, const ModelRevision& revision,
                            const ModelRevision* base);
    void judge_rank(std::size_t machine, const Truth& t, ModelRevision& revision, int claimed_rank,
                    bool ordered);
    void give_up_old_name(std::size_t machine, const ModelRevision& revision);
    bool renames_held(const Truth& t, const ModelRevision& revision) const;
    void held_changed(std::size_t machine, const core::ObjectId& object, const ModelRevision& held);
    bool is_established(std::size_t machine, const std::string& provider) const {
        return established_.contains({machine, provider});
    }
    bool knows(std::size_t machine, const core::ObjectId& object, const core::RevisionId& id) const;
    std::vector<const ModelRevision*> maximal(const core::ObjectId& object) const;
    bool kept_well(const Duty& duty) const;
    bool is_pushed_out(const Duty& duty) const;
    void note_pushed_out();
    void owe(std::size_t machine, const core::ObjectId& object, Content content, bool superseded,
             bool had_package);

    const Witness& witness_;
    std::map<std::pair<core::ObjectId, core::RevisionId>, ModelRevision> revisions_;
    std::map<Place, Truth> truths_;
    std::map<Place, std::set<core::RevisionId>> known_;
    std::map<Place, std::set<core::RevisionId>> given_up_;     // with the name of their author
    std::map<Place, std::set<core::RevisionId>> of_the_plant_; // known there with rank 1 or 2
    std::set<std::pair<std::size_t, std::string>> established_;
    std::set<std::pair<std::size_t, std::string>> establishing_; // now, or since earlier
    std::set<std::pair<std::size_t, std::string>> establish_orders_;
    std::set<std::pair<std::size_t, std::string>> rebased_;
    std::map<std::pair<std::size_t, std::string>, std::int64_t> established_at_us_; // local
    std::map<std::pair<std::size_t, std::string>, bool> catalogue_from_established_;
    std::map<std::size_t, core::StationId> stations_;
    std::set<std::size_t> init_;
    std::set<std::size_t> replaced_; // whose state was another's, or an older one
    std::set<std::size_t> removed_;
    std::map<std::size_t, std::int64_t> history_lost_at_; // local
    std::map<std::size_t, std::int64_t> packages_lost_at_;
    struct ClockStep {
        std::int64_t before_us;
        std::int64_t after_us;
    };
    std::map<std::size_t, ClockStep> clock_steps_; // the last of each machine, local times
    std::vector<Duty> duties_;
    std::map<Place, HistoryEntries> entries_;
    std::set<std::pair<core::ObjectId, Content>> pushed_out_; // somewhere, by younger ones
    std::set<std::pair<core::ObjectId, Content>> excused_;
    std::map<std::pair<core::ObjectId, core::RevisionId>, std::size_t> sealed_by_;
    bool clones_ = false;
    bool copies_collided_ = false;
    std::vector<std::string> violations_;
};

// The rules' order, in the model's own words.
bool model_has_seen(const ModelRevision& a, const ModelRevision& b);
bool model_loses_to(const ModelRevision& a, const ModelRevision& b);

} // namespace stationsync::simulation
