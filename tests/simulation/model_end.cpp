// Faults that excuse, and what must be true once everything is healed.
#include "model.hpp"

#include <algorithm>
#include <iterator>

namespace stationsync::simulation {

void ReferenceModel::state_replaced(std::size_t machine, const std::vector<ClaimedRecord>& records,
                                    const std::set<std::string>& established_providers) {
    for (auto i = known_.begin(); i != known_.end();) {
        i = i->first.first == machine ? known_.erase(i) : std::next(i);
    }
    for (auto i = established_.begin(); i != established_.end();) {
        i = i->first == machine ? established_.erase(i) : std::next(i);
    }
    for (auto i = establishing_.begin(); i != establishing_.end();) {
        i = i->first == machine ? establishing_.erase(i) : std::next(i);
    }
    for (auto i = catalogue_from_established_.begin(); i != catalogue_from_established_.end();) {
        i = i->first.first == machine ? catalogue_from_established_.erase(i) : std::next(i);
    }
    init_.erase(machine);
    replaced_.insert(machine);
    for (const auto& provider : established_providers) {
        established_.insert({machine, provider});
        establishing_.insert({machine, provider});
    }
    for (const auto& record : records) {
        truth(machine, record.object); // also of what is not live there
    }
    // Everything live may be sealed anew: as found by a newcomer, or under a new incarnation.
    for (auto& [place, t] : truths_) {
        if (place.first == machine) {
            t.base_known = false;
            t.free_seals = 2;
            t.held.reset();
            t.held_content = absent;
            t.package_lost = true; // what the records name may be gone
            for (auto& write : t.unsealed) {
                write.certainly_fresh = write.certainly_old = false;
            }
        }
    }
    for (const auto& record : records) {
        auto& known = known_[{machine, record.object}];
        for (const auto& entry : record.set) {
            known.insert(entry.revision.id);
        }
        Truth& t = truth(machine, record.object);
        if (record.held) {
            known.insert(record.held->id);
            t.held = record.held->id;
            t.held_content = record.held->content;
        }
    }
    // A state that was put back may name what has been replaced and rightly forgotten since.
    excuse_what_is_nowhere();
}

void ReferenceModel::excuse_what_is_nowhere() {
    for (const auto& [key, revision] : revisions_) {
        if (!exists_somewhere(key.first, revision.content)) {
            excused_.insert({key.first, revision.content});
        }
    }
}

void ReferenceModel::identity_taken(std::size_t machine) {
    const auto forget = [&](auto& places) {
        for (auto i = places.begin(); i != places.end();) {
            i = i->first == machine ? places.erase(i) : std::next(i);
        }
    };
    forget(established_);
    forget(establishing_);
}

void ReferenceModel::packages_lost(std::size_t machine) {
    packages_lost_at_[machine] = witness_.local_us(machine);
    for (auto& [place, t] : truths_) {
        t.package_lost = t.package_lost || place.first == machine;
    }
}

// What it owed there is gone with it, also where another copy of the same content lies for now.
void ReferenceModel::history_lost(std::size_t machine) {
    history_lost_at_[machine] = witness_.local_us(machine);
    const auto is_gone = [&](const Duty& duty) {
        return duty.machine == machine && !witness_.in_history(machine, duty.object, duty.content);
    };
    note_pushed_out();
    for (const Duty& duty : duties_) {
        if (is_gone(duty)) {
            pushed_out_.insert({duty.object, duty.content});
        }
    }
    duties_.erase(std::remove_if(duties_.begin(), duties_.end(), is_gone), duties_.end());
}

void ReferenceModel::root_changed(std::size_t machine, const std::string& provider) {
    rebased_.insert({machine, provider});
    for (auto& [place, t] : truths_) {
        if (place.first == machine && place.second.provider == provider) {
            t.base_known = false;
            t.free_seals = 2;
        }
    }
}

void ReferenceModel::machine_removed(std::size_t machine) {
    removed_.insert(machine);
}

void ReferenceModel::clock_stepped(std::size_t machine, std::int64_t before_us) {
    clock_steps_[machine] = {before_us, witness_.local_us(machine)};
    for (auto& [place, t] : truths_) {
        if (place.first == machine) {
            // An order waits for what is under way: by the clock its seal may come before it.
            t.ordered_at_us = std::min(t.ordered_at_us, witness_.local_us(machine));
            for (auto& write : t.unsealed) {
                write.certainly_fresh = write.certainly_old = false;
                write.what.clock_trusted = false;
            }
        }
    }
}

bool ReferenceModel::exists_somewhere(const core::ObjectId& object, Content content) const {
    for (std::size_t m = 0; m < witness_.machines(); ++m) {
        if (witness_.live(m, object) == content || witness_.in_history(m, object, content) ||
            witness_.in_sync_directory(m, object, content)) {
            return true;
        }
    }
    return false;
}

bool ReferenceModel::is_owned_somewhere(const core::ObjectId& object, Content content) const {
    for (std::size_t m = 0; m < witness_.machines(); ++m) {
        const auto found = truths_.find({m, object});
        const bool held = found != truths_.end() && found->second.held_content == content;
        if (witness_.live(m, object) == content || witness_.in_history(m, object, content) ||
            (held && witness_.in_sync_directory(m, object, content))) {
            return true;
        }
    }
    return false;
}

void ReferenceModel::copies_lost() {
    note_pushed_out();
    for (Duty& duty : duties_) {
        // What is live again and nowhere else here may be written over.
        const bool kept = witness_.in_history(duty.machine, duty.object, duty.content);
        const bool is_live = witness_.live(duty.machine, duty.object) == duty.content;
        duty.had_package = duty.had_package && (kept || !is_live);
        if (!kept_well(duty)) { // who relied on this copy has none now
            pushed_out_.insert({duty.object, duty.content});
        }
    }
    duties_.erase(std::remove_if(duties_.begin(), duties_.end(),
                                 [&](const Duty& duty) { return !kept_well(duty); }),
                  duties_.end());
    excuse_what_is_nowhere();
}

bool ReferenceModel::loss_excused(const core::ObjectId& object, Content content) const {
    return excused_.contains({object, content});
}

void ReferenceModel::owe(std::size_t machine, const core::ObjectId& object, Content content,
                         bool superseded, bool had_package) {
    Duty duty{machine, object, content, superseded, had_package, truth(machine, object).base_known,
              0};
    HistoryEntries& entries = entries_[{machine, object}];
    if (entries.unclaimed == content) {
        duty.entry = entries.count;
        duty.superseded = duty.superseded || !duty.judged;
        entries.unclaimed = absent;
    }
    duties_.push_back(duty);
}

void ReferenceModel::superseded_kept(std::size_t machine, const core::ObjectId& object,
                                     Content content) {
    HistoryEntries& entries = entries_[{machine, object}];
    ++entries.count;
    const auto duty = std::find_if(duties_.rbegin(), duties_.rend(), [&](const Duty& each) {
        return each.machine == machine && each.object == object;
    });
    if (duty != duties_.rend() && duty->content == content && duty->had_package &&
        duty->entry == 0 && (duty->superseded || !duty->judged)) {
        duty->superseded = true;
        duty->entry = entries.count;
    } else {
        entries.unclaimed = content;
    }
}

bool ReferenceModel::kept_well(const Duty& duty) const {
    const bool here = witness_.in_history(duty.machine, duty.object, duty.content) ||
                      witness_.in_sync_directory(duty.machine, duty.object, duty.content) ||
                      witness_.live(duty.machine, duty.object) == duty.content;
    return here || (!duty.had_package && exists_somewhere(duty.object, duty.content));
}

std::vector<core::ObjectId> ReferenceModel::objects() const {
    std::vector<core::ObjectId> all;
    for (const auto& [key, revision] : revisions_) {
        if (all.empty() || all.back() != key.first) {
            all.push_back(key.first);
        }
    }
    return all;
}

std::vector<const ModelRevision*> ReferenceModel::maximal(const core::ObjectId& object) const {
    std::set<core::RevisionId> alive;
    for (const auto& [place, ids] : known_) {
        if (place.second == object && !removed_.contains(place.first)) {
            const auto gone = given_up_.find(place);
            std::copy_if(ids.begin(), ids.end(), std::inserter(alive, alive.end()),
                         [&](const core::RevisionId& id) {
                             return gone == given_up_.end() || !gone->second.contains(id);
                         });
        }
    }
    std::vector<const ModelRevision*> all;
    for (const auto& id : alive) {
        if (const auto* revision = find(id, object)) {
            all.push_back(revision);
        }
    }
    std::vector<const ModelRevision*> result;
    int highest = 0;
    for (const auto* candidate : all) {
        const bool beaten = std::any_of(all.begin(), all.end(), [&](const auto* other) {
            return other != candidate && model_has_seen(*other, *candidate);
        });
        if (!beaten) {
            result.push_back(candidate);
            highest = std::max(highest, candidate->rank);
        }
    }
    result.erase(std::remove_if(result.begin(), result.end(),
                                [&](const auto* r) { return r->rank < highest; }),
                 result.end());
    return result;
}

std::optional<core::RevisionId> ReferenceModel::winner(const core::ObjectId& object) const {
    const auto entries = maximal(object);
    if (entries.empty()) {
        return std::nullopt;
    }
    const auto* best = *std::max_element(entries.begin(), entries.end(),
                                         [](auto* a, auto* b) { return model_loses_to(*a, *b); });
    return best->id;
}

bool ReferenceModel::has_open_conflict(const core::ObjectId& object) const {
    const auto entries = maximal(object);
    if (!witness_.tells_equality(object)) {
        return entries.size() > 1; // nothing proves that two of them are the same
    }
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto* r) { return r->content != entries.front()->content; });
}

// Ordinary edits may push out older ordinary states; five are kept, and losers are counted apart.
bool ReferenceModel::is_pushed_out(const Duty& duty) const {
    constexpr int superseded_kept = 5;
    const auto found = entries_.find({duty.machine, duty.object});
    return duty.superseded && duty.entry != 0 && found != entries_.end() &&
           found->second.count - duty.entry >= superseded_kept;
}

void ReferenceModel::note_pushed_out() {
    for (const Duty& duty : duties_) {
        if (is_pushed_out(duty)) {
            pushed_out_.insert({duty.object, duty.content});
        }
    }
}

void ReferenceModel::history_aged() {
    for (const Duty& duty : duties_) {
        pushed_out_.insert({duty.object, duty.content});
    }
    duties_.clear();
}

void ReferenceModel::check_end() {
    note_pushed_out();
    for (const Duty& duty : duties_) {
        if (is_pushed_out(duty) || removed_.contains(duty.machine) || kept_well(duty) ||
            loss_excused(duty.object, duty.content)) {
            continue;
        }
        // A station without a package of its own relies on the one that has it, and on its limits.
        if (!duty.had_package && pushed_out_.contains({duty.object, duty.content})) {
            continue;
        }
        violation("lost: " + duty.object.provider + "/" + duty.object.key + " content " +
                  std::to_string(duty.content) + ", replaced at machine " +
                  std::to_string(duty.machine) +
                  (duty.superseded ? " by a later change" : " by a change that had not seen it"));
    }
    for (const auto& object : objects()) {
        const auto best = winner(object);
        const auto* revision = best ? find(*best, object) : nullptr;
        if (revision && !exists_somewhere(object, revision->content) &&
            !loss_excused(object, revision->content)) {
            violation("lost: the winner of " + object.provider + "/" + object.key + ", content " +
                      std::to_string(revision->content) + ", exists nowhere");
        }
    }
}

} // namespace stationsync::simulation
