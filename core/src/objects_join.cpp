// Who is established, and under which name we speak (rules 5, 9, 18).
#include "objects.hpp"

#include <algorithm>

namespace stationsync::core {

Rank Objects::rank_of_change(const Provider& provider, const Object& object) const {
    const ObjectRecord& record = object.record;
    const bool established = provider.record.established;
    if (!record.held)
        return established && !provider.record.rebased ? Rank::plant : Rank::newcomer;
    Rank base = record.held_rank;
    for (const SetEntry& entry : record.set)
        if (entry.revision->id() == record.held->id())
            base = entry.rank;
    if (!established)
        return base;
    if (mutant(Mutant::edit_rank_of_station))
        return Rank::plant;
    // Data of a newcomer that nobody adopted stay a newcomer's, also when they are edited later.
    return base == Rank::newcomer ? Rank::newcomer : Rank::plant;
}

// After a complete scan, and whenever something that it found was sealed.
void Objects::sealed_first(Provider& provider) {
    if (!provider.scanned_once || !provider.unsealed_first.empty())
        return;
    if (provider.record.rebased) {
        provider.record.rebased = false;
        store(provider);
    }
    if (provider.record.first_scan_sealed)
        return;
    provider.record.first_scan_sealed = true;
    store(provider);
    touch_all(provider.record.provider);
    if (provider.record.established)
        return;
    // Now the whole catalogue of somebody established makes this station one, too.
    for (const auto& [id, exchange] : exchanges_)
        if (exchange.greeted)
            request_index(id, true);
}

void Objects::catalogue_complete(const StationId& from,
                                 const std::vector<std::string>& established) {
    for (auto& [name, provider] : providers_) {
        if (!provider.enabled || !stations_->provider_open(from, name))
            continue;
        confirm_old_names(name);
        const bool theirs =
            std::find(established.begin(), established.end(), name) != established.end() ||
            mutant(Mutant::established_by_anyone);
        if (!theirs)
            continue;
        const bool sealed =
            provider.record.first_scan_sealed || mutant(Mutant::established_unsealed);
        if (!provider.record.established && sealed)
            establish(provider,
                      "it has received the whole catalogue from " + stations_->name_of(from));
    }
}

// What no catalogue named until now is unknown to the plant under its old name.
void Objects::confirm_old_names(const std::string& provider) {
    const auto [first, last] = objects_of(provider);
    for (auto place = first; place != last; ++place)
        if (place->second->record.old_name_unconfirmed)
            confirm_old_name(*place->second, nullptr);
}

void Objects::establish(Provider& provider, const std::string& why) {
    confirm_old_names(provider.record.provider);
    provider.record.established = true;
    store(provider);
    publish_profile(provider);
    context_.out.now(make_message("established", provider.record.provider,
                                  {{"provider", provider.record.provider}, {"text", why}}));
    touch_all(provider.record.provider);
    // Peers that wait for an established station learn of it with the next batch.
    for (auto& [id, exchange] : exchanges_)
        exchange.answer_wanted = exchange.answer_wanted || exchange.asked;
}

void Objects::on(const EstablishRequested& event) {
    std::size_t done = 0;
    for (auto& [name, provider] : providers_) {
        if (!provider.enabled || (!event.provider.empty() && event.provider != name))
            continue;
        ++done;
        if (!provider.record.established)
            establish(provider, "a person said so");
    }
    if (done == 0)
        answer("establish", event.provider, false,
               "no enabled provider is called '" + event.provider + "'");
    else
        answer("establish", event.provider, true, "established");
}

// A sequence of ours that we did not issue, or the same one with other content.
bool Objects::is_unknown_own(const Revision& revision) const {
    if (mutant(Mutant::no_incarnation) || revision.author != context_.author())
        return false;
    if (revision.sequence > context_.meta.sequence)
        return true;
    const auto place = objects_.find(revision.object);
    if (place == objects_.end())
        return false;
    const ObjectRecord& record = place->second->record;
    const auto differs = [&](const Revision& ours) {
        return ours.id() == revision.id() &&
               (ours.stamp != revision.stamp || ours.digest != revision.digest);
    };
    return (record.held && differs(*record.held)) ||
           std::any_of(record.set.begin(), record.set.end(),
                       [&](const SetEntry& entry) { return differs(*entry.revision); });
}

// Our state is older than what the plant knows of us: go on under a new name, as a newcomer.
void Objects::reincarnate() {
    if (mutant(Mutant::no_incarnation))
        return;
    begin_anew(context_.config.self);
    context_.out.now(make_message("state-older-than-plant", {}));
}

void Objects::station_renamed(const StationId& before) {
    context_.meta.made_by_init = false;
    begin_anew(before);
    context_.out.now(make_message("new-identity", {}));
}

// A new incarnation, newcomer for every provider. What it holds under the old name and the plant
// does not know is sealed anew when a peer's catalogue tells.
void Objects::begin_anew(const StationId& before) {
    MetaRecord& meta = context_.meta;
    meta.old_incarnations.push_back(meta.incarnation);
    do
        meta.incarnation = context_.random.next();
    while (meta.incarnation == 0);
    meta.sequence = 0;
    meta.index = 0;
    index_log_.clear();
    for (const auto& [id, object] : objects_) {
        ObjectRecord& record = object->record;
        record.old_name_unconfirmed = record.held && record.held->author.station == before;
        record.index = 0;
        bump(*object);
        touch(*object);
    }
    for (auto& [name, provider] : providers_) {
        provider.record.established = false;
        provider.record.first_scan_sealed = false;
        provider.full_scan_wanted = true;
        provider.scanned_once = false;
        provider.next_scan = context_.instant();
        store(provider);
        if (provider.enabled) {
            publish_profile(provider);
            start_scans(provider);
        }
    }
    context_.store_meta();
    for (auto& [id, exchange] : exchanges_) {
        exchange.acked = 0;
        exchange.in_flight = 0;
        greet(id);
    }
}

// The peer has this very revision (theirs given), or has told its whole catalogue without it
// (null).
void Objects::confirm_old_name(Object& object, const IndexEntry* theirs) {
    ObjectRecord& record = object.record;
    if (record.intent)
        return; // the live data may be the next state already; then there is nothing to rename
    const bool same =
        theirs && std::any_of(theirs->set.begin(), theirs->set.end(),
                              [&](const auto& entry) { return *entry.revision == *record.held; });
    record.old_name_unconfirmed = false;
    if (same) {
        bump(object); // it was not told while it was unconfirmed
        return;
    }
    reseal(object);
}

void Objects::reseal(Object& object) {
    ObjectRecord& record = object.record;
    const RevisionPtr old = record.held;
    auto revision = std::make_shared<Revision>(*old);
    revision->author = context_.author();
    revision->sequence = next_sequence();
    // What it had seen without itself. Of the old name only its parent is certain: a higher claim
    // could cover changes of a copy that it never saw.
    revision->seen.erase(old->author);
    if (old->parent.author == old->author)
        revision->seen.raise(old->author, old->parent.sequence);
    revision->seen.raise(revision->author, revision->sequence);
    // What is being changed was made on it: under its new name, and no more than that had seen.
    if (record.seen_change) {
        record.seen_change->base.erase(old->author);
        record.seen_change->base.merge(revision->seen);
    }
    Rank rank = record.held_rank;
    for (const SetEntry& entry : record.set)
        if (entry.revision->id() == old->id())
            rank = entry.rank;
    std::erase_if(record.set,
                  [&](const SetEntry& entry) { return entry.revision->id() == old->id(); });
    note_seen(*revision);
    merge_entry(record.set, {revision, rank, false});
    for (LocalPackage& local : record.packages)
        if (local.revision == old->id())
            local.revision = revision->id();
    record.held = revision;
    record.held_rank = rank;
    if (const auto package = local_content(object, revision->id()))
        context_.out.now(DescribePackage{record.id, package->digest, revision, false});
    object.present.clear();
    bump(object);
    touch(object);
}

} // namespace stationsync::core
