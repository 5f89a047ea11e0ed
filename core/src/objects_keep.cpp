// What is kept of replaced states, and for how long (rules 13, 16, 17).
#include "objects.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::core {

HistoryWhat what_of(KeptReason reason) {
    switch (reason) {
    case KeptReason::superseded:
        return HistoryWhat::superseded;
    case KeptReason::conflict_lost:
        return HistoryWhat::conflict_lost;
    case KeptReason::clock_wrong:
        return HistoryWhat::clock_wrong;
    case KeptReason::put_back:
        return HistoryWhat::put_back;
    default:
        return HistoryWhat::newcomer_replaced;
    }
}

KeptReason Objects::loss_reason(const SetEntry& head, const Object& object) const {
    const Revision& held = *object.record.held;
    if (has_seen(*head.revision, held))
        return KeptReason::superseded;
    SetEntry mine{object.record.held, object.record.held_rank, false};
    for (const SetEntry& entry : object.record.set)
        if (entry.revision->id() == held.id())
            mine = entry;
    if (mine.rank < head.rank)
        return KeptReason::newcomer_replaced;
    return mine.clock_wrong && !head.clock_wrong ? KeptReason::clock_wrong
                                                 : KeptReason::conflict_lost;
}

bool Objects::is_kept(const Object& object, const RevisionId& revision) const {
    return std::any_of(
        object.record.kept.begin(), object.record.kept.end(),
        [&](const KeptState& kept) { return kept.revision && kept.revision->id() == revision; });
}

std::vector<StationId> Objects::holders(const Object& object) const {
    std::vector<StationId> found;
    if (object.record.held && object.held_id() == object.head_id() && !object.live_absent())
        found.push_back(context_.config.self);
    for (std::uint16_t const slot : object.present)
        found.push_back(slots_[slot]);
    return found;
}

void Objects::record_history(const Object& object, HistoryWhat what, const RevisionPtr& revision,
                             const PackageInfo& package, bool kept, Stamp other) {
    HistoryEntry entry;
    entry.at = context_.wall();
    entry.object = object.record.id;
    entry.what = what;
    entry.version = version_id(revision, package);
    entry.from = revision ? revision->author.station : context_.config.self;
    entry.stamp = revision ? revision->stamp : Stamp{};
    entry.replaced_stamp = other;
    entry.bytes = revision ? revision->bytes : package.bytes;
    entry.kept = kept;
    if (kept)
        entry.package = package.digest;
    if (what == HistoryWhat::applied && object.activity)
        entry.transferred_bytes = object.activity->received_bytes;
    // Rule 16: where no package is kept here, the author has it, linked now or not.
    const bool foreign = revision && revision->author.station != context_.config.self;
    if (!kept && foreign && object.record.held && revision->id() == object.held_id())
        entry.kept_on.push_back(revision->author.station);
    context_.out.mutate(AppendHistory{std::move(entry)});
}

void Objects::keep(Object& object, KeptState state, HistoryWhat what) {
    context_.out.now(DescribePackage{object.record.id, state.package.digest, state.revision, true});
    record_history(object, what, state.revision, state.package, true,
                   object.head() ? object.head()->revision->stamp : Stamp{});
    kept_bytes_ += state.package.bytes;
    Provider* const provider = provider_of(object.record.id);
    if (what == HistoryWhat::newcomer_replaced && provider != nullptr &&
        !std::exchange(provider->told_of_replaced, true)) // one message, however many objects
        context_.out.now(make_message("newcomer-replaced", object.record.id.provider));
    object.record.kept.push_back(std::move(state));
    trim_kept(object);
}

// What is held is in the history from before (found again, or saved for an apply that did not take
// place), and is replaced only now: its time there begins now.
void Objects::renew_kept(Object& object, KeptReason reason) {
    auto& kept = object.record.kept;
    const auto place = std::find_if(kept.begin(), kept.end(), [&](const KeptState& state) {
        return state.revision && state.revision->id() == object.held_id();
    });
    // Who lost once is kept as a loser, whatever replaced it the second time.
    const bool open = place->reason == KeptReason::found || place->reason == KeptReason::superseded;
    const bool is_news = open && std::exchange(place->reason, reason) != reason;
    place->kept_at = context_.wall();
    std::rotate(place, place + 1, kept.end());
    const KeptState& state = kept.back();
    if (is_news)
        record_history(object, what_of(state.reason), state.revision, state.package, true,
                       object.head() ? object.head()->revision->stamp : Stamp{});
    trim_kept(object);
}

void Objects::on(const KeptFound& event) {
    Object* const object = find(event.object);
    if (!object)
        return;
    ObjectRecord& record = object->record;
    const auto& revision = event.revision;
    if (revision && is_kept(*object, revision->id())) { // a second copy
        context_.out.now(DropPackage{event.object, event.package.digest, true});
        return;
    }
    const auto same = [&](const KeptState& kept) {
        return kept.package.digest == event.package.digest;
    };
    if (std::any_of(record.kept.begin(), record.kept.end(), same))
        return;
    KeptState state;
    state.package = event.package;
    state.reason = KeptReason::found;
    state.kept_at = context_.wall();
    state.revision = revision;
    state.digest = revision ? revision->digest : std::nullopt;
    state.bytes = revision ? revision->bytes : event.package.bytes;
    kept_bytes_ += state.package.bytes;
    record_history(*object, HistoryWhat::found, revision, event.package, true, {});
    // Older than the others as far as anybody knows: the newest one is never trimmed.
    record.kept.insert(record.kept.begin(), std::move(state));
    store(*object);
}

// Rule 16: of reproducible content the others keep no package, because its author does. Made here
// under a former name (the state was put back), it is not held here, and may be overtaken before it
// is: whoever holds it relies on this package, so it goes to the history at once.
void Objects::keep_own(const Provider& provider, Object& object) {
    const RevisionPtr head = object.head()->revision;
    const bool former_name = head->author.station == context_.config.self &&
                             head->author.incarnation != context_.meta.incarnation;
    if (!former_name || !provider.config.export_reproducible || object.active().own_package ||
        object.record.intent)
        return;
    const auto& kept = object.record.kept;
    const auto& packages = object.record.packages;
    const auto local = std::find_if(packages.begin(), packages.end(), [&](const auto& each) {
        return each.revision == head->id() && !each.live;
    });
    if (local == packages.end() || std::any_of(kept.begin(), kept.end(), [&](const auto& each) {
            return is_state_of(each, *head);
        }))
        return;
    const OwnPackage own{context_.new_job(), head, local->package};
    jobs_[own.job] = &object;
    context_.out.now(SaveToHistory{
        own.job, object.record.id, {{head, own.package, false, {}, KeptReason::found}}});
    object.active().own_package = own;
}

void Objects::own_kept(Object& object, const HistorySaved& event) {
    const OwnPackage own = *std::exchange(object.activity->own_package, std::nullopt);
    jobs_.erase(event.job);
    if (event.status == JobStatus::ok && !event.items.empty() && event.items[0].saved) {
        const PackageInfo& kept = event.items[0].package;
        context_.out.now(DescribePackage{object.record.id, kept.digest, own.revision, true});
        on(KeptFound{object.record.id, kept, own.revision});
    }
    // It was held back while it was on its way.
    context_.out.after_durable(DropPackage{object.record.id, own.package.digest, false});
}

void Objects::drop_kept(Object& object, std::size_t position, bool tell) {
    const KeptState state = object.record.kept[position];
    object.record.kept.erase(object.record.kept.begin() + static_cast<std::ptrdiff_t>(position));
    kept_bytes_ -= state.package.bytes;
    const bool still_used = std::any_of(
        object.record.kept.begin(), object.record.kept.end(),
        [&](const KeptState& other) { return other.package.digest == state.package.digest; });
    if (!still_used)
        context_.out.after_durable(DropPackage{object.record.id, state.package.digest, true});
    record_history(object, HistoryWhat::deleted, state.revision, state.package, false, {});
    if (tell)
        context_.out.now(make_message("loser-deleted", to_text(object.record.id),
                                      {{"key", object.record.id.key}}));
}

namespace {
bool counts(const KeptState& state) {
    return state.reason == KeptReason::superseded || mutant(Mutant::losers_not_apart);
}
} // namespace

// The limits of one object. The newest replaced state is kept whatever the limits.
void Objects::trim_kept(Object& object) {
    const Limits& limits = context_.config.limits;
    auto& kept = object.record.kept;
    std::size_t superseded =
        static_cast<std::size_t>(std::count_if(kept.begin(), kept.end(), counts));
    for (std::size_t i = 0; i + 1 < kept.size() && superseded > limits.kept_per_object;) {
        if (!counts(kept[i])) {
            ++i;
            continue;
        }
        drop_kept(object, i, false);
        --superseded;
    }
    // A clock that nobody confirms may be a year ahead: by it nothing is too old.
    if (!stations_->clock_agrees() || context_.clock_stepped)
        return;
    for (std::size_t i = 0; i + 1 < kept.size();) {
        const WallTime since = std::max(kept[i].kept_at, context_.meta.aging_since);
        if (since + limits.kept_age_max < context_.wall() && !counts(kept[i]))
            drop_kept(object, i, false);
        else
            ++i;
    }
}

// The age limit and the limit of all together: superseded states go first, oldest first.
void Objects::trim_all_kept() {
    const Limits& limits = context_.config.limits;
    for (const auto& [id, object] : objects_) {
        std::size_t const before = object->record.kept.size();
        if (before > 1)
            trim_kept(*object);
        if (object->record.kept.size() != before)
            store(*object);
    }
    if (kept_bytes_ <= limits.kept_bytes_max)
        return;
    for (const bool losers : {false, true}) {
        std::vector<std::tuple<WallTime, Object*, Digest>> candidates;
        for (const auto& [id, object] : objects_)
            for (std::size_t i = 0; i + 1 < object->record.kept.size(); ++i)
                if (counts(object->record.kept[i]) != losers)
                    candidates.emplace_back(object->record.kept[i].kept_at, object.get(),
                                            object->record.kept[i].package.digest);
        std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
            return std::tie(std::get<0>(a), std::get<1>(a)->record.id) <
                   std::tie(std::get<0>(b), std::get<1>(b)->record.id);
        });
        for (const auto& [at, object, digest] : candidates) {
            if (kept_bytes_ <= limits.kept_bytes_max)
                return;
            auto& kept = object->record.kept;
            for (std::size_t i = 0; i + 1 < kept.size(); ++i)
                if (kept[i].package.digest == digest) {
                    drop_kept(*object, i, losers);
                    store(*object);
                    break;
                }
        }
    }
}

// Package files that nobody needs: neither of what is held nor of what is about to be applied. The
// predecessor for differences is in the history.
void Objects::tidy_packages(Provider& provider, Object& object) {
    ObjectRecord& record = object.record;
    std::set<Digest> keep_files;
    std::vector<LocalPackage> remaining;
    const RevisionId held = object.held_id();
    for (LocalPackage& local : record.packages) {
        const bool own = local.revision.author.station == context_.config.self;
        const bool is_held = local.revision == held;
        const bool wanted = is_held || local.revision == object.head_id() || record.intent;
        if (!wanted || (is_held && mutant(Mutant::drop_current_package)))
            continue;
        // Reproducible content that somebody else made is served from the live data.
        if (is_held && !own && provider.config.export_reproducible && object.head_id() == held)
            local.live = true;
        const bool twice = std::any_of(remaining.begin(), remaining.end(), [&](const auto& other) {
            return other.revision == local.revision && other.package == local.package &&
                   (other.live == local.live || !other.live);
        });
        if (twice)
            continue;
        if (!local.live)
            keep_files.insert(local.package.digest);
        remaining.push_back(local);
    }
    std::set<Digest> dropped;
    for (const LocalPackage& local : record.packages)
        dropped.insert(local.package.digest);
    for (const Digest& digest : dropped)
        if (!keep_files.contains(digest))
            context_.out.after_durable(DropPackage{record.id, digest, false});
    record.packages = std::move(remaining);
}

bool Objects::needs_package(const Object& object, const DropPackage& drop) const {
    const ObjectRecord& record = object.record;
    const auto is_it = [&](const PackageInfo& package) { return package.digest == drop.package; };
    if (drop.from_history) {
        const auto keeps = [&](const KeptState& kept) { return is_it(kept.package); };
        return std::any_of(record.kept.begin(), record.kept.end(), keeps) ||
               (record.intent &&
                std::any_of(record.intent->replaced.begin(), record.intent->replaced.end(), keeps));
    }
    const bool restoring =
        std::any_of(restores_.begin(), restores_.end(), [&](const PendingRestore& each) {
            return each.object == drop.object && each.adopting && is_it(each.adopting->package);
        });
    const auto& own = object.activity ? object.activity->own_package : std::nullopt;
    return restoring || (own && is_it(own->package)) ||
           (record.intent && is_it(record.intent->package)) ||
           std::any_of(
               record.packages.begin(), record.packages.end(),
               [&](const LocalPackage& local) { return !local.live && is_it(local.package); });
}

void Objects::screen_drops(std::vector<Action>& actions) {
    const auto is_busy = [](const Object& object) {
        const Stage stage = object.stage();
        return (stage != Stage::idle && stage != Stage::settling) ||
               (object.activity && object.activity->fetching);
    };
    std::vector<DropPackage> waiting;
    waiting.swap(drops_);
    for (Action& action : actions)
        if (auto* const drop = std::get_if<DropPackage>(&action))
            waiting.push_back(*drop);
    if (waiting.empty())
        return;
    std::erase_if(actions,
                  [](const Action& action) { return std::holds_alternative<DropPackage>(action); });
    for (DropPackage& drop : waiting) {
        const Object* const object = find(drop.object);
        if (object && is_busy(*object))
            drops_.push_back(std::move(drop));
        else if (!object || mutant(Mutant::drop_current_package) || !needs_package(*object, drop))
            actions.emplace_back(std::move(drop));
    }
}

} // namespace stationsync::core
