// From an exported state to a revision, an adoption, a put-back, or nothing.
#include "objects.hpp"
#include "stamping.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
constexpr Duration changed_pause = std::chrono::seconds(1);
constexpr const char* moved_text = "the live data changed while its package was made";
} // namespace

void Objects::start_export(Provider& provider, Object& object) {
    Activity& activity = object.active();
    activity.export_waiting = running_.exports >= context_.config.limits.exports_at_once;
    if (activity.export_waiting) {
        running_.exports_waiting.insert(object.record.id);
        return;
    }
    const bool at_cap = activity.first_seen + provider.config.settle_max <= context_.instant();
    const bool any_state = at_cap || activity.urgent || object.record.publish_requested;
    Export job;
    job.job = context_.new_job();
    job.object = object.record.id;
    job.purpose = ExportPurpose::seal;
    if (!any_state && object.record.seen_change)
        job.expected = object.record.seen_change->mark;
    if (!object.record.seen_change && !object.record.publish_requested)
        job.expected = object.record.mark; // a package of the held state again
    job.live_allowed = provider.config.export_reproducible;
    activity.publishing = object.record.publish_requested;
    ++running_.exports;
    start_job(object, Stage::exporting, job.job);
    context_.out.now(std::move(job));
}

// A place is free: the next one that waits is decided again.
void Objects::export_ended() {
    --running_.exports;
    while (!running_.exports_waiting.empty()) {
        Object* const next = find(*running_.exports_waiting.begin());
        running_.exports_waiting.erase(running_.exports_waiting.begin());
        if (next && next->activity && next->activity->export_waiting) {
            next->activity->export_waiting = false;
            touch(*next);
            return;
        }
    }
}

void Objects::on(const ExportFinished& event) {
    if (verify_finished(event))
        return;
    Object* const object = end_job(event.job, Stage::exporting);
    if (!object)
        return;
    export_ended();
    Provider* const provider = provider_of(object->record.id);
    if (!provider)
        return;
    if (event.status != JobStatus::ok) {
        on_export_failed(*provider, *object, event);
        return;
    }
    object->activity->exported = event;
    classify_exported(*object);
    conclude_export(*provider, *object);
}

void Objects::on_export_failed(Provider& provider, Object& object, const ExportFinished& event) {
    Activity& activity = object.active();
    set_stage(object, object.record.seen_change ? Stage::settling : Stage::idle);
    switch (event.status) {
    case JobStatus::changed:
        // It moved: quiet time begins again, up to the cap, and with a pause beyond it.
        activity.settle_at = std::max(std::min(context_.instant() + provider.config.settle,
                                               activity.first_seen + provider.config.settle_max),
                                      context_.instant() + changed_pause);
        // A package of the held state again has no quiet time: the scan must come first.
        if (!object.record.seen_change)
            fail_live(object, event.status, moved_text);
        rescan(object);
        break;
    case JobStatus::not_found:
        if (object.record.publish_requested) {
            object.record.publish_requested = false;
            store(object);
            answer("publish", to_text(object.record.id), false,
                   "there is no live data to publish: the object does not exist here");
        }
        // A scan tells what became of it; asking again at once would keep that from being
        // concluded.
        fail_live(object, event.status, "the live data are not there just now");
        rescan(object);
        break;
    default:
        fail_live(object, event.status, event.text, event.retry_after);
    }
}

// At the cap and by "send now" whatever is live is taken, also what no scan has seen yet: an old
// backup that was restored over unsealed edits is one all the same.
void Objects::classify_exported(Object& object) {
    ObjectRecord& record = object.record;
    const ExportFinished& exported = *object.activity->exported;
    if (!record.seen_change || record.seen_change->mark == exported.mark)
        return;
    ObservedObject seen;
    seen.key = record.id.key;
    seen.mark = exported.mark;
    seen.changed_at = exported.changed_at;
    seen.time_uncertain = record.seen_change->time_uncertain;
    const bool times_valid = record.clock_steps == context_.meta.clock_steps;
    if (classify(record, seen, times_valid, context_.wall()) == ChangeClass::restored_old)
        record.seen_change->change_class = ChangeClass::restored_old;
}

bool Objects::is_put_back(const Object& object) const {
    const SeenChange& change = *object.record.seen_change;
    if (change.change_class == ChangeClass::restored_old)
        return true;
    // A time before 1990 says nothing; content that was held here before says it all.
    const std::optional<Digest> digest = object.activity->exported->digest;
    return change.before_1990 && digest &&
           std::any_of(object.record.kept.begin(), object.record.kept.end(),
                       [&](const KeptState& kept) { return kept.digest == digest; });
}

bool Objects::adopts_head(const Object& object) const {
    if (mutant(Mutant::no_adopt_equal))
        return false;
    const SetEntry* const head = object.head();
    const std::optional<Digest> digest = object.activity->exported->digest;
    return head && digest && head->revision->digest == digest &&
           head->revision->id() != object.held_id();
}

// Decides what the exported state is, and puts into the history first what stops being `held`.
void Objects::conclude_export(Provider& provider, Object& object) {
    Activity& activity = *object.activity;
    const ObjectRecord& record = object.record;
    const ExportFinished& exported = *activity.exported;
    const bool equals_held =
        record.held && ((exported.digest && record.held->digest == exported.digest) ||
                        exported.mark == record.mark);
    const bool equal_is_change = activity.publishing || mutant(Mutant::echo);
    if (equals_held && !(equal_is_change && (activity.publishing || record.seen_change))) {
        no_change(provider, object);
        return;
    }
    if (!record.seen_change && !activity.publishing) {
        // A package of the held state was wanted, but the live data moved on.
        if (!exported.live)
            context_.out.now(DropPackage{record.id, exported.package.digest, false});
        set_stage(object, Stage::idle);
        fail_live(object, JobStatus::changed, moved_text);
        rescan(object);
        return;
    }
    activity.save_items.clear();
    if (!activity.publishing && is_put_back(object)) {
        activity.save_items.push_back(
            {nullptr, exported.package, exported.live, exported.mark, KeptReason::put_back});
    } else if (record.held && !is_kept(object, object.held_id()) && !equals_held &&
               !mutant(Mutant::held_not_to_history)) {
        // The live data are the new state already: only the package of `held` can be kept.
        if (const auto package = local_content(object, object.held_id()))
            activity.save_items.push_back(
                {record.held, package, false, record.mark, KeptReason::superseded});
    }
    if (activity.save_items.empty()) {
        conclude_kept(provider, object, {});
        return;
    }
    const JobId job = context_.new_job();
    start_job(object, Stage::keeping, job);
    context_.out.now(SaveToHistory{job, record.id, activity.save_items});
}

void Objects::conclude_kept(Provider& provider, Object& object,
                            const std::vector<SavedItem>& saved) {
    Activity& activity = *object.activity;
    if (!activity.publishing && is_put_back(object)) {
        const PackageInfo kept = saved.empty() ? activity.exported->package : saved[0].package;
        put_back(provider, object, kept);
        return;
    }
    // Rule 13: whatever stops being held goes to the history; where no package of it is left here,
    // the entry says so.
    ObjectRecord& record = object.record;
    const bool same_content =
        record.held &&
        (activity.exported->mark == record.mark ||
         (activity.exported->digest && record.held->digest == activity.exported->digest));
    if (record.held && !same_content && is_kept(object, object.held_id()))
        renew_kept(object, !activity.publishing && adopts_head(object)
                               ? loss_reason(*object.head(), object)
                               : KeptReason::superseded);
    if (record.held && !is_kept(object, object.held_id()) && !same_content) {
        const bool adopting = !activity.publishing && adopts_head(object);
        const KeptReason reason =
            adopting ? loss_reason(*object.head(), object) : KeptReason::superseded;
        KeptState state{
            {}, reason, context_.wall(), record.held, record.held->digest, record.held->bytes};
        const bool kept = !saved.empty() && saved[0].saved;
        if (kept)
            state.package = saved[0].package;
        const HistoryWhat what = what_of(reason);
        if (kept)
            keep(object, std::move(state), what);
        else
            record_history(object, what, record.held, {}, false, {});
    }
    if (!activity.publishing && adopts_head(object))
        adopt(provider, object);
    else
        seal(provider, object);
}

void Objects::no_change(Provider& provider, Object& object) {
    Activity& activity = *object.activity;
    const ExportFinished exported = *activity.exported;
    ObjectRecord& record = object.record;
    record.mark = exported.mark;
    if (record.seen_change || activity.publishing)
        record.clean_at = context_.wall();
    // A package of the held state where none was left is worth keeping; one more is litter.
    if (record.held && !has_package(provider, object)) {
        if (!exported.live)
            context_.out.now(
                DescribePackage{record.id, exported.package.digest, record.held, false});
        record.packages.push_back({record.held->id(), exported.package, exported.live});
        bump(object);
    } else if (!exported.live &&
               std::none_of(record.packages.begin(), record.packages.end(), [&](const auto& each) {
                   return each.package.digest == exported.package.digest && !each.live;
               })) {
        context_.out.now(DropPackage{record.id, exported.package.digest, false});
    }
    end_change(object);
    set_stage(object, Stage::idle);
    store(object);
    scan_sealed(provider, object);
    if (object.activity->rescan) {
        object.activity->rescan = false;
        rescan(object);
    }
    touch(object);
}

VersionVector Objects::base_of(const Object& object) const {
    VersionVector base;
    const ObjectRecord& record = object.record;
    if (mutant(Mutant::base_is_known)) {
        for (const SetEntry& entry : record.set)
            base.merge(entry.revision->seen);
        return base;
    }
    if (!record.held)
        return base;
    base.merge(record.held->seen);
    // What had already lost to the held revision here was seen by whoever changes it.
    SetEntry held{record.held, record.held_rank, false};
    for (const SetEntry& entry : record.set)
        if (entry.revision->id() == record.held->id())
            held = entry;
    for (const SetEntry& entry : record.set)
        if (loses_to(entry, held))
            base.merge(entry.revision->seen);
    return base;
}

std::uint64_t Objects::next_sequence() {
    std::uint64_t const floor =
        context_.wall().us > 0 ? static_cast<std::uint64_t>(context_.wall().us / 1000) : 0;
    std::uint64_t& sequence = context_.meta.sequence;
    sequence = mutant(Mutant::sequence_plain) ? sequence + 1 : std::max(sequence + 1, floor);
    context_.store_meta();
    return sequence;
}

Duration Objects::clock_error_bound() const {
    return stations_->clock_error_bound();
}

RevisionPtr Objects::make_revision(Provider& provider, const Object& object, Rank& rank) {
    const ObjectRecord& record = object.record;
    const Activity& activity = *object.activity;
    const ExportFinished& exported = *activity.exported;
    auto revision = std::make_shared<Revision>();
    revision->object = record.id;
    revision->author = context_.author();
    revision->sequence = next_sequence();
    revision->digest = exported.digest;
    revision->bytes = exported.bytes;
    revision->parent = object.held_id();
    revision->tokens = provider.tokens;
    ChangeTime time{context_.wall(), {}};
    if (activity.publishing) {
        revision->seen = everything_known(object);
        rank = Rank::plant;
    } else {
        const SeenChange& change = *record.seen_change;
        const std::optional<WallTime> reported =
            exported.changed_at ? exported.changed_at : change.changed_at;
        time = change_time(change, reported, context_.wall());
        revision->seen = change.base;
        rank = rank_of_change(provider, object);
    }
    std::vector<Stamp> seen_stamps;
    const auto saw = [&](const Revision& other, bool clock_wrong) {
        if (revision->seen.at(other.author) >= other.sequence && !clock_wrong)
            seen_stamps.push_back(other.stamp);
    };
    bool held_in_set = false;
    for (const SetEntry& entry : record.set) {
        saw(*entry.revision, entry.clock_wrong);
        held_in_set = held_in_set || entry.revision->id() == object.held_id();
    }
    if (record.held && !held_in_set)
        saw(*record.held, judge_stamp(record.held->stamp, context_.wall(), true) ==
                              StampVerdict::accept_clock_wrong);
    revision->changed_at = time.changed_at;
    revision->uncertainty = time.interval + clock_error_bound();
    revision->stamp = make_stamp(time.changed_at, seen_stamps);
    revision->seen.raise(revision->author, revision->sequence);
    return revision;
}

void Objects::seal(Provider& provider, Object& object) {
    Activity& activity = *object.activity;
    ObjectRecord& record = object.record;
    const ExportFinished exported = *activity.exported;
    const bool publishing = activity.publishing;
    Rank rank = Rank::plant;
    const RevisionPtr revision = make_revision(provider, object, rank);
    note_seen(*revision);
    if (!exported.live)
        context_.out.now(DescribePackage{record.id, exported.package.digest, revision, false});
    const bool was_conflict = has_conflict(record.set);
    merge_entry(record.set, {revision, rank, false});
    object.present.clear();
    record.packages.push_back({revision->id(), exported.package, exported.live});
    const std::optional<WallTime> reported =
        exported.changed_at ? exported.changed_at
                            : (record.seen_change ? record.seen_change->changed_at : std::nullopt);
    become_held(object, revision, rank, exported.mark, reported.value_or(context_.wall()));
    record.publish_requested = false;
    record_history(object, HistoryWhat::published, revision, exported.package, false, {});
    ++provider.record.published;
    store(provider);
    tidy_packages(provider, object);
    end_change(object);
    activity.publishing = false;
    set_stage(object, Stage::idle);
    bump(object);
    tell_conflict(object, was_conflict);
    scan_sealed(provider, object);
    if (publishing)
        answer("publish", to_text(record.id), true, "published; it wins on every station");
    rescan(object); // whatever happened while the package was made
    touch(object);
}

void Objects::become_held(Object& object, RevisionPtr revision, Rank rank, Mark mark,
                          WallTime held_time) {
    ObjectRecord& record = object.record;
    record.held = std::move(revision);
    record.held_rank = rank;
    record.mark = std::move(mark);
    record.held_time = held_time;
    record.recorded_at = context_.wall();
    record.clean_at = context_.wall();
    record.clock_steps = context_.meta.clock_steps;
    record.replaceable.reset();
    record.old_name_unconfirmed = false;
}

void Objects::adopt(Provider& provider, Object& object) {
    Activity& activity = *object.activity;
    ObjectRecord& record = object.record;
    const ExportFinished exported = *activity.exported;
    const SetEntry head = *object.head();
    const std::optional<WallTime> reported =
        exported.changed_at ? exported.changed_at
                            : (record.seen_change ? record.seen_change->changed_at : std::nullopt);
    become_held(object, head.revision, head.rank, exported.mark,
                reported.value_or(context_.wall()));
    if (!exported.live)
        context_.out.now(DescribePackage{record.id, exported.package.digest, head.revision, false});
    record.packages.push_back({head.revision->id(), exported.package, exported.live});
    tidy_packages(provider, object);
    end_change(object);
    set_stage(object, Stage::idle);
    bump(object);
    scan_sealed(provider, object);
    touch(object);
}

void Objects::put_back(Provider& provider, Object& object, const PackageInfo& kept) {
    Activity& activity = *object.activity;
    ObjectRecord& record = object.record;
    const ExportFinished exported = *activity.exported;
    KeptState state{kept,    KeptReason::put_back, context_.wall(),
                    nullptr, exported.digest,      exported.bytes};
    keep(object, std::move(state), HistoryWhat::put_back);
    if (!exported.live)
        context_.out.after_durable(DropPackage{record.id, exported.package.digest, false});
    end_change(object);
    record.replaceable = exported.mark;
    activity.settle_at = {};
    set_stage(object, Stage::idle);
    store_offer(object);
    tell_restored(record);
    scan_sealed(provider, object);
    touch(object);
}

void Objects::on(const HistorySaved& event) {
    const auto place = jobs_.find(event.job);
    if (place == jobs_.end())
        return;
    const auto& activity = place->second->activity;
    if (activity && activity->own_package && activity->own_package->job == event.job) {
        own_kept(*place->second, event);
        return;
    }
    const bool for_apply = place->second->stage() == Stage::saving;
    Object* const object = end_job(event.job, for_apply ? Stage::saving : Stage::keeping);
    if (!object)
        return;
    Provider* const provider = provider_of(object->record.id);
    if (!provider)
        return;
    if (event.status == JobStatus::ok) {
        if (for_apply)
            intend(*provider, *object, event.items);
        else
            conclude_kept(*provider, *object, event.items);
        return;
    }
    if (for_apply)
        --running_.applies;
    else if (object->activity->exported && !object->activity->exported->live)
        context_.out.now(
            DropPackage{object->record.id, object->activity->exported->package.digest, false});
    set_stage(*object, object->record.seen_change ? Stage::settling : Stage::idle);
    if (event.status == JobStatus::changed) {
        object->activity->rescan = false;
        rescan(*object);
        if (for_apply)
            fail_live(*object, JobStatus::changed, "the live data changed just before the apply");
        return;
    }
    fail_live(*object, event.status, event.text);
}

} // namespace stationsync::core
