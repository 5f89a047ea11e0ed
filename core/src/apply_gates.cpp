#include "apply_gates.hpp"

#include "stations_impl.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::core {

namespace {

// The wall clock is past the end of a hold that has not lasted long enough: this computer slept, or
// its clock was set. In the second case the host makes a new engine within this time.
constexpr Duration step_noticed_within = std::chrono::seconds(10);
constexpr Duration stands_at_least = std::chrono::seconds(1);
constexpr Duration clock_is_set_by = std::chrono::seconds(2); // less is its regulation

// "2026-01-31 12:34 UTC"
std::string minute_text(WallTime time) {
    constexpr std::size_t day_length = 10;
    constexpr std::size_t minute_at = 11;
    constexpr std::size_t minute_length = 5;
    std::string text = to_text(time);
    if (text.size() < minute_at + minute_length)
        return text;
    return text.substr(0, day_length) + ' ' + text.substr(minute_at, minute_length) + " UTC";
}

std::string until_text(const std::optional<WallTime>& until) {
    return until ? " until " + minute_text(*until) : std::string();
}

std::string hindrance_text(const ApplyState& state) {
    if (state.hindrance == Hindrance::held)
        return "held on purpose" + until_text(state.until);
    if (state.hindrance == Hindrance::other)
        return "it is kept from coming in there" + (state.text.empty() ? "" : ": " + state.text);
    return "apply_when does not allow it now: " + state.text;
}

} // namespace

bool leave_stands(const ApplyVerdict& verdict, const Now& now) {
    const Duration gone = now.wall - verdict.answered;
    return verdict.allowed && verdict.until > now.instant &&
           gone <= verdict.stands_for + clock_is_set_by && gone >= -clock_is_set_by;
}

std::string_view to_text(Hindrance hindrance) {
    switch (hindrance) {
    case Hindrance::none:
        return "none";
    case Hindrance::held:
        return "held";
    case Hindrance::condition:
        return "condition";
    case Hindrance::other:
        return "other";
    }
    return "unknown";
}

// An order is for so long, whatever the clock says: what noticed steps moved it by moves the end.
std::optional<WallTime> Objects::Gates::hold_end(const Hold& hold) const {
    if (!hold.until)
        return std::nullopt;
    return *hold.until + (context_.meta.clock_moved - hold.clock_moved);
}

// At a start, and when the order is given: how much of it is left.
void Objects::Gates::begin_hold(Provider& provider) {
    provider.gate.hold_ends.reset();
    provider.gate.hold_ends_asleep.reset();
    provider.gate.hindrance_touched = true;
    if (!provider.record.hold)
        return;
    Hold& hold = *provider.record.hold;
    if (const auto until = hold_end(hold)) {
        const Duration left = *until - context_.wall();
        // The clock was put back while nobody looked: no longer than was ordered.
        if (left > hold.length) {
            hold.until = context_.wall() + hold.length;
            hold.clock_moved = context_.meta.clock_moved;
            objects_.store(provider);
        }
        provider.gate.hold_ends = context_.instant() + std::clamp(left, Duration{}, hold.length);
    }
    const std::string& name = provider.record.provider;
    context_.out.after_durable(make_message("provider-held", name,
                                            {{"provider", name},
                                             {"since", minute_text(hold.since)},
                                             {"until", until_text(hold_end(hold))}}));
}

void Objects::Gates::on(const HoldRequested& event) {
    const auto place = objects_.providers_.find(event.provider);
    if (place == objects_.providers_.end() || !place->second.enabled) {
        objects_.answer("hold", event.provider, false,
                        "no enabled provider is called '" + event.provider + "'");
        return;
    }
    if (event.length && *event.length <= Duration{}) {
        objects_.answer("hold", event.provider, false, "a hold lasts longer than nothing");
        return;
    }
    Provider& provider = place->second;
    Hold hold;
    // Ordered again it lasts longer or shorter; held it is since the first order.
    hold.since = provider.record.hold ? provider.record.hold->since : context_.wall();
    hold.clock_moved = context_.meta.clock_moved;
    if (event.length) {
        hold.length = *event.length;
        hold.until = context_.wall() + hold.length;
    }
    provider.record.hold = hold;
    objects_.store(provider);
    begin_hold(provider);
    objects_.touch_all(event.provider);
    context_.out.after_durable(
        CommandAnswered{"hold", event.provider, true,
                        "'" + event.provider + "' is held on this station" +
                            until_text(hold.until) + "." + running_text(event.provider) +
                            " To bring in what waits: stationsync release " + event.provider});
}

// What a person who needs quiet has to wait for, because it has begun.
std::string Objects::Gates::running_text(const std::string& provider) const {
    constexpr std::size_t named_max = 3;
    std::string names;
    std::size_t count = 0;
    const auto [first, last] = objects_.objects_of(provider);
    for (auto place = first; place != last; ++place) {
        if (!place->second->record.intent)
            continue;
        if (++count <= named_max)
            names += (names.empty() ? "" : ", ") + to_text(place->first);
    }
    if (count == 0)
        return {};
    if (count > named_max)
        names += " and " + std::to_string(count - named_max) + " more";
    return " What has begun to come in is finished, so its users may still be disturbed: " + names +
           '.';
}

void Objects::Gates::on(const ReleaseRequested& event) {
    const auto place = objects_.providers_.find(event.provider);
    if (place == objects_.providers_.end() || !place->second.enabled) {
        objects_.answer("release", event.provider, false,
                        "no enabled provider is called '" + event.provider + "'");
        return;
    }
    if (!place->second.record.hold) {
        context_.out.now(ClearMessage{"provider-held", event.provider});
        objects_.answer("release", event.provider, true, "'" + event.provider + "' is not held");
        return;
    }
    end_hold(place->second, "by a person");
    context_.out.after_durable(
        CommandAnswered{"release", event.provider, true, "'" + event.provider + "' is released"});
}

void Objects::Gates::end_hold(Provider& provider, const std::string& how) {
    const std::string& name = provider.record.provider;
    context_.out.after_durable(ClearMessage{"provider-held", name});
    context_.out.after_durable(make_message(
        "hold-ended", name,
        {{"provider", name}, {"how", how}, {"since", minute_text(provider.record.hold->since)}}));
    provider.record.hold.reset();
    provider.gate.hold_ends.reset();
    provider.gate.hold_ends_asleep.reset();
    provider.gate.hindrance_touched = true;
    drop_old_verdict(provider);
    objects_.store(provider);
    touch_waiting(provider);
}

void Objects::Gates::begin(Provider& provider) {
    provider.gate.verdict.reset();
    provider.gate.verdict_asked.reset();
    begin_hold(provider);
    if (!provider.record.hold) // the power failed after the end was stored, before it was told
        context_.out.now(ClearMessage{"provider-held", provider.record.provider});
}

void Objects::Gates::end(Provider& provider) {
    if (provider.record.hold) // it is kept, and told of again when the provider is back
        context_.out.now(ClearMessage{"provider-held", provider.record.provider});
    provider.gate.waiting.clear();
    provider.gate.hold_ends.reset();
    provider.gate.verdict.reset();
    provider.gate.verdict_asked.reset();
    provider.gate.hindrance_touched = true;
}

void Objects::Gates::handle_deadline(Provider& provider) {
    if (!provider.gate.waiting.empty())
        ask(provider);
    if (!provider.gate.hold_ends)
        return;
    const Instant now = context_.instant();
    const auto until = hold_end(*provider.record.hold);
    if (!until || context_.wall() < *until)
        provider.gate.hold_ends_asleep.reset();
    else if (!provider.gate.hold_ends_asleep)
        provider.gate.hold_ends_asleep = now + step_noticed_within;
    if (*provider.gate.hold_ends <= now ||
        (provider.gate.hold_ends_asleep && *provider.gate.hold_ends_asleep <= now))
        end_hold(provider, "because its time was over");
}

std::optional<Instant> Objects::Gates::next_deadline(const Provider& provider) {
    if (provider.gate.hold_ends)
        return std::min(*provider.gate.hold_ends,
                        provider.gate.hold_ends_asleep.value_or(*provider.gate.hold_ends));
    if (provider.record.hold || !provider.gate.verdict || provider.gate.verdict_asked ||
        provider.gate.waiting.empty())
        return std::nullopt;
    return provider.gate.verdict->until;
}

bool Objects::Gates::may_begin(const Provider& provider) const {
    if (mutant(Mutant::hold_ignored))
        return true;
    if (provider.record.hold)
        return false;
    if (!provider.config.apply_when)
        return true;
    return provider.gate.verdict && leave_stands(*provider.gate.verdict, context_.now);
}

void Objects::Gates::ask(Provider& provider) {
    const bool answered =
        provider.gate.verdict && provider.gate.verdict->until > context_.instant();
    if (!provider.config.apply_when || provider.record.hold || answered ||
        provider.gate.verdict_asked)
        return;
    const JobId job = context_.new_job();
    provider.gate.verdict_asked = job;
    const unsigned refusals = provider.gate.verdict ? provider.gate.verdict->refusals : 0;
    context_.out.now(AskApplyWhen{job, provider.record.provider, refusals});
}

void Objects::Gates::on(const ApplyWhenAnswered& event) {
    for (auto& [name, provider] : objects_.providers_) {
        if (provider.gate.verdict_asked != event.job)
            continue;
        provider.gate.verdict_asked.reset();
        const std::optional<ApplyVerdict>& before = provider.gate.verdict;
        ApplyVerdict verdict;
        verdict.allowed = event.allowed;
        verdict.text = shown_text(event.text);
        verdict.answered = context_.wall();
        verdict.stands_for = std::max(event.stands_for, stands_at_least);
        verdict.until = context_.instant() + verdict.stands_for;
        verdict.since = before && !before->allowed ? before->since : context_.wall();
        if (!event.allowed)
            verdict.refusals = before ? before->refusals + 1 : 1;
        provider.gate.verdict = std::move(verdict);
        provider.gate.hindrance_touched = true;
        if (event.allowed)
            touch_waiting(provider);
        return;
    }
}

void Objects::Gates::touch_waiting(Provider& provider) {
    for (const ObjectId& id : provider.gate.waiting)
        if (Object* const object = objects_.find(id))
            objects_.touch(*object);
}

// What was said before nothing waited, or before a hold, is no reason any more.
void Objects::Gates::drop_old_verdict(Provider& provider) {
    if (provider.gate.verdict && provider.gate.verdict->until <= context_.instant())
        provider.gate.verdict.reset();
}

void Objects::Gates::note_waiting(Provider& provider, Object& object, bool waits) {
    const bool waited = provider.gate.waiting.contains(object.record.id);
    if (waits && provider.gate.waiting.empty())
        drop_old_verdict(provider);
    if (waits)
        ask(provider);
    if (waits == waited)
        return;
    if (waits)
        provider.gate.waiting.insert(object.record.id);
    else
        provider.gate.waiting.erase(object.record.id);
    provider.gate.hindrance_touched = true;
    context_.out.now(ObjectChanged{object.record.id});
}

ApplyState Objects::Gates::standing(const Provider& provider) const {
    ApplyState state;
    state.provider = provider.record.provider;
    if (!provider.enabled)
        return state;
    if (provider.record.hold) {
        state.hindrance = Hindrance::held;
        state.since = provider.record.hold->since;
        state.until = hold_end(*provider.record.hold);
    } else if (!provider.gate.waiting.empty() && provider.gate.verdict &&
               !provider.gate.verdict->allowed) {
        state.hindrance = Hindrance::condition;
        state.since = provider.gate.verdict->since;
        state.text = provider.gate.verdict->text;
    }
    return state;
}

void Objects::Gates::tell() {
    for (auto& [name, provider] : objects_.providers_) {
        if (!std::exchange(provider.gate.hindrance_touched, false))
            continue;
        ApplyState state = standing(provider);
        state.number = provider.gate.told.number;
        if (state == provider.gate.told)
            continue;
        state.number = ++told_;
        provider.gate.told = state;
        for (const auto& [station, exchange] : objects_.exchanges_)
            objects_.send_durable(station, state);
        context_.out.now(ProviderChanged{name});
    }
}

void Objects::Gates::tell(const StationId& peer) {
    for (const auto& [name, provider] : objects_.providers_)
        if (provider.gate.told.hindrance != Hindrance::none)
            objects_.send_durable(peer, provider.gate.told);
}

void Objects::Gates::on_message(const StationId& from, const ApplyState& message) {
    if (!objects_.providers_.contains(message.provider))
        return;
    ApplyState& known = peers_[message.provider][from];
    if (message.number < known.number)
        return;
    known = message;
    known.text = shown_text(known.text);
    context_.out.now(ProviderChanged{message.provider});
}

void Objects::Gates::forget(const StationId& peer) {
    for (auto& [provider, states] : peers_)
        if (states.erase(peer) > 0)
            context_.out.now(ProviderChanged{provider});
}

std::vector<WaitView> Objects::Gates::waits_on(const Provider& provider,
                                               const Object* object) const {
    std::vector<WaitView> list;
    const auto add = [&](const StationId& station, const ApplyState& state) {
        if (state.hindrance != Hindrance::none)
            list.push_back(
                {station, state.hindrance, hindrance_text(state), state.since, state.until});
    };
    const std::string& name = provider.record.provider;
    if (!object || provider.gate.waiting.contains(object->record.id))
        add(context_.config.self, standing(provider));
    const auto place = peers_.find(name);
    if (place == peers_.end() || (object && !object->head()))
        return list;
    const std::vector<StationId> holding =
        object ? objects_.holders(*object) : std::vector<StationId>{};
    for (const auto& [station, state] : place->second)
        if (objects_.stations_->provider_open(station, name) &&
            std::find(holding.begin(), holding.end(), station) == holding.end())
            add(station, state);
    return list;
}

std::string Objects::Gates::reason(const Provider& provider, const Object& object) const {
    const ApplyState state = standing(provider);
    const std::string& name = provider.record.provider;
    std::string text;
    if (object.live_absent())
        text = "deleted here; the plant's state is ";
    else if (object.record.replaceable)
        text = "an older state was restored here, to distribute it: stationsync publish " +
               to_text(object.record.id) + "; the plant's state is ";
    text += "fetched and verified; ";
    switch (state.hindrance) {
    case Hindrance::held:
        return text + "'" + name + "' is " + hindrance_text(state) +
               ", to bring it in now: stationsync release " + name;
    case Hindrance::condition:
    case Hindrance::other:
        return text + hindrance_text(state);
    case Hindrance::none:
        break;
    }
    return text + "apply_when is being asked";
}

void Objects::Gates::explain(const Provider& provider, ProviderView& view) const {
    const ApplyState state = standing(provider);
    view.waits_on = waits_on(provider, nullptr);
    if (state.hindrance == Hindrance::none || view.state != ProviderState::ok)
        return;
    const bool held = state.hindrance == Hindrance::held;
    view.state = held ? ProviderState::held : ProviderState::waiting;
    view.reason = hindrance_text(state);
    if (!provider.gate.waiting.empty())
        view.reason += "; what waits: " + std::to_string(provider.gate.waiting.size());
    if (held)
        view.reason += "; stationsync release " + view.name;
}

} // namespace stationsync::core
