// Collects what the engine asks of the host, and withholds what must not happen before something is
// durable.
#pragma once

#include "stationsync/core/action.hpp"

#include <deque>
#include <map>
#include <vector>

namespace stationsync::core {

class Outbox {
public:
    // Part of the transaction of the present call; a later record of the same thing replaces an
    // earlier one.
    void mutate(Mutation mutation);

    // Needs nothing durable first: dials, scans, fetches, messages that tell nothing of our state.
    void now(Action action) { ready_.push_back(std::move(action)); }

    // Given out when everything that was mutated up to the end of the present call is durable.
    void after_durable(Action action) { held_back_.push_back(std::move(action)); }

    // The exchange on this link has ended: what still waits for durability is data for a station
    // that may have been rejected meanwhile.
    void forget_exchange(LinkId link);

    // Ends the present call: turns its mutations into one Persist.
    void seal_batch();
    void on_persisted(PersistId id);
    std::vector<Action> take();
    bool is_durable(PersistId id) const { return id <= durable_; }
    PersistId last_issued() const { return issued_; }

private:
    struct Gated {
        PersistId after{};
        std::vector<Action> actions;
    };
    std::vector<Mutation> mutations_;
    std::map<std::string, std::size_t> position_; // of the records of this batch, by key
    std::vector<Action> ready_;
    std::vector<Action> held_back_; // of the present call
    std::deque<Gated> gated_;
    PersistId issued_{};
    PersistId durable_{};
};

} // namespace stationsync::core
