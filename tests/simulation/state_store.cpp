#include "state_store.hpp"

namespace stationsync::simulation {

namespace {

struct Applier {
    StateImage& image;

    void operator()(core::PutMeta const& m) const { image.meta = m.record; }
    void operator()(core::PutProvider const& m) const {
        image.providers[m.record.provider] = m.record;
    }
    void operator()(core::PutStation const& m) const { image.stations[m.record.id] = m.record; }
    void operator()(core::EraseStation const& m) const { image.stations.erase(m.id); }
    void operator()(core::PutObject const& m) const { image.objects[m.record.id] = m.record; }
    void operator()(core::EraseObject const& m) const { image.objects.erase(m.id); }
    void operator()(core::AppendHistory const& m) const { image.history.push_back(m.entry); }
};

} // namespace

void StateImage::apply(core::Mutation const& mutation) {
    std::visit(Applier{*this}, mutation);
}

core::DurableState StateImage::records() const {
    core::DurableState state;
    state.meta = meta;
    for (auto const& [name, record] : providers) {
        state.providers.push_back(record);
    }
    for (auto const& [id, record] : stations) {
        state.stations.push_back(record);
    }
    for (auto const& [id, record] : objects) {
        state.objects.push_back(record);
    }
    return state;
}

core::ObjectRecord const* StateImage::find(core::ObjectId const& id) const {
    auto found = objects.find(id);
    return found == objects.end() ? nullptr : &found->second;
}

StateStore::Transaction StateStore::commit_oldest() {
    Transaction transaction = std::move(pending_.front());
    pending_.pop_front();
    for (auto const& mutation : transaction.mutations) {
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
