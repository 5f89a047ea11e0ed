// The durable state of a simulated station: transactions become durable in order, a crash keeps a
// prefix.
#pragma once

#include "stationsync/core/action.hpp"

#include <deque>
#include <map>
#include <vector>

namespace stationsync::simulation {

// Everything that is durable, as one value: it can be kept aside and put back, as a restored disk
// does.
struct StateImage {
    core::MetaRecord meta;
    std::map<std::string, core::ProviderRecord> providers;
    std::map<core::StationId, core::StationRecord> stations;
    std::map<core::ObjectId, core::ObjectRecord> objects;
    std::vector<core::HistoryEntry> history;

    void apply(const core::Mutation& mutation);
    core::DurableState records() const;
    const core::ObjectRecord* find(const core::ObjectId& id) const;
};

class StateStore {
public:
    struct Transaction {
        core::PersistId id{};
        std::vector<core::Mutation> mutations;
    };

    void begin(core::PersistId id, std::vector<core::Mutation> mutations) {
        pending_.push_back({id, std::move(mutations)});
    }
    bool has_pending() const { return !pending_.empty(); }
    Transaction commit_oldest(); // applies it to the image
    void lose_pending() { pending_.clear(); }

    void take_snapshot();
    const std::vector<StateImage>& snapshots() const { return snapshots_; }

    StateImage image;

private:
    std::deque<Transaction> pending_;
    std::vector<StateImage> snapshots_; // oldest first, few
};

} // namespace stationsync::simulation
