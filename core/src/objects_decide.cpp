// What has to happen next with an object. Run again whenever anything about it may have changed.
#include "apply_gates.hpp"
#include "objects.hpp"

#include <algorithm>

namespace stationsync::core {

bool is_state_of(const KeptState& kept, const Revision& revision) {
    return (kept.revision && kept.revision->id() == revision.id()) ||
           (kept.digest && revision.digest && *kept.digest == *revision.digest);
}

std::optional<PackageInfo> Objects::local_content(const Object& object,
                                                  const RevisionId& revision) const {
    for (const LocalPackage& local : object.record.packages)
        if (local.revision == revision && !local.live)
            return local.package;
    for (const KeptState& kept : object.record.kept)
        if (kept.revision && kept.revision->id() == revision)
            return kept.package;
    return std::nullopt;
}

// The live data are not, or no longer, what the head says.
bool Objects::wants_apply(const Object& object) const {
    const SetEntry* const head = object.head();
    if (!head || mutant(Mutant::absence_is_change)) {
        if (!head || object.live_absent())
            return false;
    }
    if (head->revision->id() != object.held_id())
        return true;
    return object.live_absent() || object.record.mark.empty() || object.record.replaceable;
}

bool Objects::key_refused(Provider& provider, Object& object) {
    return provider.config.keys_are_paths && object.activity && !object.activity->refused.empty();
}

// Known kind, and a back end that the plugin accepts.
bool Objects::head_fits(Provider& provider, Object& object) {
    const Revision& head = *object.head()->revision;
    if (head.kind != revision_kind_content)
        return false;
    const auto verdict = judge_.ask(provider.record.provider, head.tokens);
    if (!verdict)
        return false;
    if (!verdict->compatible) {
        object.active().tokens_refused = verdict->text;
        return false;
    }
    if (object.activity)
        object.activity->tokens_refused.reset();
    return true;
}

bool Objects::may_apply(const Provider& provider, Object& object) {
    const ObjectRecord& record = object.record;
    if (!provider.scanned_once || record.intent || object.stage() != Stage::idle)
        return false;
    if (record.seen_change && !mutant(Mutant::apply_over_dirty))
        return false;
    if (provider.is_newcomer() && !provider.record.first_scan_sealed)
        return false;
    if (object.activity &&
        (object.activity->look_first || object.activity->live.retry_at > context_.instant()))
        return false;
    // A deleted object comes back after the settle time.
    const bool waits = object.live_absent() && object.activity->settle_at > context_.instant();
    return !waits;
}

void Objects::promote(Provider& provider, Object& object) {
    const SetEntry* const head = object.head();
    if (!head || head->rank != Rank::newcomer || !provider.record.established)
        return;
    SetEntry promoted = *head;
    promoted.rank = Rank::adopted;
    merge_entry(object.record.set, promoted);
    if (object.held_id() == promoted.revision->id())
        object.record.held_rank = promoted.rank;
    bump(object);
}

void Objects::tell_conflict(Object& object, bool was_conflict) {
    const bool is_conflict = has_conflict(object.record.set);
    if (is_conflict == was_conflict)
        return;
    std::string const subject = to_text(object.record.id);
    context_.out.now(ObjectChanged{object.record.id});
    if (!is_conflict) {
        context_.out.now(ClearMessage{"conflict", subject});
        return;
    }
    const Revision& winner = *object.record.set[0].revision;
    const Revision& loser = *object.record.set[1].revision;
    const StationId& first = winner.author.station;
    const StationId& second = loser.author.station;
    context_.out.now(make_message(
        "conflict", subject,
        {{"key", object.record.id.key},
         {"object", subject},
         {"winner", stations_->name_of(first)},
         {"loser", first == second ? "the same station" : stations_->name_of(second)}}));
}

void Objects::decide(Object& object) {
    Provider* const provider = provider_of(object.record.id);
    if (!provider || !provider->recovered)
        return;
    promote(*provider, object);
    decide_content(*provider, object);
    gates_->note_waiting(*provider, object, decide_next(*provider, object));
}

// True: the head is here, and waits for nothing but to be allowed to be applied.
bool Objects::decide_next(Provider& provider, Object& object) {
    ObjectRecord& record = object.record;
    if (record.intent || (object.stage() != Stage::idle && object.stage() != Stage::settling))
        return false;
    const bool retry_later = object.activity && object.activity->live.retry_at > context_.instant();
    if (retry_later)
        return false;
    if (record.publish_requested && provider.scanned_once) {
        start_export(provider, object);
        return false;
    }
    if (record.seen_change) {
        Activity& activity = object.active();
        if (activity.stage == Stage::idle)
            begin_settling(provider, object, false);
        if (activity.urgent || activity.settle_at <= context_.instant())
            start_export(provider, object);
        return false;
    }
    const bool ready = wants_apply(object) && may_apply(provider, object) &&
                       !key_refused(provider, object) && head_fits(provider, object) &&
                       local_content(object, object.head_id());
    const bool begins = ready && gates_->may_begin(provider);
    if (begins)
        queue_apply(object);
    else
        apply_queue_.erase(record.id);
    if (!wants_apply(object) && lacks_package(provider, object))
        start_export(provider, object);
    return ready && !begins;
}

// The package of what is held was lost, and whoever else needs it waits for it (rule 16). Of
// reproducible content only the author keeps one.
bool Objects::lacks_package(const Provider& provider, const Object& object) const {
    const ObjectRecord& record = object.record;
    const bool keeps_one = record.held && (!provider.config.export_reproducible ||
                                           record.held->author.station == context_.config.self);
    if (!keeps_one || !provider.scanned_once || !object.is_clean() || record.mark.empty() ||
        record.intent || object.stage() != Stage::idle || mutant(Mutant::drop_current_package))
        return false;
    return !has_package(provider, object);
}

// Of what it made itself the live file serves only when it is too big for a copy; as the author by
// restore or under a former name a station may have the state without a copy.
bool Objects::has_package(const Provider& provider, const Object& object) const {
    const Revision& held = *object.record.held;
    const bool live_serves =
        held.author.station != context_.config.self ||
        (provider.config.live_above != 0 && held.bytes > provider.config.live_above);
    return std::any_of(object.record.packages.begin(), object.record.packages.end(),
                       [&](const LocalPackage& local) {
                           return local.revision == held.id() && (!local.live || live_serves);
                       });
}

// Sees to it that the content of the head is, or comes, here.
void Objects::decide_content(Provider& provider, Object& object) {
    ObjectRecord& record = object.record;
    if (!wants_apply(object)) {
        drop_fetch(object);
        if (object.activity) {
            object.activity->peer_packages.clear();
            object.activity->content = {};
        }
        return;
    }
    const Revision& head = *object.head()->revision;
    const bool held_is_head = record.held && head.id() == record.held->id();
    // Content equal to the head's is adopted as the head: no transfer, no synchronization.
    if (!held_is_head && object.is_clean() && object.stage() == Stage::idle && !record.intent &&
        head.digest && record.held->digest == head.digest && !mutant(Mutant::no_adopt_equal)) {
        const RevisionId before = record.held->id();
        for (LocalPackage& local : record.packages)
            if (local.revision == before)
                local.revision = head.id();
        const WallTime recorded = record.recorded_at;
        const WallTime held_time = record.held_time;
        become_held(object, object.head()->revision, object.head()->rank, record.mark, held_time);
        record.recorded_at = recorded;
        if (const auto package = local_content(object, head.id()))
            context_.out.now(DescribePackage{record.id, package->digest, record.held, false});
        drop_fetch(object);
        bump(object);
        return;
    }
    if (key_refused(provider, object) || !head_fits(provider, object) || adopt_kept(object) ||
        local_content(object, head.id())) {
        drop_fetch(object);
        keep_own(provider, object);
        return;
    }
    want_content(object);
}

// The content of the head lies in the history here: its package is what the next apply needs, and
// what is held must not depend on the limits of the history.
bool Objects::adopt_kept(Object& object) {
    ObjectRecord& record = object.record;
    const RevisionPtr head = object.head()->revision;
    for (const LocalPackage& local : record.packages)
        if (local.revision == head->id() && !local.live)
            return true;
    if (object.activity && object.activity->adopt_after > context_.instant())
        return false;
    for (const KeptState& kept : record.kept) {
        if (!is_state_of(kept, *head))
            continue;
        context_.out.now(AdoptKept{record.id, kept.package, head});
        record.packages.push_back({head->id(), kept.package, false});
        object.active().received_bytes = 0;
        bump(object);
        return true;
    }
    return false;
}

} // namespace stationsync::core
