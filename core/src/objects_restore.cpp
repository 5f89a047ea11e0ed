// publish and restore: revisions made on purpose, which have seen everything this station knows.
#include "objects.hpp"
#include "stamping.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
constexpr Duration ask_kept_for = std::chrono::seconds(15);
}

void Objects::answer(std::string command, std::string subject, bool ok, std::string text) {
    context_.out.now(CommandAnswered{std::move(command), std::move(subject), ok, std::move(text)});
}

VersionVector Objects::everything_known(const Object& object) const {
    VersionVector known;
    for (const SetEntry& entry : object.record.set)
        known.merge(entry.revision->seen);
    if (object.record.held)
        known.merge(object.record.held->seen);
    if (object.activity)
        for (const RevisionPtr& held_back : object.activity->held_stamps)
            known.merge(held_back->seen);
    return known;
}

void Objects::on(const PublishRequested& event) {
    std::string const subject = to_text(event.object);
    Provider* const provider = provider_of(event.object);
    Object* const object = find(event.object);
    if (!provider) {
        answer("publish", subject, false,
               "no enabled provider is called '" + event.object.provider + "'");
    } else if (!provider->record.established) {
        answer("publish", subject, false,
               "this station is not established for '" + event.object.provider +
                   "' yet: wait until it has joined, or use: stationsync establish " +
                   event.object.provider);
    } else if (object && object->record.intent && provider->recovered) {
        answer("publish", subject, false, "a change is just being applied; try again in a moment");
    } else if (!object && provider->scanned_once) {
        answer("publish", subject, false,
               "no such object is known here; `stationsync objects` lists them, and what was made "
               "just now is found by the next scan");
    } else {
        Object& target = object ? *object : get(event.object);
        if (!object)
            provider->objects += 1;
        target.record.publish_requested = true;
        if (target.activity)
            target.activity->live = {};
        store(target);
        touch(target);
    }
}

void Objects::on(const RestoreRequested& event) {
    std::string const subject = to_text(event.object);
    Provider* const provider = provider_of(event.object);
    Object* const object = find(event.object);
    if (!provider || !object) {
        answer("restore", subject, false,
               "no such object is known here; `stationsync objects` lists them");
        return;
    }
    if (!provider->record.established) {
        answer("restore", subject, false, "this station is not established for this provider yet");
        return;
    }
    if (restore_refused(subject, *object))
        return;
    for (const KeptState& kept : object->record.kept)
        if (version_id(kept.revision, kept.package) == event.version) {
            // A revision without its content would win everywhere and exist nowhere: first the
            // package, then the revision.
            context_.out.now(AdoptKept{event.object, kept.package, kept.revision});
            restores_.push_back({event.object, event.version, {}, kept});
            return;
        }
    restore_from_others(event.object, event.version);
}

bool Objects::restore_refused(const std::string& subject, const Object& object) {
    const ObjectRecord& record = object.record;
    if (!record.intent && !record.seen_change)
        return false;
    answer("restore", subject, false,
           record.intent ? "a change is just being applied; try again in a moment"
                         : "a local change is not sent yet; wait, or use send-now, then try again");
    return true;
}

void Objects::restore_from_others(const ObjectId& object, const std::string& version) {
    if (exchanges_.empty()) {
        answer("restore", to_text(object), false,
               "version " + version +
                   " is not kept here and no other station is connected; `stationsync stations` "
                   "tells why");
        return;
    }
    restores_.push_back({object, version, context_.instant() + ask_kept_for, std::nullopt});
    broadcast(object.provider, KeptQuery{object, version});
}

void Objects::on(const KeptAdopted& event) {
    if (event.status != JobStatus::ok)
        on(PackageLost{event.object, event.package, false});
    if (event.status == JobStatus::not_found)
        on(PackageLost{event.object, event.package, true});
    const auto asked =
        std::find_if(restores_.begin(), restores_.end(), [&](const PendingRestore& each) {
            return each.object == event.object && each.adopting &&
                   each.adopting->package.digest == event.package;
        });
    if (asked == restores_.end())
        return;
    const PendingRestore restore = std::move(*asked);
    restores_.erase(asked);
    conclude_restore(restore, event);
}

void Objects::conclude_restore(const PendingRestore& restore, const KeptAdopted& event) {
    std::string const subject = to_text(restore.object);
    Object* const object = find(restore.object);
    Provider* const provider = provider_of(restore.object);
    if (!object || !provider) {
        answer("restore", subject, false,
               "the provider was disabled meanwhile; enable it and try again");
    } else if (event.status == JobStatus::not_found) {
        restore_from_others(restore.object, restore.version);
    } else if (event.status != JobStatus::ok) {
        answer("restore", subject, false,
               "the kept state cannot be copied into the sync directory: " + event.text);
    } else if (restore_refused(subject, *object)) {
        context_.out.after_durable(DropPackage{restore.object, event.package, false});
    } else {
        const KeptState& kept = *restore.adopting;
        restored_revision(*object, kept.revision, kept.digest, kept.bytes, kept.package, true);
    }
}

// Makes the revision; the live data follow by an ordinary apply.
void Objects::restored_revision(Object& object, const RevisionPtr& of, std::optional<Digest> digest,
                                std::uint64_t bytes, const PackageInfo& package, bool local) {
    Provider& provider = *provider_of(object.record.id);
    ObjectRecord& record = object.record;
    auto revision = std::make_shared<Revision>();
    revision->object = record.id;
    revision->author = context_.author();
    revision->sequence = next_sequence();
    revision->digest = of ? of->digest : digest;
    revision->bytes = of ? of->bytes : bytes;
    revision->parent = object.held_id();
    revision->tokens = of ? of->tokens : provider.tokens;
    revision->seen = everything_known(object);
    std::vector<Stamp> stamps;
    for (const SetEntry& entry : record.set)
        if (!entry.clock_wrong)
            stamps.push_back(entry.revision->stamp);
    revision->changed_at = context_.wall();
    revision->uncertainty = clock_error_bound();
    revision->stamp = make_stamp(context_.wall(), stamps);
    revision->seen.raise(revision->author, revision->sequence);
    note_seen(*revision);
    const bool was_conflict = has_conflict(record.set);
    merge_entry(record.set, {revision, Rank::plant, false});
    object.present.clear();
    if (local) {
        context_.out.now(DescribePackage{record.id, package.digest, revision, false});
        record.packages.push_back({revision->id(), package, false});
    }
    record_history(object, HistoryWhat::restored, revision, package, false, {});
    bump(object);
    tell_conflict(object, was_conflict);
    answer("restore", to_text(record.id), true,
           "restored as a new change; it wins on every station");
    touch(object);
}

void Objects::on_message(const StationId& from, const KeptQuery& message) {
    KeptAnswer reply{message.object, message.version, false, nullptr, {}};
    if (const Object* const object = find(message.object))
        for (const KeptState& kept : object->record.kept)
            if (version_id(kept.revision, kept.package) == message.version) {
                reply.found = true;
                reply.revision = kept.revision;
                reply.package = kept.package;
            }
    send(from, std::move(reply));
}

void Objects::on_message(const StationId& from, const KeptAnswer& message) {
    const auto asked =
        std::find_if(restores_.begin(), restores_.end(), [&](const PendingRestore& each) {
            return each.object == message.object && each.version == message.version &&
                   !each.adopting;
        });
    if (asked == restores_.end() || !message.found)
        return;
    Object* const object = find(message.object);
    restores_.erase(asked);
    if (!object || !provider_of(message.object) || object->record.intent ||
        object->record.seen_change) {
        answer("restore", to_text(message.object), false,
               "the object changed meanwhile; try again");
        return;
    }
    restored_revision(*object, message.revision, std::nullopt, message.package.bytes,
                      message.package, false);
    object->active().peer_packages.push_back(
        {from, object->head_id(), message.package, false, true});
    touch(*object);
}

void Objects::expire_restores() {
    std::erase_if(restores_, [&](const PendingRestore& each) {
        if (each.adopting || each.give_up > context_.instant())
            return false;
        answer("restore", to_text(each.object), false,
               "no linked station keeps version " + each.version);
        return true;
    });
}

} // namespace stationsync::core
