// Scans, first sight of changes, settling, absences.
#include "objects.hpp"
#include "stamping.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
constexpr Duration scan_soon =
    std::chrono::milliseconds(50); // lets a burst of hints become one scan
constexpr std::string_view twin_text = "differs only";
} // namespace

void Objects::start_scans(Provider& provider) {
    if (!provider.recovered || provider.scan)
        return;
    const bool due = provider.next_scan.us == 0 || provider.next_scan <= context_.instant();
    if (!due)
        return;
    ScanJob scan;
    scan.job = context_.new_job();
    scan.full = provider.full_scan_wanted || !provider.scanned_once ||
                provider.keys_wanted.empty() || provider.next_full_scan <= context_.instant();
    if (!scan.full)
        scan.keys.assign(provider.keys_wanted.begin(), provider.keys_wanted.end());
    provider.keys_wanted.clear();
    provider.full_scan_wanted = false;
    if (scan.full)
        ++provider.scan_epoch;
    context_.out.now(Scan{scan.job, provider.record.provider, scan.keys});
    provider.scan = std::move(scan);
}

void Objects::on(const ScanRequested& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end() || !place->second.enabled)
        return;
    place->second.full_scan_wanted = true;
    place->second.next_scan = context_.instant();
    start_scans(place->second);
}

void Objects::on(const ChangeHinted& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end() || !place->second.enabled)
        return;
    Provider& provider = place->second;
    if (event.key.empty())
        provider.full_scan_wanted = true;
    else
        provider.keys_wanted.insert(event.key);
    const Instant soon = context_.instant() + scan_soon;
    if (provider.next_scan.us != 0 && provider.next_scan > soon)
        provider.next_scan = soon;
}

void Objects::rescan(Object& object) {
    Provider* const provider = provider_of(object.record.id);
    if (!provider)
        return;
    provider->keys_wanted.insert(object.record.id.key);
    provider->next_scan = context_.instant();
    start_scans(*provider);
}

void Objects::on(const ObjectsObserved& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end() || !place->second.scan || place->second.scan->job != event.job)
        return;
    Provider& provider = place->second;
    for (const ObservedObject& seen : event.objects) {
        const ObjectId id{event.provider, seen.key};
        const bool fresh = !find(id);
        Object& object = get(id);
        provider.objects += fresh ? 1 : 0;
        if (provider.scan->full)
            object.scan_epoch = provider.scan_epoch;
        else
            provider.scan->seen_keys.insert(seen.key);
        clear_fault(provider, object);
        if (refuse_twin(provider, object, seen.folded_key))
            continue;
        observe(provider, object, seen);
    }
    for (const ObservedFault& fault : event.faults)
        observe_fault(provider, fault);
}

void Objects::observe_fault(Provider& provider, const ObservedFault& fault) {
    constexpr std::size_t messages_at_most = 50; // a whole unreadable tree is one cause
    const ObjectId id{provider.record.provider, fault.key};
    provider.scan->faults.insert(fault.key);
    if (fault.subtree)
        provider.scan->unknown_below.push_back(fault.key);
    if (provider.scan_faults.size() < messages_at_most &&
        provider.scan_faults.insert(fault.key).second)
        context_.out.now(make_message("not-readable", to_text(id), {{"text", fault.text}}));
    Object* const object = find(id);
    if (!object)
        return;
    if (provider.scan->full)
        object->scan_epoch = provider.scan_epoch;
    else
        provider.scan->seen_keys.insert(fault.key);
    object->active().scan_fault = fault.text;
    touch(*object);
}

void Objects::clear_fault(Provider& provider, Object& object) {
    if (object.activity && !object.activity->scan_fault.empty()) {
        object.activity->scan_fault.clear();
        touch(object);
    }
    if (!provider.scan_faults.empty() && provider.scan_faults.erase(object.record.id.key) > 0)
        context_.out.now(ClearMessage{"not-readable", to_text(object.record.id)});
}

// What this complete scan could read again; folders among them are no objects.
void Objects::clear_mended_faults(Provider& provider, const ScanJob& job) {
    std::erase_if(provider.scan_faults, [&](const std::string& key) {
        if (job.faults.contains(key))
            return false;
        context_.out.now(
            ClearMessage{"not-readable", to_text(ObjectId{provider.record.provider, key})});
        return true;
    });
}

// It was renamed or removed, or the other one was.
void Objects::end_twin(Object& object) {
    if (!object.activity || !object.activity->refused.starts_with(twin_text))
        return;
    object.activity->refused.clear();
    context_.out.now(ClearMessage{"case-twin", to_text(object.record.id)});
    touch(object);
}

bool Objects::refuse_twin(Provider& provider, Object& object, const std::string& folded) {
    if (folded.empty())
        return false;
    const auto [place, added] = provider.folded.emplace(folded, object.record.id.key);
    const std::string& owner = place->second;
    if (added || owner == object.record.id.key) {
        end_twin(object);
        return false;
    }
    std::string const text = std::string(twin_text) + " in upper and lower case from '" + owner +
                             "': on Windows both would be one file; rename one of them";
    if (object.active().refused != text) {
        object.active().refused = text;
        context_.out.now(make_message("case-twin", to_text(object.record.id),
                                      {{"key", object.record.id.key}, {"text", text}}));
    }
    touch(object);
    return true;
}

void Objects::observe(Provider& provider, Object& object, const ObservedObject& seen) {
    const Stage stage = object.stage();
    // While an apply is open the state may be either; while a job reads it, its own mark decides.
    if (object.record.intent || stage == Stage::saving || stage == Stage::keeping ||
        stage == Stage::exporting) {
        object.active().rescan = true;
        return;
    }
    if (is_stale(provider, object))
        return;
    const bool was_absent = object.live_absent();
    if (was_absent) {
        object.activity->live_absent = false;
        store_offer(object);
        touch(object);
    }
    const ObjectRecord& record = object.record;
    if (record.held && seen.mark == record.mark) {
        observe_held(provider, object);
    } else if (record.replaceable && seen.mark == *record.replaceable) {
        touch(object);
    } else if (record.seen_change && seen.mark == record.seen_change->mark) {
        found_first(provider, object);
        if (stage == Stage::idle)
            begin_settling(provider, object, false);
    } else {
        observe_change(provider, object, seen);
    }
}

void Objects::observe_held(Provider& provider, Object& object) {
    ObjectRecord& record = object.record;
    bool changed = false;
    if (record.seen_change) {
        end_change(object);
        record.clean_at = context_.wall();
        changed = true;
    }
    if (record.replaceable) {
        record.replaceable.reset();
        changed = true;
    }
    const WallTime floor = std::min(record.held_time, record.recorded_at);
    if (record.clock_steps != context_.meta.clock_steps || floor > context_.wall()) {
        record.clock_steps = context_.meta.clock_steps;
        record.held_time = record.recorded_at = context_.wall();
        changed = true;
    }
    if (!changed)
        return;
    scan_sealed(provider, object);
    store_offer(object);
    touch(object);
}

// Stores it; peers must hear of it when they were told that the live data serve as a package.
void Objects::store_offer(Object& object) {
    const auto& packages = object.record.packages;
    const bool offers_live = std::any_of(packages.begin(), packages.end(),
                                         [](const LocalPackage& local) { return local.live; });
    if (offers_live)
        bump(object);
    else
        store(object);
}

// A scan that ran while an apply changed the live data may tell what was there before it: the next
// one decides.
bool Objects::is_stale(Provider& provider, Object& object) {
    if (!object.activity)
        return false;
    Activity& activity = *object.activity;
    if (activity.stale_scan != JobId{} && activity.stale_scan == provider.scan->job) {
        provider.keys_wanted.insert(object.record.id.key);
        return true;
    }
    activity.stale_scan = {};
    if (activity.look_first) {
        activity.look_first = false;
        touch(object);
    }
    return false;
}

WallTime Objects::known_unchanged(const Provider& provider, const Object& object) const {
    const ObjectRecord& record = object.record;
    const WallTime scanned = provider.record.last_complete_scan;
    if (!record.held)
        return scanned; // it was not there then
    return std::max(
        {record.clean_at, record.recorded_at, object.is_clean() ? scanned : WallTime{}});
}

void Objects::observe_change(Provider& provider, Object& object, const ObservedObject& seen) {
    ObjectRecord& record = object.record;
    const bool times_valid = record.clock_steps == context_.meta.clock_steps;
    SeenChange change;
    change.mark = seen.mark;
    change.change_class = classify(record, seen, times_valid, context_.wall());
    change.changed_at = seen.changed_at;
    change.changed_not_before = seen.changed_not_before;
    change.time_uncertain = seen.time_uncertain;
    change.before_1990 = seen.changed_at && *seen.changed_at < plausible_from;
    const bool moved = record.seen_change.has_value();
    if (moved) {
        // One episode: an edit on top of restored old content does not promote it.
        const SeenChange& first = *record.seen_change;
        if (first.change_class == ChangeClass::restored_old)
            change.change_class = ChangeClass::restored_old;
        change.known_unchanged_at = first.known_unchanged_at;
        change.first_seen_at = first.first_seen_at;
        change.base = first.base;
    } else {
        if (record.replaceable)
            change.change_class = ChangeClass::restored_old;
        change.known_unchanged_at = known_unchanged(provider, object);
        change.first_seen_at = context_.wall();
        change.base = base_of(object);
    }
    record.replaceable.reset();
    const bool restored = !moved && change.change_class == ChangeClass::restored_old;
    record.seen_change = std::move(change);
    store(object);
    // Told at first sight: publishing is easiest before the put-back.
    if (restored)
        tell_restored(record);
    found_first(provider, object);
    begin_settling(provider, object, moved);
}

// What a newcomer finds in its first scan is sealed as it is, before anything else happens. So is
// what an established station finds at a new root and did not hold before.
void Objects::found_first(Provider& provider, Object& object) {
    if ((provider.record.first_scan_sealed && !provider.record.rebased) || object.record.held)
        return;
    provider.unsealed_first.insert(object.record.id.key);
    object.active().urgent = true;
}

void Objects::begin_settling(Provider& provider, Object& object, bool moved) {
    Activity& activity = object.active();
    const Instant now = context_.instant();
    if (activity.stage == Stage::idle && !moved)
        activity.first_seen = now;
    if (activity.first_seen.us == 0)
        activity.first_seen = now;
    const Instant cap = activity.first_seen + provider.config.settle_max;
    activity.settle_at = std::min(now + provider.config.settle, cap);
    activity.live = {};
    set_stage(object, Stage::settling);
    announce_pending(object, true);
    touch(object);
}

void Objects::announce_pending(Object& object, bool active) {
    if (object.active().announced_pending == active)
        return;
    object.activity->announced_pending = active;
    broadcast(object.record.id.provider, PendingChange{object.record.id, active, context_.wall()});
}

void Objects::tell_restored(const ObjectRecord& record) {
    context_.out.now(make_message("restored-old", to_text(record.id),
                                  {{"key", record.id.key}, {"object", to_text(record.id)}}));
}

void Objects::end_change(Object& object) {
    auto& seen = object.record.seen_change;
    if (seen && seen->change_class == ChangeClass::restored_old)
        context_.out.now(ClearMessage{"restored-old", to_text(object.record.id)});
    seen.reset();
    if (!object.activity)
        return;
    Activity& activity = *object.activity;
    announce_pending(object, false);
    if (activity.stage == Stage::settling)
        set_stage(object, Stage::idle);
    activity.urgent = false;
    activity.first_seen = {};
    activity.settle_at = {};
    activity.live = {};
    activity.exported.reset();
}

void Objects::observe_absent(Provider& provider, Object& object) {
    ObjectRecord& record = object.record;
    const Stage stage = object.stage();
    if (record.intent || (stage != Stage::idle && stage != Stage::settling)) {
        object.active().rescan = true;
        return;
    }
    if (is_stale(provider, object))
        return;
    end_twin(object);
    if (object.activity && !object.activity->live.of_apply)
        object.activity->live = {}; // what could not be exported is known not to be there
    if (record.seen_change) {
        end_change(object);
        store(object);
        scan_sealed(provider, object);
        touch(object);
    }
    if (record.replaceable) {
        record.replaceable.reset();
        store(object);
        touch(object);
    }
    if (record.held && record.mark.empty())
        return; // known to be absent
    if (record.held && !object.live_absent()) {
        Activity& activity = object.active();
        activity.live_absent = true;
        activity.absent_since = context_.instant();
        activity.settle_at = context_.instant() + provider.config.settle;
        store_offer(object);
        touch(object);
    }
}

void Objects::conclude_absences(Provider& provider) {
    const ScanJob& job = *provider.scan;
    const auto is_unknown = [&](const std::string& key) {
        return std::any_of(job.unknown_below.begin(), job.unknown_below.end(),
                           [&](std::string const& prefix) { return key.starts_with(prefix); });
    };
    if (job.full) {
        const auto [first, last] = objects_of(provider.record.provider);
        for (auto place = first; place != last; ++place) {
            Object& object = *place->second;
            if (object.scan_epoch != provider.scan_epoch && !is_unknown(object.record.id.key)) {
                clear_fault(provider, object);
                observe_absent(provider, object);
            }
        }
        return;
    }
    for (const std::string& key : job.keys) {
        if (job.seen_keys.contains(key) || is_unknown(key))
            continue;
        if (Object* const object = find({provider.record.provider, key}))
            observe_absent(provider, *object);
    }
}

void Objects::scan_failed(Provider& provider, const ScanFinished& event) {
    const Duration base = std::chrono::seconds(1) * (1 << std::min(provider.failures, 6u));
    ++provider.failures;
    provider.next_scan =
        context_.instant() +
        context_.random.jittered(std::min<Duration>(base, std::chrono::seconds(60)));
    provider.full_scan_wanted = true;
    if (event.status == JobStatus::cancelled || provider.fault == event.text)
        return;
    provider.fault = event.text.empty() ? "the provider cannot read its data" : event.text;
    std::string const remedy = event.remedy.empty()
                                   ? "Mend the cause; the provider is tried again by itself."
                                   : event.remedy;
    context_.out.now(make_message("provider-fault", provider.record.provider,
                                  {{"text", provider.fault}, {"remedy", remedy}}));
    context_.out.now(ProviderChanged{provider.record.provider});
    touch_all(provider.record.provider);
}

void Objects::on(const ScanFinished& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end() || !place->second.scan || place->second.scan->job != event.job)
        return;
    Provider& provider = place->second;
    if (event.status == JobStatus::ok)
        conclude_absences(provider);
    const ScanJob job = std::move(*provider.scan);
    provider.scan.reset();
    if (event.status != JobStatus::ok) {
        scan_failed(provider, event);
        return;
    }
    provider.failures = 0;
    if (!provider.fault.empty()) {
        provider.fault.clear();
        context_.out.now(ClearMessage{"provider-fault", event.provider});
        context_.out.now(ProviderChanged{event.provider});
        touch_all(event.provider);
    }
    if (job.full) {
        clear_mended_faults(provider, job);
        const bool first = !provider.scanned_once;
        provider.scanned_once = true;
        provider.record.last_complete_scan = context_.wall();
        store(provider);
        if (first)
            touch_all(event.provider);
        sealed_first(provider);
        provider.next_full_scan =
            context_.instant() + context_.random.jittered(provider.config.scan_interval);
    }
    const bool soon = !provider.keys_wanted.empty() || provider.full_scan_wanted;
    provider.next_scan = soon ? context_.instant() + scan_soon : provider.next_full_scan;
}

void Objects::scan_sealed(Provider& provider, Object& object) {
    if (provider.unsealed_first.erase(object.record.id.key) > 0)
        sealed_first(provider);
}

void Objects::on(const SendNowRequested& event) {
    const auto hurry = [&](Object& object) {
        if (object.stage() != Stage::settling)
            return false;
        object.activity->urgent = true;
        object.activity->live = {};
        touch(object);
        return true;
    };
    std::size_t sent = 0;
    if (event.object) {
        Object* const object = find(*event.object);
        sent = object && hurry(*object) ? 1 : 0;
    } else {
        for (const auto& [id, object] : objects_)
            sent += hurry(*object) ? 1 : 0;
    }
    std::string const subject = event.object ? to_text(*event.object) : std::string();
    answer("send-now", subject, true,
           sent == 0 ? "nothing is waiting to be sent" : std::to_string(sent) + " on the way");
}

void Objects::on(const StoppedByPerson&) {
    // The manual's procedure (stop, edit, start) works because the episode ends here: what is found
    // at the next start is judged afresh.
    for (const auto& [id, object] : objects_) {
        ObjectRecord& record = object->record;
        const bool old =
            record.seen_change && record.seen_change->change_class == ChangeClass::restored_old;
        if (!old && !record.replaceable)
            continue;
        if (old)
            record.seen_change.reset();
        record.replaceable.reset();
        store(*object);
    }
}

} // namespace stationsync::core
