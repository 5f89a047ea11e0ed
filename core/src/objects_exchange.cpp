// The index: what peers lack of ours, what we lack of theirs. A reconnect moves only what is new.
#include "apply_gates.hpp"
#include "objects.hpp"
#include "stamping.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
constexpr Duration resend_after = std::chrono::seconds(10);
constexpr Duration ask_held_back_after = std::chrono::seconds(10);
} // namespace

// Providers that are exchanged with this station.
std::set<std::string> Objects::open_providers(const StationId& id) const {
    std::set<std::string> open;
    for (const auto& [name, provider] : providers_)
        if (stations_->provider_open(id, name))
            open.insert(name);
    return open;
}

void Objects::peer_opened(const StationId& id) {
    exchanges_.emplace(id, Exchange{});
    // What was skipped in the last session, while a provider did not fit, is asked for again.
    std::set<std::string> open = open_providers(id);
    std::set<std::string>& covered = covered_[id];
    StationRecord* const record = stations_->record(id);
    if (record && !std::includes(covered.begin(), covered.end(), open.begin(), open.end()) &&
        record->index_seen != 0) {
        record->index_seen = 0;
        stations_->store(id);
    }
    covered = std::move(open);
    greet(id);
    for (const auto& [object_id, object] : objects_)
        if (object->activity && object->activity->announced_pending &&
            stations_->provider_open(id, object_id.provider))
            send(id, PendingChange{object_id, true, context_.wall()});
    if (const auto early = early_greetings_.extract(id))
        on_message(id, early.mapped());
}

void Objects::peer_closed(const StationId& id) {
    exchanges_.erase(id);
    early_greetings_.erase(id);
    gates_->forget(id);
    for (const auto& [object_id, object] : objects_) {
        if (!object->activity)
            continue;
        Activity& activity = *object->activity;
        bool changed = activity.pending_at.erase(id) > 0;
        changed = activity.kept_at.erase(id) > 0 || changed;
        changed = std::erase_if(activity.peer_packages,
                                [&](const PeerPackage& peer) {
                                    return peer.station == id && peer.partial;
                                }) > 0 ||
                  changed;
        if (changed || activity.fetching || wants_apply(*object))
            touch(*object);
    }
    for (VerifyRun& run : verifies_)
        run.awaited.erase(id);
}

void Objects::peer_providers_changed(const StationId& id) {
    // What was skipped while a provider did not fit has to be told again, both ways: the peer's
    // request may have come on its other link before the verdict that opened the provider here.
    covered_[id] = open_providers(id);
    reset_cursor(id);
    if (const auto place = exchanges_.find(id); place != exchanges_.end() && place->second.asked) {
        place->second.acked = 0;
        place->second.in_flight = 0;
        place->second.answer_wanted = true;
    }
    gates_->tell(id);
    for (const auto& [name, provider] : providers_)
        if (provider.enabled)
            touch_all(name);
}

void Objects::reset_cursor(const StationId& id) {
    const auto place = exchanges_.find(id);
    if (place == exchanges_.end())
        return;
    place->second.cursor = 0;
    place->second.complete = false;
    place->second.first_held_back.reset();
    if (StationRecord* const record = stations_->record(id)) {
        record->index_seen = 0;
        stations_->store(id);
    }
    if (place->second.greeted)
        request_index(id, true);
}

void Objects::greet(const StationId& id) {
    Greeting greeting;
    greeting.incarnation = context_.meta.incarnation;
    const StationRecord* const record = stations_->record(id);
    const auto first = highest_seen_.lower_bound({id, 0});
    for (auto place = first; place != highest_seen_.end() && place->first.station == id; ++place) {
        std::uint64_t const index =
            record && record->incarnation == place->first.incarnation ? record->index_seen : 0;
        greeting.known.push_back({place->first.incarnation, place->second, index});
    }
    const bool listed = record && std::any_of(greeting.known.begin(), greeting.known.end(),
                                              [&](const KnownOfYou& known) {
                                                  return known.incarnation == record->incarnation;
                                              });
    if (record && record->index_seen > 0 && !listed)
        greeting.known.push_back({record->incarnation, 0, record->index_seen});
    Exchange& exchange = exchanges_[id];
    exchange.greeted_at = context_.instant();
    greeting.answer_wanted = !exchange.greeted;
    send_durable(id, std::move(greeting));
}

void Objects::on_message(const StationId& from, const Greeting& message) {
    const auto place = exchanges_.find(from);
    if (place == exchanges_.end())
        return;
    for (const KnownOfYou& known : message.known)
        if (known.incarnation == context_.meta.incarnation &&
            (known.sequence > context_.meta.sequence || known.index > context_.meta.index))
            reincarnate();
    Exchange& exchange = place->second;
    // It opened the exchange anew and we did not: ours before that is gone with its old one.
    if (exchange.greeted && message.answer_wanted)
        greet(from);
    exchange.greeted = true;
    exchange.their_incarnation = message.incarnation;
    StationRecord* const record = stations_->record(from);
    if (record && record->incarnation != message.incarnation) {
        record->incarnation = message.incarnation;
        record->index_seen = 0;
        stations_->store(from);
    }
    // Holders and packages are volatile: after our own start everything is asked for once, after a
    // mere break of the link only what is new.
    exchange.cursor = record && slot_by_station_.contains(from) ? record->index_seen : 0;
    request_index(from, true);
    gates_->tell(from);
}

void Objects::request_index(const StationId& id, bool wants_answer) {
    Exchange& exchange = exchanges_[id];
    exchange.requested_at = context_.instant();
    if (wants_answer) {
        exchange.complete = false;
        exchange.awaiting_answer = true;
    }
    send_durable(id, IndexRequest{exchange.their_incarnation, exchange.cursor, wants_answer});
}

void Objects::on_message(const StationId& from, const IndexRequest& message) {
    const auto place = exchanges_.find(from);
    if (place == exchanges_.end())
        return;
    Exchange& exchange = place->second;
    const bool ours = message.incarnation == context_.meta.incarnation;
    std::uint64_t const after = ours ? std::min(message.after, context_.meta.index) : 0;
    exchange.asked = true;
    if (message.wants_answer) {
        exchange.answer_wanted = true;
        exchange.in_flight = 0;
        exchange.acked = after;
    } else {
        exchange.acked = std::max(exchange.acked, after);
        if (exchange.in_flight != 0 && exchange.acked >= exchange.in_flight)
            exchange.in_flight = 0;
    }
}

IndexEntry Objects::entry_of(const Object& object) const {
    const ObjectRecord& record = object.record;
    IndexEntry entry;
    entry.object = record.id;
    entry.set = record.set;
    entry.held = object.held_id();
    entry.index = record.index;
    // The live data serve as a package only as long as they are what is held.
    for (const LocalPackage& local : record.packages)
        for (const SetEntry& each : record.set)
            if (each.revision->id() == local.revision && (!local.live || object.is_clean()))
                entry.packages.push_back({local.revision, local.package, false});
    for (const SetEntry& each : record.set)
        for (const KeptState& kept : record.kept)
            if (is_state_of(kept, *each.revision)) {
                entry.kept.push_back(each.revision->id());
                const bool listed = std::any_of(
                    entry.packages.begin(), entry.packages.end(),
                    [&](const auto& other) { return other.revision == each.revision->id(); });
                if (!listed)
                    entry.packages.push_back({each.revision->id(), kept.package, false});
            }
    return entry;
}

bool Objects::send_batch(const StationId& id, Exchange& exchange) {
    IndexBatch batch;
    batch.incarnation = context_.meta.incarnation;
    batch.after = exchange.acked;
    batch.last = context_.meta.index;
    std::size_t const most = context_.config.limits.index_batch_entries;
    index_log_.visit_after(
        exchange.acked, [](const Object& object) { return object.record.index; },
        [&](const Object& object) {
            if (batch.entries.size() >= most) {
                batch.more = true;
                return false;
            }
            batch.last = object.record.index;
            // Under a name that may have to be given up nothing is told.
            if (!object.record.set.empty() && !object.record.old_name_unconfirmed &&
                provider_of(object.record.id) &&
                stations_->provider_open(id, object.record.id.provider))
                batch.entries.push_back(entry_of(object));
            return true;
        });
    if (!batch.more)
        batch.last = context_.meta.index;
    for (const auto& [name, provider] : providers_)
        if (provider.enabled && provider.record.established)
            batch.established.push_back(name);
    const bool nothing_new = batch.last == exchange.acked && batch.entries.empty();
    if (nothing_new && !exchange.answer_wanted)
        return false;
    exchange.answer_wanted = false;
    exchange.in_flight = nothing_new ? 0 : batch.last;
    exchange.sent_at = context_.instant();
    send_durable(id, std::move(batch));
    return true;
}

void Objects::send_batches() {
    const Instant now = context_.instant();
    for (auto& [id, exchange] : exchanges_) {
        if (!exchange.asked)
            continue;
        if (exchange.in_flight != 0 && exchange.sent_at + resend_after <= now) {
            exchange.in_flight = 0;
            exchange.answer_wanted = true;
        }
        if (exchange.in_flight == 0 &&
            (exchange.answer_wanted || exchange.acked < context_.meta.index))
            send_batch(id, exchange);
    }
}

void Objects::on_message(const StationId& from, const IndexBatch& message) {
    const auto place = exchanges_.find(from);
    if (place == exchanges_.end() || !place->second.greeted)
        return;
    Exchange& exchange = place->second;
    if (message.incarnation != exchange.their_incarnation) {
        exchange.their_incarnation = message.incarnation;
        exchange.cursor = 0;
    }
    if (message.after > exchange.cursor) {
        request_index(from, true); // something in between was lost
        return;
    }
    exchange.awaiting_answer = false;
    const bool was_complete = exchange.complete;
    slot_of(from);
    bool held_back = false;
    for (const IndexEntry& entry : message.entries) {
        if (merge(from, entry))
            continue;
        held_back = true;
        if (!exchange.first_held_back || entry.index < *exchange.first_held_back)
            exchange.first_held_back = entry.index;
    }
    exchange.cursor = std::max(exchange.cursor, message.last);
    exchange.complete = !message.more && !exchange.first_held_back;
    if (held_back)
        exchange.ask_again = context_.instant() + ask_held_back_after;
    if (StationRecord* const record = stations_->record(from)) {
        // Beyond a held stamp nothing counts as seen: it is lost with this process and asked for
        // again.
        std::uint64_t const seen =
            exchange.first_held_back ? *exchange.first_held_back - 1 : exchange.cursor;
        if (record->incarnation != message.incarnation || record->index_seen != seen) {
            record->incarnation = message.incarnation;
            record->index_seen = seen;
            stations_->store(from);
        }
    }
    if (message.last > message.after || message.more)
        request_index(from, message.more);
    if (exchange.complete)
        catalogue_complete(from, message.established);
    // A source that is back has nothing new to tell of what is waited for.
    if (exchange.complete && !was_complete)
        for (const auto& [object_id, object] : objects_)
            if (wants_apply(*object))
                touch(*object);
}

void Objects::ask_held_back_again() {
    for (auto& [id, exchange] : exchanges_) {
        const bool one_sided = !exchange.asked || !exchange.greeted;
        if (one_sided && exchange.greeted_at + resend_after <= context_.instant())
            greet(id);
        if (exchange.awaiting_answer && exchange.requested_at + resend_after <= context_.instant())
            request_index(id, true);
        if (exchange.ask_again.us == 0 || exchange.ask_again > context_.instant())
            continue;
        exchange.ask_again = {};
        if (!exchange.first_held_back)
            continue;
        exchange.cursor = *exchange.first_held_back - 1;
        exchange.first_held_back.reset();
        request_index(id, true);
    }
}

// False: a stamp of the entry is too far ahead; the rest of it was taken.
bool Objects::accept_stamps(const IndexEntry& entry, Object& object,
                            std::vector<SetEntry>& accepted) {
    bool all = true;
    if (object.activity)
        object.activity->held_stamps.clear();
    for (const SetEntry& each : entry.set) {
        const bool known = std::any_of(
            object.record.set.begin(), object.record.set.end(),
            [&](const SetEntry& ours) { return ours.revision->id() == each.revision->id(); });
        SetEntry taken = each;
        const StampVerdict verdict =
            known || each.clock_wrong
                ? StampVerdict::accept
                : judge_stamp(each.revision->stamp, context_.wall(), stations_->clock_agrees());
        if (verdict == StampVerdict::hold) {
            object.active().held_stamps.push_back(each.revision);
            all = false;
            continue;
        }
        taken.clock_wrong = each.clock_wrong || verdict == StampVerdict::accept_clock_wrong;
        accepted.push_back(std::move(taken));
    }
    return all;
}

bool Objects::merge(const StationId& from, const IndexEntry& entry) {
    Provider* const provider = provider_of(entry.object);
    if (!provider || !stations_->provider_open(from, entry.object.provider))
        return true;
    for (const SetEntry& each : entry.set)
        if (is_unknown_own(*each.revision))
            reincarnate();
    const bool fresh = !find(entry.object);
    Object& object = get(entry.object);
    provider->objects += fresh ? 1 : 0;
    if (!entry.refused.empty())
        object.active().refused = entry.refused;
    if (!entry.folded_key.empty())
        refuse_twin(*provider, object, entry.folded_key);
    std::vector<SetEntry> accepted;
    const bool all = accept_stamps(entry, object, accepted);
    if (object.record.old_name_unconfirmed)
        confirm_old_name(object, &entry);
    const bool was_conflict = has_conflict(object.record.set);
    const RevisionId old_head = object.head_id();
    bool changed = false;
    for (const SetEntry& each : accepted) {
        note_seen(*each.revision);
        changed = merge_entry(object.record.set, each) || changed;
    }
    if (object.head_id() != old_head)
        object.present.clear();
    note_holder(from, entry, object);
    if (changed) {
        for (const SetEntry& each : object.record.set)
            if (each.revision->id() == object.held_id())
                object.record.held_rank = each.rank;
        bump(object);
        tell_conflict(object, was_conflict);
        context_.out.now(ObjectChanged{entry.object});
    }
    touch(object);
    return all;
}

void Objects::note_holder(const StationId& from, const IndexEntry& entry, Object& object) {
    std::uint16_t const slot = slot_of(from);
    const auto place = std::lower_bound(object.present.begin(), object.present.end(), slot);
    const bool listed = place != object.present.end() && *place == slot;
    const bool holds = entry.held && entry.held == object.head_id();
    if (holds && !listed)
        object.present.insert(place, slot);
    if (!holds && listed)
        object.present.erase(place);
    const bool in_conflict = has_conflict(object.record.set);
    if (in_conflict || object.activity) {
        auto& kept_at = object.active().kept_at;
        if (entry.kept.empty())
            kept_at.erase(from);
        else
            kept_at[from] = entry.kept;
    }
    if (!object.activity && !wants_apply(object))
        return;
    auto& packages = object.active().peer_packages;
    std::erase_if(packages, [&](const PeerPackage& peer) {
        return peer.station == from && !peer.partial && !peer.pinned;
    });
    if (!wants_apply(object))
        return;
    for (const LocalPackage& local : entry.packages) {
        std::erase_if(packages, [&](const PeerPackage& peer) {
            return peer.station == from && peer.revision == local.revision &&
                   peer.package == local.package;
        });
        packages.push_back({from, local.revision, local.package, false, false});
    }
    // It only waited to ask again who has packages.
    if (Trouble& content = object.active().content; content.text.empty())
        content.retry_at = {};
}

void Objects::on_message(const StationId& from, const PendingChange& message) {
    if (!provider_of(message.object) || !stations_->provider_open(from, message.object.provider))
        return;
    Object* object = find(message.object);
    if (!object) {
        if (!message.active)
            return;
        object = &get(message.object);
        provider_of(message.object)->objects += 1;
    }
    if (message.active)
        object->active().pending_at[from] = message.since;
    else if (object->activity)
        object->activity->pending_at.erase(from);
    context_.out.now(ObjectChanged{message.object});
    touch(*object);
}

} // namespace stationsync::core
