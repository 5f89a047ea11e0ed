#include "objects.hpp"

#include "apply_gates.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

constexpr Duration wish_max = std::chrono::hours(24); // of a plugin; beyond it is a mistake
constexpr Duration pause_max = std::chrono::seconds(60);
constexpr Duration blocked_pause_max = std::chrono::minutes(5);

// What changes by itself, such as a file in use, and what somebody has to change.
bool is_blocked(JobStatus status) {
    return status == JobStatus::no_space || status == JobStatus::denied ||
           status == JobStatus::incompatible;
}

// 1 s, 2 s, 4 s …: soon enough for a file in use, slow enough for a full disk. The classes are
// those of sdk/include/stationsync/types.h.
Duration retry_pause(JobStatus status, std::uint32_t failures) {
    constexpr std::uint32_t doublings_max = 9; // 512 s
    const Duration pause = std::chrono::seconds(1 << std::min(failures, doublings_max));
    return std::min(pause, is_blocked(status) ? blocked_pause_max : pause_max);
}

} // namespace

Objects::Objects(Context& context, TokenJudge& judge, DurableState& state)
    : context_(context), judge_(judge), gates_(std::make_shared<Gates>(*this)) {
    for (ProviderRecord& record : state.providers) {
        Provider& provider = providers_[record.provider];
        provider.record = std::move(record);
    }
    std::vector<std::pair<std::uint64_t, Object*>> positions;
    for (ObjectRecord& record : state.objects) {
        auto object = std::make_unique<Object>();
        object->record = std::move(record);
        for (const SetEntry& entry : object->record.set)
            note_seen(*entry.revision);
        if (object->record.held)
            note_seen(*object->record.held);
        for (const KeptState& kept : object->record.kept)
            kept_bytes_ += kept.package.bytes;
        positions.emplace_back(object->record.index, object.get());
        const ObjectId id = object->record.id;
        objects_.emplace(id, std::move(object));
    }
    std::sort(positions.begin(), positions.end());
    for (const auto& [position, object] : positions)
        if (position != 0)
            index_log_.append(position, object);
}

Object* Objects::find(const ObjectId& id) {
    const auto place = objects_.find(id);
    return place == objects_.end() ? nullptr : place->second.get();
}

Object& Objects::get(const ObjectId& id) {
    auto& place = objects_[id];
    if (!place) {
        place = std::make_unique<Object>();
        place->record.id = id;
        place->record.clock_steps = context_.meta.clock_steps;
    }
    return *place;
}

Provider* Objects::provider_of(const ObjectId& id) {
    const auto place = providers_.find(id.provider);
    return place == providers_.end() || !place->second.enabled ? nullptr : &place->second;
}

const Provider* Objects::provider_of(const ObjectId& id) const {
    const auto place = providers_.find(id.provider);
    return place == providers_.end() || !place->second.enabled ? nullptr : &place->second;
}

std::pair<Objects::ObjectMap::iterator, Objects::ObjectMap::iterator>
Objects::objects_of(const std::string& provider) {
    // '\0' sorts right behind the name itself: no other provider's keys lie in between.
    return {objects_.lower_bound({provider, {}}), objects_.lower_bound({provider + '\0', {}})};
}

void Objects::touch(Object& object) {
    if (object.touched)
        return;
    object.touched = true;
    touched_.push_back(&object);
}

void Objects::touch_all(const std::string& provider) {
    const auto [first, last] = objects_of(provider);
    for (auto place = first; place != last; ++place)
        touch(*place->second);
}

void Objects::store(Object& object) {
    context_.out.mutate(PutObject{object.record});
}

void Objects::store(Provider& provider) {
    context_.out.mutate(PutProvider{provider.record});
    context_.out.now(ProviderChanged{provider.record.provider});
}

void Objects::bump(Object& object) {
    // Floored by the clock as sequences are: a state put back gives no position out twice, or peers
    // would take what stands there now for what they have read.
    std::uint64_t const floor =
        context_.wall().us > 0 ? static_cast<std::uint64_t>(context_.wall().us / 1000) : 0;
    context_.meta.index = std::max(context_.meta.index + 1, floor);
    object.record.index = context_.meta.index;
    index_log_.append(object.record.index, &object);
    index_log_.compact(objects_.size(), [](const Object& each) { return each.record.index; });
    context_.store_meta();
    store(object);
}

void Objects::set_deadline(Object& object) {
    Activity* const activity = object.activity.get();
    if (!activity)
        return;
    std::optional<Instant> due;
    // What is due already was just decided: it waits for an event now, not for time.
    const auto earliest = [&](Instant at) {
        if (at > context_.instant() && (!due || at < *due))
            due = at;
    };
    if (activity->stage == Stage::settling && !activity->export_waiting)
        earliest(activity->live.retry_at.us != 0 ? activity->live.retry_at : activity->settle_at);
    if (activity->stage == Stage::idle) {
        earliest(activity->live.retry_at);
        if (activity->live_absent && activity->settle_at > context_.instant())
            earliest(activity->settle_at);
        if (object.record.replaceable && activity->settle_at > context_.instant())
            earliest(activity->settle_at);
    }
    if (!activity->fetching)
        earliest(activity->content.retry_at);
    earliest(activity->adopt_after);
    if (due == activity->deadline)
        return;
    if (activity->deadline)
        deadlines_.erase({*activity->deadline, object.record.id});
    activity->deadline = due;
    if (due)
        deadlines_.emplace(*due, object.record.id);
}

void Objects::set_stage(Object& object, Stage stage) {
    const Stage before = object.stage();
    if (before == stage)
        return;
    object.active().stage = stage;
    context_.out.now(ObjectChanged{object.record.id});
}

void Objects::start_job(Object& object, Stage stage, JobId job) {
    set_stage(object, stage);
    object.active().job = job;
    object.active().live.retry_at = {};
    jobs_[job] = &object;
}

Object* Objects::end_job(JobId job, Stage stage) {
    const auto place = jobs_.find(job);
    if (place == jobs_.end())
        return nullptr;
    Object* const object = place->second;
    jobs_.erase(place);
    if (object->stage() != stage || object->activity->job != job)
        return nullptr;
    object->activity->job = {};
    touch(*object);
    return object;
}

void Objects::fail_live(Object& object, JobStatus status, std::string text, Duration retry_after) {
    Trouble& trouble = object.active().live;
    trouble.status = status;
    trouble.text = std::move(text);
    trouble.of_apply = false;
    const Duration pause =
        std::max(retry_pause(status, trouble.failures), std::min<Duration>(retry_after, wish_max));
    ++trouble.failures;
    trouble.retry_at = context_.instant() + context_.random.jittered(pause);
    context_.out.now(ObjectChanged{object.record.id});
    touch(object);
}

void Objects::count(Object& object) {
    const bool in_sync = is_in_sync(object);
    if (in_sync == object.in_sync)
        return;
    object.in_sync = in_sync;
    const auto place = providers_.find(object.record.id.provider);
    if (place != providers_.end())
        place->second.unsynced += in_sync ? std::uint64_t(-1) : 1;
    context_.out.now(ObjectChanged{object.record.id});
}

void Objects::send(const StationId& to, Message message) {
    if (const auto link = stations_->control_link(to))
        context_.out.now(SendMessage{*link, std::move(message)});
}

void Objects::send_durable(const StationId& to, Message message) {
    if (const auto link = stations_->control_link(to))
        context_.out.after_durable(SendMessage{*link, std::move(message)});
}

void Objects::broadcast(const std::string& provider, const Message& message) {
    for (const auto& [station, exchange] : exchanges_)
        if (stations_->provider_open(station, provider))
            send(station, message);
}

void Objects::note_seen(const Revision& revision) {
    for (const auto& [author, sequence] : revision.seen.entries()) {
        std::uint64_t& highest = highest_seen_[author];
        highest = std::max(highest, sequence);
    }
}

std::uint16_t Objects::slot_of(const StationId& id) {
    const auto [place, added] =
        slot_by_station_.emplace(id, static_cast<std::uint16_t>(slots_.size()));
    if (added)
        slots_.push_back(id);
    return place->second;
}

void Objects::publish_profile(const Provider& provider) {
    ProviderProfile profile;
    profile.name = provider.record.provider;
    profile.plugin = provider.config.plugin;
    profile.plugin_version = provider.config.plugin_version;
    profile.known = provider.tokens_known;
    profile.tokens = provider.tokens;
    profile.established = provider.record.established;
    stations_->set_provider(std::move(profile));
}

void Objects::on(const ProviderEnabled& event) {
    const bool known = providers_.contains(event.provider);
    Provider& provider = providers_[event.provider];
    const bool reload = provider.enabled;
    provider.config = event;
    provider.record.provider = event.provider;
    if (!known) {
        // Rule 9: the first station is established for what is on at its first run.
        provider.record.established = context_.meta.made_by_init && !context_.meta.first_run_done;
        provider.record.identity = event.identity;
    } else if (provider.record.identity != event.identity) {
        // Rule 7: it is a newcomer for what it did not hold before.
        provider.record.rebased = true;
        provider.record.identity = event.identity;
    }
    provider.enabled = true;
    provider.full_scan_wanted = true;
    provider.scanned_once = false;
    provider.fault.clear();
    if (!reload) {
        // What peers told before of a provider that was off has been skipped: ask again for
        // everything.
        for (const auto& [station, exchange] : exchanges_)
            reset_cursor(station);
        std::uint64_t objects = 0;
        std::uint64_t unsynced = 0;
        const auto [first, last] = objects_of(event.provider);
        for (auto place = first; place != last; ++place) {
            ++objects;
            place->second->in_sync = is_in_sync(*place->second);
            unsynced += place->second->in_sync ? 0 : 1;
        }
        provider.objects = objects;
        provider.unsynced = unsynced;
    }
    provider.recovered = false;
    provider.next_recover = {};
    gates_->begin(provider);
    context_.out.now(Recover{event.provider});
    store(provider);
    publish_profile(provider);
    touch_all(event.provider);
}

void Objects::on(const ProviderDisabled& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end())
        return;
    Provider& provider = place->second;
    provider.enabled = false;
    provider.recovered = false;
    if (provider.scan)
        context_.out.now(CancelJob{provider.scan->job});
    provider.scan.reset();
    gates_->end(provider);
    const auto [first, last] = objects_of(event.provider);
    for (auto each = first; each != last; ++each) {
        Object& object = *each->second;
        if (!object.activity)
            continue;
        drop_fetch(object);
        if (object.activity->deadline)
            deadlines_.erase({*object.activity->deadline, object.record.id});
        // A running job ends by itself; its answer is then stale.
        if (object.stage() == Stage::exporting) {
            context_.out.now(CancelJob{object.activity->job});
            export_ended();
        }
        if (object.stage() == Stage::saving || object.stage() == Stage::applying)
            --running_.applies;
        apply_queue_.erase(object.record.id);
        object.activity.reset();
    }
    stations_->remove_provider(event.provider);
    context_.out.now(ProviderChanged{event.provider});
}

void Objects::on(const ProviderTokens& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end())
        return;
    place->second.tokens_known = event.known;
    place->second.tokens = event.tokens;
    judge_.forget(event.provider);
    publish_profile(place->second);
    touch_all(event.provider);
}

void Objects::on(const RecoverFinished& event) {
    const auto place = providers_.find(event.provider);
    if (place == providers_.end() || !place->second.enabled)
        return;
    Provider& provider = place->second;
    if (event.status != JobStatus::ok) {
        provider.fault = event.text;
        const Duration base = std::chrono::seconds(2) * (1 << std::min(provider.failures, 5u));
        ++provider.failures;
        provider.next_recover = context_.instant() + context_.random.jittered(base);
        context_.out.now(make_message(
            "provider-fault", event.provider,
            {{"text", event.text},
             {"remedy", "See the log of this station; the provider is tried again."}}));
        context_.out.now(ProviderChanged{event.provider});
        return;
    }
    provider.failures = 0;
    provider.fault.clear();
    provider.next_recover = {};
    provider.recovered = true;
    reissue_intents(provider);
    start_scans(provider);
    touch_all(event.provider);
}

void Objects::on_tokens_judged(const std::string& provider) {
    if (!provider.empty())
        touch_all(provider);
}

WallTime Objects::last_complete_scan() const {
    WallTime last{};
    for (const auto& [name, provider] : providers_)
        last = std::max(last, provider.record.last_complete_scan);
    return last;
}

void Objects::first_run_ends() {
    if (context_.meta.first_run_done)
        return;
    context_.meta.first_run_done = true;
    context_.store_meta();
}

void Objects::handle_deadline() {
    const Instant now = context_.instant();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        Object* const object = find(deadlines_.begin()->second);
        deadlines_.erase(deadlines_.begin());
        if (object && object->activity) {
            object->activity->deadline.reset();
            touch(*object);
        }
    }
    for (auto& [name, provider] : providers_) {
        if (!provider.enabled)
            continue;
        if (!provider.recovered && provider.next_recover.us != 0 && provider.next_recover <= now) {
            provider.next_recover = {};
            context_.out.now(Recover{name});
        }
        start_scans(provider);
        gates_->handle_deadline(provider);
    }
    ask_held_back_again();
    expire_restores();
    conclude_verify();
    if (next_trim_ <= now) {
        trim_all_kept();
        next_trim_ = now + std::chrono::hours(1);
    }
}

std::optional<Instant> Objects::next_deadline() const {
    std::optional<Instant> due;
    const auto earliest = [&](Instant at) {
        if (at.us != 0 && (!due || at < *due))
            due = at;
    };
    if (!deadlines_.empty())
        earliest(deadlines_.begin()->first);
    for (const auto& [name, provider] : providers_) {
        if (!provider.enabled)
            continue;
        earliest(provider.next_recover);
        if (provider.recovered && !provider.scan)
            earliest(provider.next_scan);
        earliest(Gates::next_deadline(provider).value_or(Instant{}));
    }
    for (const auto& [station, exchange] : exchanges_) {
        earliest(exchange.ask_again);
        if (exchange.in_flight != 0)
            earliest(exchange.sent_at + std::chrono::seconds(10));
        if (!exchange.asked || !exchange.greeted)
            earliest(exchange.greeted_at + std::chrono::seconds(10));
        if (exchange.awaiting_answer)
            earliest(exchange.requested_at + std::chrono::seconds(10));
    }
    for (const PendingRestore& restore : restores_)
        if (!restore.adopting)
            earliest(restore.give_up);
    for (const VerifyRun& run : verifies_)
        if (run.give_up > context_.instant())
            earliest(run.give_up);
    earliest(next_trim_);
    return due;
}

void Objects::finish_call() {
    // Deciding touches other objects (a freed slot starts the next one), so this goes round until
    // quiet.
    while (true) {
        if (touched_.empty()) {
            run_apply_queue();
            run_fetch_queue();
            run_verify();
            if (touched_.empty())
                break;
        }
        finishing_.swap(touched_);
        for (Object* const object : finishing_) {
            object->touched = false;
            decide(*object);
            count(*object);
            set_deadline(*object);
        }
        finishing_.clear();
    }
    gates_->tell();
    send_batches();
}

} // namespace stationsync::core
