// Bringing a head into the live data: history first, then intent, then the plugin's
// compare-and-swap.
#include "apply_gates.hpp"
#include "objects.hpp"

#include <algorithm>

namespace stationsync::core {

Mark Objects::expected_mark(const Object& object) const {
    if (object.live_absent() || !object.record.held)
        return {};
    return object.record.replaceable ? *object.record.replaceable : object.record.mark;
}

bool Objects::decision_stands(const Object& object) const {
    const Activity& activity = *object.activity;
    if (mutant(Mutant::no_recheck))
        return true;
    return object.head_id() == activity.decided_head && object.held_id() == activity.decided_held &&
           expected_mark(object) == activity.decided_mark && !object.record.seen_change;
}

void Objects::queue_apply(Object& object) {
    apply_queue_.insert(object.record.id);
}

void Objects::run_apply_queue() {
    while (!apply_queue_.empty() && running_.applies < context_.config.limits.applies_at_once) {
        Object* const object = find(*apply_queue_.begin());
        apply_queue_.erase(apply_queue_.begin());
        Provider* const provider = object ? provider_of(object->record.id) : nullptr;
        if (!provider || !wants_apply(*object) || !may_apply(*provider, *object))
            continue;
        if (gates_->may_begin(*provider))
            prepare_apply(*provider, *object);
        else
            touch(*object); // the verdict of apply_when has run out meanwhile
    }
}

void Objects::prepare_apply(Provider& provider, Object& object) {
    Activity& activity = object.active();
    const ObjectRecord& record = object.record;
    activity.decided_head = object.head_id();
    activity.decided_held = object.held_id();
    activity.decided_mark = expected_mark(object);
    activity.save_items.clear();
    ++running_.applies;
    const bool replaces_held =
        record.held && object.held_id() != object.head_id() && !is_kept(object, object.held_id());
    if (replaces_held && !mutant(Mutant::history_after_apply)) {
        SaveItem item{record.held, std::nullopt, object.is_clean() && !record.mark.empty(),
                      record.mark, loss_reason(*object.head(), object)};
        item.package = local_content(object, object.held_id());
        if (item.package || item.from_live)
            activity.save_items.push_back(std::move(item));
    }
    if (activity.save_items.empty()) {
        set_stage(object, Stage::saving);
        intend(provider, object, {});
        return;
    }
    const JobId job = context_.new_job();
    start_job(object, Stage::saving, job);
    context_.out.now(SaveToHistory{job, record.id, activity.save_items});
}

KeptState Objects::replaced_state(const Object& object, const std::vector<SavedItem>& saved) const {
    const ObjectRecord& record = object.record;
    KeptState state{{},
                    loss_reason(*object.head(), object),
                    context_.wall(),
                    record.held,
                    record.held->digest,
                    record.held->bytes};
    if (!saved.empty() && saved[0].saved)
        state.package = saved[0].package;
    return state;
}

// What was saved for an apply that does not take place stays in the history: the next one need not
// save it again, and if a user wrote over it meanwhile, it is the last copy here.
void Objects::keep_saved(Object& object, const std::vector<SavedItem>& saved) {
    const bool has_file = !saved.empty() && saved[0].saved && !object.activity->save_items.empty();
    if (!has_file || !object.record.held || !object.head())
        return;
    const RevisionPtr& revision = object.activity->save_items[0].revision;
    if (is_kept(object, revision->id()))
        return;
    KeptState state = replaced_state(object, saved);
    state.revision = revision;
    state.digest = revision->digest;
    state.bytes = revision->bytes;
    keep(object, state, what_of(state.reason));
    store(object);
}

// The replaced state is safe: makes the intent durable, and only then has the plugin apply.
void Objects::intend(Provider& provider, Object& object, const std::vector<SavedItem>& saved) {
    Activity& activity = *object.activity;
    ObjectRecord& record = object.record;
    const auto abandon = [&] {
        --running_.applies;
        set_stage(object, Stage::idle);
        keep_saved(object, saved);
        if (activity.rescan) {
            activity.rescan = false;
            rescan(object);
        }
        touch(object);
    };
    if (!decision_stands(object) || !gates_->may_begin(provider)) {
        abandon();
        return;
    }
    const auto package = local_content(object, object.head_id());
    if (!package || !wants_apply(object)) {
        abandon();
        return;
    }
    Intent intent;
    for (std::uint8_t& byte : intent.id.bytes)
        byte = static_cast<std::uint8_t>(context_.random.next());
    intent.revision = object.head()->revision;
    intent.package = *package;
    intent.expected = activity.decided_mark;
    intent.intended_at = context_.wall();
    intent.rank = object.head()->rank;
    if (record.held && object.held_id() != object.head_id() && !is_kept(object, object.held_id()))
        intent.replaced.push_back(replaced_state(object, saved));
    record.intent = std::move(intent);
    activity.job = {};
    set_stage(object, Stage::applying);
    store(object);
    issue_apply(object);
}

void Objects::issue_apply(Object& object) {
    const Intent& intent = *object.record.intent;
    intents_[intent.id] = &object;
    context_.out.after_durable(
        StartApply{intent.id, object.record.id, intent.revision, intent.package, intent.expected});
}

// After a start: recover was done, now every open intent again with its id, before the first scan.
void Objects::reissue_intents(Provider& provider) {
    const auto [first, last] = objects_of(provider.record.provider);
    for (auto place = first; place != last; ++place) {
        Object& object = *place->second;
        if (!object.record.intent || object.stage() == Stage::applying)
            continue;
        if (mutant(Mutant::no_intent)) {
            object.record.intent.reset();
            store(object);
            continue;
        }
        ++running_.applies;
        set_stage(object, Stage::applying);
        issue_apply(object);
    }
}

void Objects::on(const ApplyFinished& event) {
    const auto place = intents_.find(event.apply);
    if (place == intents_.end())
        return;
    Object& object = *place->second;
    intents_.erase(place);
    if (!object.record.intent || object.record.intent->id != event.apply)
        return;
    Provider* const provider = provider_of(object.record.id);
    if (object.stage() == Stage::applying) {
        --running_.applies;
        object.activity->stage = Stage::idle;
    }
    if (!provider)
        return; // switched off meanwhile: the intent is issued again when it comes back
    if (provider->scan)
        object.active().stale_scan = provider->scan->job;
    if (event.status == JobStatus::ok)
        applied(*provider, object, event);
    else
        apply_refused(*provider, object, event);
    touch(object);
    if (object.activity && object.activity->rescan) {
        object.activity->rescan = false;
        rescan(object);
    }
}

void Objects::applied(Provider& provider, Object& object, const ApplyFinished& event) {
    ObjectRecord& record = object.record;
    const Intent intent = std::move(*record.intent);
    record.intent.reset();
    const bool was_data = object.held_id() != intent.revision->id();
    const Stamp replaced = record.held ? record.held->stamp : Stamp{};
    Rank rank = intent.rank;
    for (const SetEntry& entry : record.set)
        if (entry.revision->id() == intent.revision->id())
            rank = entry.rank;
    for (const KeptState& state : intent.replaced) {
        const HistoryWhat what = what_of(state.reason);
        if (state.package != PackageInfo{})
            keep(object, state, what);
        else
            record_history(object, what, state.revision, {}, false, intent.revision->stamp);
    }
    if (was_data && record.held && intent.replaced.empty() && is_kept(object, object.held_id()))
        renew_kept(object, loss_reason({intent.revision, rank, false}, object));
    const Mark mark = mutant(Mutant::echo) ? Mark("echo") : event.mark;
    become_held(object, intent.revision, rank, mark,
                event.changed_at.value_or(intent.revision->changed_at));
    record.recorded_at = mutant(Mutant::held_time_is_record) ? context_.wall() : intent.intended_at;
    record_history(object, HistoryWhat::applied, intent.revision, intent.package, false, replaced);
    ++provider.record.applied;
    provider.record.last_applied_at = context_.wall();
    store(provider);
    Activity& activity = object.active();
    activity.live_absent = false;
    activity.live = {};
    activity.settle_at = {};
    activity.received_bytes = 0;
    tidy_packages(provider, object);
    bump(object);
    std::string const subject = to_text(record.id);
    context_.out.now(ClearMessage{"apply-failed", subject});
    context_.out.now(ClearMessage{"restored-old", subject});
    context_.out.now(ObjectChanged{record.id});
}

void Objects::apply_refused(Provider& provider, Object& object, const ApplyFinished& event) {
    ObjectRecord& record = object.record;
    const Intent intent = std::move(*record.intent);
    record.intent.reset();
    // What was put into the history for this apply stays there: the next one need not save it
    // again, and if a user wrote over it meanwhile, it is the last copy here.
    for (const KeptState& state : intent.replaced)
        if (state.package != PackageInfo{} && !is_kept(object, state.revision->id()))
            keep(object, state, what_of(state.reason));
    store(object);
    (void)provider;
    if (event.status == JobStatus::changed) {
        object.active().look_first = true;
        rescan(object); // a user was faster: it is a local change now
        return;
    }
    if (event.status == JobStatus::corrupt || event.status == JobStatus::not_found) {
        std::erase_if(record.packages, [&](const LocalPackage& local) {
            return local.package.digest == intent.package.digest && !local.live;
        });
        object.active().bad_packages.insert(intent.package.digest);
        context_.out.after_durable(DropPackage{record.id, intent.package.digest, false});
        bump(object);
    }
    fail_live(object, event.status, event.text, event.retry_after);
    object.activity->live.of_apply = true;
    context_.out.now(make_message("apply-failed", to_text(record.id),
                                  {{"key", record.id.key}, {"text", event.text}}));
}

} // namespace stationsync::core
