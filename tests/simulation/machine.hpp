// A simulated station: what survives its process (disk, plant data, clocks) and its power switch.
#pragma once

#include "package_store.hpp"
#include "process.hpp"
#include "station_clock.hpp"
#include "world.hpp"

namespace stationsync::simulation {

struct ArmedCrash {
    std::size_t action = 0; // index in core::Action
    bool before = true;     // or just after it was begun
};

class Machine {
public:
    Machine(World& the_world, std::size_t the_index, std::string the_name, core::StationId the_id);
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    // ---- power ----
    void start();
    void restart();        // `restart` command: not a stop by a person
    void stop_by_person(); // answers StoppedByPerson, waits for what is under way
    void crash();          // any instant: applies under way have happened or not
    bool running() const { return process_ != nullptr; }
    Process* process() { return process_.get(); }
    const core::Engine& engine() const { return process_->engine(); }
    core::Now local_now() const { return clock.now(world.now()); }
    std::int64_t wall() const { return clock.wall(world.now()); }

    // ---- users and the plant's programs; each tells the watch, when there is one ----
    void hint(const std::string& provider, const std::string& key);

    // ---- faults ----
    void step_clock(std::int64_t delta_us); // noticed by a running service when above 2 s
    void lose_directory(bool of_history);   // somebody deletes it, or its disk is away
    void bring_back_history();              // that disk
    void lose_state(); // the state database is gone; found packages are read back
    void lose_disk();  // nothing of the service is left; live data is
    void roll_back_state(StateImage image) { store.image = std::move(image); }

    SimProvider& provider(const std::string& provider_name) { return providers.at(provider_name); }
    Content live(const core::ObjectId& object) const {
        auto found = providers.find(object.provider);
        return found == providers.end() ? absent : found->second.content(object.key);
    }

    World& world;
    std::size_t const index;
    std::string name;
    core::StationId id;
    std::string project = "plant";
    std::string product_version = "1.0";
    StationClock clock;
    StateStore store;
    PackageDirectory sync;
    PackageDirectory history;
    std::map<std::string, SimProvider> providers;
    std::vector<std::string> configured; // addresses that are dialled
    std::optional<ArmedCrash> armed;
    std::int64_t disk_time_max_us = 5 * millisecond;
    std::int64_t sync_full_until = 0; // true times until which the directories take nothing
    std::int64_t history_full_until = 0;
    unsigned watch_percent = 85; // of changes that the watch reports
    std::map<std::pair<std::string, std::string>, core::RaiseMessage> messages; // by id and subject

private:
    void finish_applies(bool all);

    PackageDirectory history_away_;

    std::unique_ptr<Process> process_;
    std::unique_ptr<Process> ended_; // kept until the call that ended it has returned
};

} // namespace stationsync::simulation
