#include "state_store.hpp"

namespace stationsync::simulation {

namespace {

struct Applier {
    StateImage& image;

    void operator()(const core::PutMeta& m) const { image.meta = m.record; }
    void operator()(const core::PutProvider& m) const {
        image.providers[m.record.provider] = m.record;
    }
    void operator()(const core::PutStation& m) const { image.stations[m.record.id] = m.record; }
    void operator()(const core::EraseStation& m) const { image.stations.erase(m.id); }
    void operator()(const core::PutObject& m) const { image.objects[m.record.id] = m.record; }
    void operator()(const core::EraseObject& m) const { image.objects.erase(m.id); }
    void operator()(const core::AppendHistory& m) const { image.history.push_back(m.entry); }
};

} // namespace

void StateImage::apply(const core::Mutation& mutation) {
    std::visit(Applier{*this}, mutation);
}

core::DurableState StateImage::records() const {
    core::DurableState state;
    state.meta = meta;
    for (const auto& [name, record] : providers) {
        state.providers.push_back(record);
    }
    for (const auto& [id, record] : stations) {
        state.stations.push_back(record);
    }
    for (const auto& [id, record] : objects) {
        state.objects.push_back(record);
    }
    return state;
}

const core::ObjectRecord* StateImage::find(const core::ObjectId& id) const {
    auto found = objects.find(id);
    return found == objects.end() ? nullptr : &found->second;
}

StateStore::Transaction StateStore::commit_oldest() {
    Transaction transaction = std::move(pending_.front());
    pending_.pop_front();
    for (const auto& mutation : transaction.mutations) {
        image.apply(mutation);
    }
    return transaction;
}

void StateStore::take_snapshot() {
    constexpr std::size_t snapshots_max = 4;
    if (snapshots_.size() == snapshots_max) {
        snapshots_.erase(snapshots_.begin());
    }
    snapshots_.push_back(image);
}

} // namespace stationsync::simulation
