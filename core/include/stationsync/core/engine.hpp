// The deterministic engine: events in, actions out, no I/O, no clock, no threads, no randomness of
// its own.
//
// The driver's duties, in full:
//  1. construct with the durable state; then feed ProviderEnabled for each provider that is on.
//  2. for each event: handle(event, now); then take_actions() and begin them in that order.
//  3. when next_deadline() is reached: handle_deadline(now); then take_actions().
//  4. answer every job with one terminal event; answer Persist with Persisted once it is durable.
//  5. after a noticed step of the wall clock: drop the engine and all links, let running applies
//  finish,
//     store meta.clock_steps + 1 and meta.clock_moved + the step, construct anew.
// `now.instant` never falls. All calls from one thread.
#pragma once

#include "stationsync/core/action.hpp"
#include "stationsync/core/views.hpp"

#include <memory>
#include <vector>

namespace stationsync::core {

struct Limits {
    std::uint32_t fetches_at_once = 64;
    std::uint64_t fetch_bytes_at_once = 512ull << 20; // one fetch may exceed it alone
    std::uint32_t applies_at_once = 16;
    std::uint32_t exports_at_once = 16;
    std::uint32_t kept_per_object = 5;
    Duration kept_age_max = std::chrono::hours(24 * 30);
    std::uint64_t kept_bytes_max = 20ull << 30;
    std::uint64_t package_bytes_max =
        0; // packages neither held nor a predecessor; 0: none are kept
    Duration package_age_max{};
    Duration clock_difference_max = std::chrono::seconds(60);
    Duration clock_difference_readmit = std::chrono::seconds(55);
    Duration station_unseen_max = std::chrono::hours(24 * 30);
    std::size_t index_batch_entries = 512;
};

struct EngineConfig {
    StationId self;
    std::uint64_t run_id = 0; // random per process start
    std::uint64_t seed = 0;   // random per process start: jitter, ids, new incarnations
    std::string station_name;
    std::string project;
    std::string product_version;
    ProtocolVersion protocol;
    std::vector<std::string> addresses; // where we listen
    ProviderMismatch on_provider_mismatch = ProviderMismatch::reject_station;
    Limits limits;
};

class Engine {
public:
    Engine(EngineConfig config, DurableState state, Now now);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void handle(const Event& event, Now now);
    void handle_deadline(Now now);
    std::optional<Instant> next_deadline() const;
    std::vector<Action> take_actions();

    // Read-only pictures. Cheap enough for a listing; not for a tight loop.
    std::vector<ProviderView> providers() const;
    std::vector<StationView> stations() const;
    std::vector<ObjectView> objects(std::string_view provider = {}) const; // sorted by id
    std::optional<ObjectView> object(const ObjectId& id) const;
    const ObjectRecord* record(const ObjectId& id) const; // valid until the next handle()
    const MetaRecord& meta() const;
    bool may_exchange(const StationId& id) const;        // linked, compatible, not blocked
    std::string station_name(const StationId& id) const; // display name, or the id's text
    bool
    in_step(std::string_view provider = {}) const; // nothing unsynced, somebody linked or alone

    // Breaks with std::logic_error when an invariant of the records does not hold. For simulation
    // and tests.
    void check_invariants() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace stationsync::core
