// Which content is fetched from whom, and how much at once.
#include "objects.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
// Below this a partial holder is not worth an announcement.
constexpr std::uint64_t partial_announced_from = 4u << 20;

// While nothing is applied for days, what came is overtaken again and again: only what somebody may
// still need of it stays.
void drop_overtaken(Context& context, ObjectRecord& record) {
    const auto is_needed = [&](const LocalPackage& local) {
        const bool held = record.held && local.revision == record.held->id();
        return local.live || held || record.intent ||
               std::any_of(record.set.begin(), record.set.end(), [&](const SetEntry& entry) {
                   return entry.revision->id() == local.revision;
               });
    };
    const auto overtaken =
        std::stable_partition(record.packages.begin(), record.packages.end(), is_needed);
    for (auto local = overtaken; local != record.packages.end(); ++local)
        context.out.after_durable(DropPackage{record.id, local->package.digest, false});
    record.packages.erase(overtaken, record.packages.end());
}
} // namespace

void Objects::want_content(Object& object) {
    Activity& activity = object.active();
    const Revision& head = *object.head()->revision;
    if (activity.fetching) {
        if (activity.fetching->revision == head.id()) {
            refresh_sources(object);
            return;
        }
        drop_fetch(object);
    }
    if (activity.content.retry_at > context_.instant())
        return;
    PackageInfo package;
    std::vector<StationId> sources;
    if (!choose_package(object, package, sources)) {
        // What failed verification is tried again after the others: the fault may have been on the
        // way.
        activity.bad_packages.clear();
        if (!choose_package(object, package, sources)) {
            // What stopped the last fetch is not what it waits for now.
            if (!activity.content.text.empty()) {
                activity.content.text.clear();
                context_.out.now(ObjectChanged{object.record.id});
            }
            ask_for_packages(object);
            return; // waiting, the reason is explained
        }
    }
    if (!activity.fetch_queued) {
        activity.fetch_queued = true;
        activity.fetch_priority = head.bytes;
        fetch_queue_.emplace(head.bytes, object.record.id);
    }
}

// Who has packages is remembered only while an object wants content. One that was in step and wants
// it again (a file was deleted, a package lost) asks the peers for everything once more, not too
// often.
void Objects::ask_for_packages(Object& object) {
    constexpr Duration again_after = std::chrono::minutes(1);
    for (auto& [id, exchange] : exchanges_) {
        const auto slot = slot_by_station_.find(id);
        const bool holds =
            slot != slot_by_station_.end() &&
            std::binary_search(object.present.begin(), object.present.end(), slot->second);
        if (!exchange.complete || (!holds && !object.present.empty()))
            continue;
        if (exchange.packages_asked_at.us != 0 &&
            exchange.packages_asked_at + again_after > context_.instant()) {
            object.active().content.retry_at = exchange.packages_asked_at + again_after;
            continue;
        }
        exchange.packages_asked_at = context_.instant();
        exchange.cursor = 0;
        request_index(id, true);
    }
}

void Objects::drop_fetch(Object& object) {
    if (!object.activity)
        return;
    Activity& activity = *object.activity;
    if (activity.fetch_queued) {
        activity.fetch_queued = false;
        fetch_queue_.erase({activity.fetch_priority, object.record.id});
    }
    if (!activity.fetching)
        return;
    context_.out.now(CancelJob{activity.fetching->job});
    announce_partial(object, false);
    jobs_.erase(activity.fetching->job);
    --running_.fetches;
    running_.fetch_bytes -= activity.fetching->package.bytes;
    activity.fetching.reset();
}

// The package with the most sources; of a tie the one that somebody holds in full.
bool Objects::choose_package(const Object& object, PackageInfo& package,
                             std::vector<StationId>& sources) const {
    const RevisionId head = object.head_id();
    std::map<PackageInfo, std::pair<std::vector<StationId>, bool>> by_package;
    for (const PeerPackage& peer : object.activity->peer_packages) {
        if (peer.revision != head || object.activity->bad_packages.contains(peer.package.digest) ||
            !stations_->provider_open(peer.station, object.record.id.provider))
            continue;
        auto& [stations, complete] = by_package[peer.package];
        if (std::find(stations.begin(), stations.end(), peer.station) == stations.end())
            stations.push_back(peer.station);
        complete = complete || !peer.partial;
    }
    auto best = by_package.end();
    for (auto place = by_package.begin(); place != by_package.end(); ++place) {
        const bool complete = place->second.second;
        if (!complete)
            continue; // nobody reachable has all of it: it would hang half-way
        if (best == by_package.end() || place->second.first.size() > best->second.first.size())
            best = place;
    }
    if (best == by_package.end())
        return false;
    package = best->first;
    sources = best->second.first;
    std::sort(sources.begin(), sources.end());
    return true;
}

std::vector<PackageInfo> Objects::bases(const Object& object) const {
    std::vector<PackageInfo> found;
    for (auto local = object.record.packages.rbegin(); local != object.record.packages.rend();
         ++local)
        if (!local->live)
            found.push_back(local->package);
    for (auto kept = object.record.kept.rbegin(); kept != object.record.kept.rend(); ++kept)
        if (found.size() < 4)
            found.push_back(kept->package);
    return found;
}

bool Objects::start_fetch(Object& object) {
    Activity& activity = object.active();
    Fetching fetching;
    if (!object.head() || !choose_package(object, fetching.package, fetching.sources))
        return true; // nothing to do any more
    const Limits& limits = context_.config.limits;
    const bool room = running_.fetches == 0 ||
                      (running_.fetches < limits.fetches_at_once &&
                       running_.fetch_bytes + fetching.package.bytes <= limits.fetch_bytes_at_once);
    if (!room)
        return false;
    fetching.job = context_.new_job();
    fetching.revision = object.head_id();
    ++running_.fetches;
    running_.fetch_bytes += fetching.package.bytes;
    jobs_[fetching.job] = &object;
    context_.out.now(StartFetch{fetching.job, object.record.id, object.head()->revision,
                                fetching.package, fetching.sources, bases(object)});
    activity.fetching = std::move(fetching);
    announce_partial(object, true);
    context_.out.now(ObjectChanged{object.record.id});
    return true;
}

void Objects::run_fetch_queue() {
    while (!fetch_queue_.empty()) {
        const auto first = fetch_queue_.begin();
        Object* const object = find(std::get<1>(*first));
        if (object && object->activity && object->activity->fetch_queued) {
            if (!start_fetch(*object))
                return;
            object->activity->fetch_queued = false;
        }
        fetch_queue_.erase(first);
    }
}

void Objects::refresh_sources(Object& object) {
    Fetching& fetching = *object.activity->fetching;
    std::vector<StationId> sources;
    for (const PeerPackage& peer : object.activity->peer_packages)
        if (peer.revision == fetching.revision && peer.package == fetching.package &&
            stations_->provider_open(peer.station, object.record.id.provider))
            sources.push_back(peer.station);
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    if (sources == fetching.sources)
        return;
    if (sources.empty()) {
        // The part that is here stays on disk: the next fetch continues it.
        drop_fetch(object);
        want_content(object);
        return;
    }
    fetching.sources = sources;
    context_.out.now(SetFetchSources{fetching.job, std::move(sources)});
}

void Objects::announce_partial(Object& object, bool active) {
    Fetching& fetching = *object.activity->fetching;
    if (fetching.announced == active || fetching.package.bytes < partial_announced_from)
        return;
    fetching.announced = active;
    broadcast(object.record.id.provider,
              PartialPackage{object.record.id, fetching.revision, fetching.package, active});
}

void Objects::on(const FetchProgressed& event) {
    const auto place = jobs_.find(event.job);
    if (place == jobs_.end() || !place->second->activity || !place->second->activity->fetching)
        return;
    Fetching& fetching = *place->second->activity->fetching;
    fetching.done = event.bytes_done;
    fetching.received = event.bytes_received;
    context_.out.now(ObjectChanged{place->second->record.id});
}

void Objects::on(const FetchSourceFailed& event) {
    const auto place = jobs_.find(event.job);
    if (place == jobs_.end() || !place->second->activity || !place->second->activity->fetching)
        return;
    Object& object = *place->second;
    const PackageInfo package = object.activity->fetching->package;
    std::erase_if(object.activity->peer_packages, [&](const PeerPackage& peer) {
        return peer.station == event.source && peer.package == package;
    });
    object.activity->content.text = event.text;
    touch(object);
}

void Objects::on(const FetchFinished& event) {
    const auto place = jobs_.find(event.job);
    if (place == jobs_.end() || !place->second->activity || !place->second->activity->fetching ||
        place->second->activity->fetching->job != event.job)
        return;
    Object& object = *place->second;
    Activity& activity = *object.activity;
    announce_partial(object, false);
    const Fetching fetching = std::move(*activity.fetching);
    activity.fetching.reset();
    jobs_.erase(place);
    --running_.fetches;
    running_.fetch_bytes -= fetching.package.bytes;
    touch(object);
    RevisionPtr revision;
    for (const SetEntry& entry : object.record.set)
        if (entry.revision->id() == fetching.revision)
            revision = entry.revision;
    const bool wrong = event.status == JobStatus::ok && revision && revision->digest &&
                       event.digest && *revision->digest != *event.digest;
    if (event.status == JobStatus::ok && !wrong) {
        activity.content = {};
        activity.received_bytes = event.bytes_received;
        object.record.packages.push_back({fetching.revision, fetching.package, false});
        drop_overtaken(context_, object.record);
        bump(object);
        return;
    }
    if (wrong)
        context_.out.now(DropPackage{object.record.id, fetching.package.digest, false});
    if (wrong || event.status == JobStatus::corrupt) {
        activity.bad_packages.insert(fetching.package.digest);
    }
    Trouble& trouble = activity.content;
    trouble.status = wrong ? JobStatus::corrupt : event.status;
    trouble.text = wrong ? "the package does not contain what its revision says" : event.text;
    const Duration base = std::chrono::seconds(1) * (1 << std::min(trouble.failures, 6u));
    ++trouble.failures;
    trouble.retry_at = context_.instant() +
                       context_.random.jittered(std::min<Duration>(base, std::chrono::seconds(60)));
}

void Objects::on(const PackageLost& event) {
    Object* const object = find(event.object);
    if (!object)
        return;
    ObjectRecord& record = object->record;
    if (event.from_history) {
        std::erase_if(record.kept, [&](const KeptState& kept) {
            const bool lost = kept.package.digest == event.package;
            kept_bytes_ -= lost ? kept.package.bytes : 0;
            return lost;
        });
        store(*object);
        touch(*object);
        return;
    }
    const auto lost = std::erase_if(record.packages, [&](const LocalPackage& local) {
        return local.package.digest == event.package && !local.live;
    });
    if (lost == 0)
        return;
    object->active().adopt_after =
        context_.instant() + context_.random.jittered(std::chrono::seconds(60));
    bump(*object);
    // The live data are still the held revision: make its package again (never a new revision).
    if (object->is_clean() && object->stage() == Stage::idle && !record.intent &&
        !local_content(*object, record.held->id()))
        if (Provider* const provider = provider_of(record.id)) {
            object->active().urgent = true;
            start_export(*provider, *object);
        }
    touch(*object);
}

void Objects::on_message(const StationId& from, const PartialPackage& message) {
    Object* const object = find(message.object);
    if (!object || !wants_apply(*object))
        return;
    auto& packages = object->active().peer_packages;
    std::erase_if(packages, [&](const PeerPackage& peer) {
        return peer.station == from && peer.package == message.package && peer.partial;
    });
    const bool known = std::any_of(packages.begin(), packages.end(), [&](const PeerPackage& peer) {
        return peer.station == from && peer.package == message.package;
    });
    if (message.active && !known)
        packages.push_back({from, message.revision, message.package, true, false});
    touch(*object);
}

} // namespace stationsync::core
