// Translates what the stations do into the terms of the reference model.
#include "cluster.hpp"

#include <algorithm>

namespace stationsync::simulation {

namespace {

// How far a stamp is from true time, coarsely; nothing when it is about now.
std::string stamp_text(std::int64_t ahead_us) {
    std::int64_t const distance = ahead_us < 0 ? -ahead_us : ahead_us;
    if (distance < 20 * second) {
        return {};
    }
    std::string amount = std::to_string((distance + 5 * second) / (10 * second) * 10) + " s";
    if (distance > 2 * day) {
        amount = std::to_string(distance / day) + " d";
    } else if (distance > 2 * hour) {
        amount = std::to_string((distance + hour / 2) / hour) + " h";
    } else if (distance > 2 * minute) {
        amount = std::to_string((distance + minute / 2) / minute) + " m";
    }
    return ", stamped " + amount + (ahead_us < 0 ? " ago" : " ahead");
}

} // namespace

ModelRevision Cluster::translate(const core::RevisionPtr& revision,
                                 const core::ObjectRecord& record) const {
    ModelRevision result;
    result.id = revision->id();
    result.object = record.id;
    result.stamp_us = revision->stamp.wall_us;
    result.stamp_logical = revision->stamp.logical;
    if (const auto* known = model.find(result.id, record.id)) {
        result.content = known->content;
        return result;
    }
    result.seen = revision->seen.entries();
    result.changed_at_us = revision->changed_at.us;
    if (revision->digest) {
        result.content = content_of(*revision->digest);
    }
    for (const auto& package : record.packages) {
        if (package.revision == result.id) {
            result.content = content_of(package.package.digest);
        }
    }
    return result;
}

ClaimedRecord Cluster::translate(const core::ObjectRecord& record) const {
    ClaimedRecord result;
    result.object = record.id;
    for (const auto& entry : record.set) {
        result.set.push_back(
            {translate(entry.revision, record), static_cast<int>(entry.rank), entry.clock_wrong});
    }
    if (record.held) {
        result.held = translate(record.held, record);
    }
    return result;
}

void Cluster::on_durable(Machine& machine, const StateStore::Transaction& transaction) {
    for (const auto& mutation : transaction.mutations) {
        const auto* history = std::get_if<core::AppendHistory>(&mutation);
        if (history && history->entry.what == core::HistoryWhat::superseded &&
            history->entry.kept) {
            model.superseded_kept(machine.index, history->entry.object,
                                  content_of(history->entry.package));
        }
        const auto* provider = std::get_if<core::PutProvider>(&mutation);
        if (provider && provider->record.established) {
            model.establishes(machine.index, provider->record.provider);
        } else if (provider) {
            model.not_established(machine.index, provider->record.provider);
        }
    }
    for (const auto& mutation : transaction.mutations) {
        if (const auto* object = std::get_if<core::PutObject>(&mutation)) {
            check_intent(machine, object->record);
            model.record_durable(machine.index, machine.id, translate(object->record));
        } else if (const auto* provider = std::get_if<core::PutProvider>(&mutation)) {
            check_hold(machine, provider->record);
            if (!provider->record.established) {
                continue;
            }
            std::vector<core::ObjectId> unsealed;
            for (const auto& [place, content] : initial_) {
                const auto* record = machine.store.image.find(place.second);
                // The root was changed since, and the plant's state, which is the same, is just
                // being brought in: the scan has not found it.
                if (record && record->intent) {
                    continue;
                }
                if (place.first == machine.index &&
                    place.second.provider == provider->record.provider &&
                    machine.live(place.second) == content && (!record || !record->held)) {
                    unsealed.push_back(place.second);
                }
            }
            model.established(machine.index, provider->record.provider, unsealed);
        } else if (const auto* history = std::get_if<core::AppendHistory>(&mutation)) {
            tell_history(machine, history->entry);
        }
    }
}

void Cluster::tell_history(Machine& machine, const core::HistoryEntry& entry) {
    if (!world.trace.keeps_story() && !world.trace.wants_text()) {
        return;
    }
    std::string text = machine.name + ": " + std::string(core::to_text(entry.what)) + " " +
                       entry.object.provider + "/" + entry.object.key;
    if (entry.what == core::HistoryWhat::published || entry.what == core::HistoryWhat::applied) {
        const auto* record = machine.store.image.find(entry.object);
        if (record && record->held) {
            text += " " + content_name(translate(record->held, *record).content);
        }
    }
    if (entry.what == core::HistoryWhat::published) {
        text += stamp_text(entry.stamp.wall_us - wall_at_start_us - world.now());
    } else if (entry.kept) {
        text += ", kept " + content_name(content_of(entry.package));
    } else if (entry.what != core::HistoryWhat::applied && !entry.kept_on.empty()) {
        text += ", kept on";
        for (const auto& keeper : entry.kept_on) {
            text += (keeper == entry.kept_on.front() ? " " : ", ") + core::to_text(keeper);
        }
    }
    world.trace.tell(std::move(text));
}

void Cluster::on_message_sent(Machine& machine, core::LinkId link, const core::Message& message) {
    const auto* batch = std::get_if<core::IndexBatch>(&message);
    if (!batch) {
        return;
    }
    for (const auto& entry : batch->entries) {
        std::vector<core::RevisionId> set;
        for (const auto& known : entry.set) {
            set.push_back(known.revision->id());
        }
        model.announced(machine.index, entry.object, set);
    }
    std::size_t const peer = world.network.peer_of(link, machine.index);
    if (peer >= world.machines.size()) {
        return;
    }
    if (!batch->more) {
        model.catalogue_sent(machine.index, peer, batch->established);
    }
    for (const auto& [original, copy] : clones_) {
        constexpr int sightings_max = 9; // 90 s: both were told of by then
        const ClonesSeen& seen = clones_seen_[{machine.index, original, copy}];
        if ((peer == original || peer == copy) && sees_both(machine, original, copy) &&
            seen.times > sightings_max && seen.links == links_to(machine, original, copy)) {
            trace_deed(machine.index, "exchanges data with a cloned station over link " +
                                          std::to_string(static_cast<std::uint64_t>(link)));
            model.violation(machine.name + " exchanges data with a cloned station");
        }
    }
}

void Cluster::on_apply_started(Machine& machine, const core::StartApply& order) {
    model.apply_started(machine.index, order.object);
    if (when_apply_starts) {
        when_apply_starts(machine.index, order.object);
    }
}

// The decision to apply is the durable intent: it must be for the head, over a state that is known.
void Cluster::check_intent(Machine& machine, const core::ObjectRecord& record) {
    if (!record.intent || !intents_seen_.insert(record.intent->id).second) {
        return;
    }
    check_allowed(machine, record.id);
    std::string const what =
        machine.name + " means to apply a state of " + core::to_text(record.id);
    if (record.set.empty() || record.set.front().revision->id() != record.intent->revision->id()) {
        model.violation(what + " that is not the head");
    }
    if (record.seen_change && record.replaceable != record.seen_change->mark) {
        model.violation(what + " over an unsealed change");
    }
    core::Mark const expected = record.replaceable ? *record.replaceable : record.mark;
    if (record.intent->expected != expected && !record.intent->expected.empty()) {
        model.violation(what + " over another live state than the recorded one");
    }
}

void Cluster::on_applied(Machine& machine, const core::StartApply& order, Content before,
                         Content after) {
    const auto* live_object = machine.provider(order.object.provider).find(order.object.key);
    model.applied(machine.index, order.revision->id(), order.object, before, after,
                  live_object->changed_at_us);
    if (when_applied) {
        when_applied(machine.index, order.object);
    }
}

void Cluster::on_command_answered(Machine& machine, const core::CommandAnswered& answer) {
    check_hold_answer(machine, answer);
    if (!answer.ok) {
        model.order_refused(machine.index, answer.command, answer.subject);
    }
}

void Cluster::on_crashed(Machine& machine) {
    trace_deed(machine.index, "crashes");
    if (restart_crashed) {
        Machine* const crashed = &machine;
        std::int64_t const off = world.random.chance(70) ? world.random.between(1, 20 * second)
                                                         : world.random.between(minute, 5 * minute);
        world.scheduler.after(off, [crashed] { crashed->start(); });
    }
}

// ---- what the model asks ---------------------------------------------------------------------

Content Cluster::live(std::size_t machine, const core::ObjectId& object) const {
    return world.machines[machine]->live(object);
}

bool Cluster::in_history(std::size_t machine, const core::ObjectId& object, Content content) const {
    return world.machines[machine]->history.holds(object, content);
}

bool Cluster::in_sync_directory(std::size_t machine, const core::ObjectId& object,
                                Content content) const {
    return world.machines[machine]->sync.holds(object, content);
}

std::int64_t Cluster::local_us(std::size_t machine) const {
    return world.machines[machine]->wall();
}

bool Cluster::reproducible(const core::ObjectId& object) const {
    return std::any_of(specs_.begin(), specs_.end(), [&](const ProviderSpec& spec) {
        return spec.name == object.provider && spec.reproducible;
    });
}

bool Cluster::tells_equality(const core::ObjectId& object) const {
    return std::any_of(specs_.begin(), specs_.end(), [&](const ProviderSpec& spec) {
        return spec.name == object.provider && spec.has_digest;
    });
}

bool Cluster::served_live(const core::ObjectId& object, Content content) const {
    return std::any_of(specs_.begin(), specs_.end(), [&](const ProviderSpec& spec) {
        return spec.name == object.provider && spec.reproducible &&
               bytes_of(content) > spec.live_above;
    });
}

} // namespace stationsync::simulation
