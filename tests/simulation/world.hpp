// What everything in one run shares.
#pragma once

#include "network.hpp"
#include "provider.hpp"
#include "random.hpp"
#include "scheduler.hpp"
#include "state_store.hpp"
#include "stationsync/core/engine.hpp"
#include "trace.hpp"

#include <memory>

namespace stationsync::simulation {

class Machine;

// Told of everything that the reference model needs to know. Machines are told apart by index: two
// of them may have one station id.
class Watcher {
public:
    virtual ~Watcher() = default;
    virtual void on_durable(Machine& machine, const StateStore::Transaction& transaction) = 0;
    virtual void on_message_sent(Machine& machine, core::LinkId link,
                                 const core::Message& message) = 0;
    virtual void on_apply_started(Machine& machine, const core::StartApply& order) = 0;
    // `before` was live when the apply had its effect; absent is 0.
    virtual void on_applied(Machine& machine, const core::StartApply& order, Content before,
                            Content after) = 0;
    virtual void on_command_answered(Machine& machine, const core::CommandAnswered& answer) = 0;
    virtual void on_crashed(Machine& machine) = 0;
    // `too_early`: the last answer still stands.
    virtual void on_apply_when_asked(Machine& machine, const std::string& provider,
                                     bool too_early) = 0;
};

struct World {
    explicit World(std::uint64_t seed)
        : random(seed), network_random(random.next()), network(scheduler, network_random, trace) {}

    Scheduler scheduler;
    Random random;
    Random network_random;
    Trace trace;
    Network network;
    std::vector<std::unique_ptr<Machine>> machines;
    Watcher* watcher = nullptr;
    std::uint64_t last_nonce = 0;       // of packages that are not reproducible
    std::uint64_t invariants_every = 0; // check_invariants after so many events; 0: never
    // Rates of provider trouble, percent of calls.
    unsigned call_failure_percent = 0;
    std::int64_t call_time_max_us = 200 * millisecond;
    std::int64_t fetch_bytes_per_second = 2'000'000;
    core::Limits limits;

    std::int64_t now() const { return scheduler.now(); }
};

} // namespace stationsync::simulation
