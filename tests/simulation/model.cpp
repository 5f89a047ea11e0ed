// What happens to live data, and what stations say while the run goes on.
#include "model.hpp"

#include "random.hpp"

#include <algorithm>

namespace stationsync::simulation {

namespace {

std::string text(const core::ObjectId& object) {
    return object.provider + "/" + object.key;
}
std::string text(const ModelRevision& r) {
    return text(r.object) + " content " + std::to_string(r.content) + " sequence " +
           std::to_string(r.id.sequence);
}

} // namespace

bool model_has_seen(const ModelRevision& a, const ModelRevision& b) {
    return std::any_of(a.seen.begin(), a.seen.end(), [&](const auto& entry) {
        return entry.first == b.id.author && entry.second >= b.id.sequence;
    });
}

bool model_loses_to(const ModelRevision& a, const ModelRevision& b) {
    auto key = [](const ModelRevision& r) {
        return std::tuple(r.rank, !r.clock_wrong, r.stamp_us, r.stamp_logical, r.id.author,
                          r.id.sequence);
    };
    return key(a) < key(b);
}

void ReferenceModel::violation(std::string what) {
    constexpr std::size_t violations_max = 20; // the first ones tell the cause
    if (violations_.size() < violations_max && !copies_collided_) {
        violations_.push_back(std::move(what));
    }
}

const ModelRevision* ReferenceModel::find(const core::RevisionId& id,
                                          const core::ObjectId& object) const {
    auto found = revisions_.find({object, id});
    return found == revisions_.end() ? nullptr : &found->second;
}

bool ReferenceModel::knows(std::size_t machine, const core::ObjectId& object,
                           const core::RevisionId& id) const {
    auto found = known_.find({machine, object});
    return found != known_.end() && found->second.contains(id);
}

// ---- live data -------------------------------------------------------------------------------

void ReferenceModel::user_wrote(const UserWrite& what) {
    Truth& t = truth(what.machine, what.object);
    Write write{what};
    const bool judged =
        what.clock_trusted && what.provider_tells_times && t.base_known && !t.episode;
    const ModelRevision* base = t.base ? find(t.base, what.object) : nullptr;
    const bool new_content = !base || base->content != what.content;
    if (what.kind == WriteKind::edit) {
        write.certainly_fresh = judged && new_content && what.changed_at_us >= t.base_local_us;
    } else if (what.kind == WriteKind::old_backup) {
        write.certainly_old = judged && base && new_content &&
                              what.changed_at_us < t.base_time_us - second &&
                              what.changed_at_us < t.base_local_us - 10 * second;
        t.episode = t.episode || base != nullptr;
    } else {
        t.episode = true; // what comes on top of it is not judged either
    }
    t.unsealed.push_back(write);
}

void ReferenceModel::user_touched(std::size_t machine, const core::ObjectId& object) {
    for (auto& write : truth(machine, object).unsealed) {
        write.certainly_fresh = write.certainly_old = false;
        write.what.clock_trusted = false; // its time is not the one that the provider reports now
    }
}

void ReferenceModel::user_removed(std::size_t machine, const core::ObjectId& object) {
    // An absence is never a change: what comes next is judged against what was held before.
    for (auto& write : truth(machine, object).unsealed) {
        write.certainly_fresh = write.certainly_old = false;
    }
}

void ReferenceModel::apply_started(std::size_t machine, const core::ObjectId& object) {
    Truth& t = truth(machine, object);
    t.apply_began_us = witness_.local_us(machine);
}

void ReferenceModel::applied(std::size_t machine, const core::RevisionId& id,
                             const core::ObjectId& object, Content before, Content after,
                             std::int64_t reported_time_us) {
    Truth& t = truth(machine, object);
    if (before != absent && (before != after || !witness_.tells_equality(object))) {
        // It may vanish between the copy and the apply; what it was is told by nothing then.
        const auto lost = history_lost_at_.find(machine);
        const bool just_lost =
            lost != history_lost_at_.end() && witness_.local_us(machine) - lost->second < minute;
        if (just_lost && !witness_.in_history(machine, object, before)) {
            excuse(object, before);
        } else if (!witness_.in_history(machine, object, before)) {
            violation("machine " + std::to_string(machine) + " overwrote " + text(object) +
                      " content " + std::to_string(before) + " that is not in its history");
        }
        for (const auto& write : t.unsealed) {
            if (write.what.content == before && before != after && write.certainly_fresh &&
                !t.episode && t.publish_orders == 0) {
                violation("machine " + std::to_string(machine) + " overwrote the unsealed edit " +
                          text(object) + " content " + std::to_string(before));
            }
        }
        const ModelRevision* base = t.base_known && t.base ? find(t.base, object) : nullptr;
        const ModelRevision* now = find(id, object);
        const bool superseded =
            base && now && base->content == before && model_has_seen(*now, *base);
        owe(machine, object, before, superseded, true);
        t.saved_at_apply = before;
    }
    t.base = id;
    t.base_known = true;
    t.base_time_us = reported_time_us;
    t.base_local_us = t.apply_began_us;
    t.unsealed.clear();
    t.episode = false;
}

// ---- orders of people ------------------------------------------------------------------------

void ReferenceModel::publish_ordered(std::size_t machine, const core::ObjectId& object) {
    ++truth(machine, object).publish_orders;
    truth(machine, object).ordered_at_us = witness_.local_us(machine);
}

void ReferenceModel::restore_ordered(std::size_t machine, const core::ObjectId& object) {
    ++truth(machine, object).restore_orders;
    truth(machine, object).ordered_at_us = witness_.local_us(machine);
}

void ReferenceModel::order_refused(std::size_t machine, const std::string& command,
                                   const std::string& subject) {
    for (auto& [place, t] : truths_) {
        if (place.first != machine || text(place.second) != subject) {
            continue;
        }
        int& orders = command == "publish" ? t.publish_orders : t.restore_orders;
        orders = std::max(0, orders - 1);
    }
}

void ReferenceModel::stopped_by_person(std::size_t machine) {
    for (auto& [place, t] : truths_) {
        if (place.first == machine) {
            for (auto& write : t.unsealed) {
                write.certainly_old = write.certainly_fresh = false;
            }
        }
    }
}

void ReferenceModel::establish_ordered(std::size_t machine, const std::string& provider) {
    establish_orders_.insert({machine, provider});
}

// ---- claims ----------------------------------------------------------------------------------

void ReferenceModel::record_durable(std::size_t machine, const core::StationId& station,
                                    const ClaimedRecord& record) {
    stations_[machine] = station;
    for (const auto& entry : record.set) {
        learn(machine, station, entry, record);
    }
    if (record.held) {
        auto found = revisions_.find({record.object, record.held->id});
        if (found == revisions_.end()) {
            learn(machine, station, {*record.held, 0, false}, record);
            found = revisions_.find({record.object, record.held->id});
        }
        held_changed(machine, record.object, found->second);
    }
}

void ReferenceModel::learn(std::size_t machine, const core::StationId& station,
                           const ClaimedEntry& entry, const ClaimedRecord& record) {
    const auto [found, is_new] =
        revisions_.try_emplace({record.object, entry.revision.id}, entry.revision);
    ModelRevision& known = found->second;
    if (is_new) {
        known.clock_wrong = false;
        if (known.id.author.station == station) {
            sealed_by_[{record.object, known.id}] = machine;
            sealed(machine, known, entry.rank, record.held && record.held->id == entry.revision.id);
        } else {
            known.rank = entry.rank;
            violation(text(known) + " came to machine " + std::to_string(machine) +
                      " though nobody has sealed it durably");
        }
    } else if (known.stamp_us != entry.revision.stamp_us ||
               known.stamp_logical != entry.revision.stamp_logical ||
               (known.content != entry.revision.content && entry.revision.content != absent &&
                known.content != absent)) {
        note_collision(machine, known);
        violation(text(known) + ": one revision id stands for two states");
    }
    const bool is_head = !record.set.empty() && record.set.front().revision.id == known.id;
    check_attributes(machine, known, entry, is_head, !knows(machine, record.object, known.id));
    known_[{machine, record.object}].insert(known.id);
    given_up_[{machine, record.object}].erase(known.id);
    if (entry.rank >= 1) {
        of_the_plant_[{machine, record.object}].insert(known.id);
    }
}

// Two copies of a disk that seal in the same millisecond give out the same name. No rule helps
// then; the remedy is that copies are refused. What follows is not judged.
void ReferenceModel::note_collision(std::size_t machine, const ModelRevision& known) {
    const auto first = sealed_by_.find({known.object, known.id});
    std::int64_t const sealed_ms = static_cast<std::int64_t>(known.id.sequence);
    std::int64_t const local_ms = witness_.local_us(machine) / millisecond;
    const bool by_time = sealed_ms <= local_ms && sealed_ms > local_ms - 10 * second / millisecond;
    const bool by_copy = first != sealed_by_.end() && first->second != machine &&
                         stations_[first->second] == stations_[machine];
    copies_collided_ = copies_collided_ || (clones_ && by_copy && by_time);
}

void ReferenceModel::check_attributes(std::size_t machine, ModelRevision& known,
                                      const ClaimedEntry& entry, bool is_head, bool new_here) {
    std::int64_t const local = witness_.local_us(machine);
    std::int64_t latest = local;
    // What becomes durable right after a step was judged by the clock as it stood before.
    if (const auto step = clock_steps_.find(machine);
        step != clock_steps_.end() && local - step->second.after_us < 2 * second) {
        latest = std::max(local, step->second.before_us);
    }
    const auto clock_good = !removed_.contains(machine);
    if (entry.clock_wrong && !known.clock_wrong) {
        if (clock_good && known.stamp_us < local + 2 * minute) {
            violation(text(known) + " was marked though its stamp is possible");
        }
        known.clock_wrong = true;
    }
    // Its own it may stamp above what it had seen, however its clock stands now.
    const bool foreign =
        new_here && !entry.clock_wrong && known.id.author.station != stations_[machine];
    if (foreign && clock_good && known.stamp_us > latest + 62 * second &&
        !truth(machine, known.object).free_seals) {
        violation(text(known) + " was taken at machine " + std::to_string(machine) +
                  " though its stamp is ahead by " +
                  std::to_string((known.stamp_us - local) / second) + " s");
    }
    if (entry.rank > known.rank) {
        if (known.rank == 0 && entry.rank == 1 && is_head &&
            establishing_.contains({machine, known.object.provider})) {
            known.rank = 1;
        } else {
            violation(text(known) + " of rank " + std::to_string(known.rank) + " has rank " +
                      std::to_string(entry.rank) + " at machine " + std::to_string(machine));
            known.rank = entry.rank;
        }
    }
}

// The same state under a new name: the old one ends here, and everywhere if nobody had heard of it.
void ReferenceModel::give_up_old_name(std::size_t machine, const ModelRevision& revision) {
    for (const auto& id : known_[{machine, revision.object}]) {
        const ModelRevision* old = find(id, revision.object);
        if (old && old->id != revision.id && old->content == revision.content &&
            old->stamp_us == revision.stamp_us && old->stamp_logical == revision.stamp_logical) {
            given_up_[{machine, revision.object}].insert(id);
        }
    }
}

// A station that has a copy may find its own sequences used, and goes on under a new name.
bool ReferenceModel::renames_held(const Truth& t, const ModelRevision& revision) const {
    const ModelRevision* base = t.base ? find(t.base, revision.object) : nullptr;
    return clones_ && base && base->content == revision.content &&
           base->id.author.station == revision.id.author.station &&
           base->id.author.incarnation != revision.id.author.incarnation;
}

// Of several writes of this content, that with its time is meant, else the last that may become a
// change: the second of two equal ones changes nothing.
ReferenceModel::Writes::reverse_iterator ReferenceModel::written_as(Truth& t,
                                                                    const ModelRevision& revision) {
    const auto last_write = [&](auto&& fits) {
        return std::find_if(t.unsealed.rbegin(), t.unsealed.rend(), [&](const Write& write) {
            return write.what.content == revision.content && fits(write);
        });
    };
    auto found = last_write(
        [&](const Write& write) { return !write.certainly_old && is_stamped_as(write, revision); });
    if (found == t.unsealed.rend()) {
        found = last_write([](const Write& write) { return !write.certainly_old; });
    }
    return found != t.unsealed.rend() ? found : last_write([](const Write&) { return true; });
}

bool ReferenceModel::is_stamped_as(const Write& write, const ModelRevision& revision) {
    return write.what.changed_at_us == revision.stamp_us;
}

void ReferenceModel::sealed(std::size_t machine, ModelRevision& revision, int claimed_rank,
                            bool is_held) {
    Truth& t = truth(machine, revision.object);
    auto matching = written_as(t, revision);
    // A sequence is at least the time of its sealing: what was sealed before the order, and becomes
    // durable after it, does not fulfil it.
    const bool since_order =
        revision.id.sequence >= static_cast<std::uint64_t>(t.ordered_at_us / millisecond);
    const bool ordered = since_order && (t.publish_orders > 0 || t.restore_orders > 0);
    give_up_old_name(machine, revision);
    judge_rank(machine, t, revision, claimed_rank, ordered);
    const bool renamed = !ordered && renames_held(t, revision);
    if (renamed) {
        // Nothing but the name is new.
    } else if (!is_held && !ordered && t.free_seals > 0) {
        --t.free_seals; // its old name sealed anew, and the plant's equal state adopted at once
    } else if (!is_held || ordered) {
        int& orders = is_held && t.publish_orders > 0 ? t.publish_orders : t.restore_orders;
        if (orders == 0) {
            violation(text(revision) + " was sealed at machine " + std::to_string(machine) +
                      " without being live there");
        }
        orders = std::max(0, orders - 1);
    } else if (t.free_seals > 0 &&
               (matching == t.unsealed.rend() || !is_stamped_as(*matching, revision))) {
        --t.free_seals; // the held state under a new name keeps its stamp, whoever wrote it again
    } else if (matching != t.unsealed.rend()) {
        check_seal(machine, t, revision, *matching);
    } else {
        violation("echo: " + text(revision) + " was sealed at machine " + std::to_string(machine) +
                  " though no user saved it there");
    }
    if (!is_held) {
        return;
    }
    // A new name keeps the stamp: it seals nothing that was saved since, be it the same content.
    if (matching != t.unsealed.rend() && (!renamed || is_stamped_as(*matching, revision))) {
        t.base_time_us = matching->what.changed_at_us;
        t.unsealed.erase(t.unsealed.begin(), matching.base());
    }
    for (auto& write : t.unsealed) { // saved again while it was sealed: as if saved right after it
        const bool is_change =
            write.what.content != revision.content || !witness_.tells_equality(revision.object);
        write.certainly_fresh = write.certainly_fresh && is_change;
    }
    if (ordered) {
        t.episode = false;
    }
    t.base = revision.id;
    t.base_known = true;
    t.base_local_us = witness_.local_us(machine);
}

// A local change has seen what was live when it was made, and what had already lost to that here.
// Returns the greatest stamp that it says to have seen.
std::int64_t ReferenceModel::check_seen(std::size_t machine, const Truth& t, const ModelRevision& r,
                                        const ModelRevision* base) {
    std::int64_t seen_max = 0;
    std::vector<const ModelRevision*> rightly;
    std::vector<const ModelRevision*> questionable;
    for (auto place = revisions_.lower_bound({r.object, core::RevisionId{}});
         place != revisions_.end() && place->first.first == r.object; ++place) {
        const ModelRevision& other = place->second;
        if (other.id == r.id || !model_has_seen(r, other)) {
            continue;
        }
        seen_max = std::max(seen_max, other.stamp_us);
        const bool own = other.id.author.station == r.id.author.station;
        const bool before_base = base && (other.id == base->id || model_has_seen(*base, other) ||
                                          other.content == base->content);
        // A mark may have come later than this seal: then the base was no loser yet.
        const bool had_lost = base && (model_loses_to(other, *base) || base->clock_wrong);
        if (before_base || had_lost) {
            rightly.push_back(&other);
        } else if (!own) {
            questionable.push_back(&other);
        }
    }
    if (!t.base_known || t.free_seals != 0) {
        return seen_max;
    }
    for (const ModelRevision* other : questionable) {
        // Who has seen a change has seen all that it had seen.
        const bool through_another =
            std::any_of(rightly.begin(), rightly.end(),
                        [&](const ModelRevision* known) { return model_has_seen(*known, *other); });
        if (!through_another) {
            violation(text(r) + " claims to have seen " + text(*other) +
                      " which was not live and had not lost at machine " + std::to_string(machine));
        }
    }
    return seen_max;
}

void ReferenceModel::check_seal(std::size_t machine, const Truth& t, const ModelRevision& r,
                                const Write& write) {
    const ModelRevision* base = t.base && t.base_known ? find(t.base, r.object) : nullptr;
    const std::int64_t seen_max = check_seen(machine, t, r, base);
    if (base && t.free_seals == 0) {
        if (!model_has_seen(r, *base)) {
            violation(text(r) + " has not seen what it was made on: " + text(*base));
        }
        const bool possible = base->stamp_us <= witness_.local_us(machine) + minute;
        if (possible && !base->clock_wrong &&
            std::pair(r.stamp_us, r.stamp_logical) <=
                std::pair(base->stamp_us, base->stamp_logical)) {
            violation(text(r) + " is not stamped above what it was made on");
        }
    }
    if (write.certainly_old && t.publish_orders == 0) {
        violation("old backup became a change: " + text(r));
    }
    if (write.what.clock_trusted && write.what.provider_tells_times &&
        write.what.kind == WriteKind::edit && !t.episode &&
        (r.stamp_us > std::max(write.what.changed_at_us, seen_max) + 10 * millisecond ||
         r.stamp_us < write.what.changed_at_us)) {
        violation(text(r) + " is stamped " + std::to_string(r.stamp_us) +
                  ", its change was made at " + std::to_string(write.what.changed_at_us));
    }
}

void ReferenceModel::judge_rank(std::size_t machine, const Truth& t, ModelRevision& r,
                                int claimed_rank, bool ordered) {
    if (ordered) {
        r.rank = claimed_rank;
        return;
    }
    const std::string& provider = r.object.provider;
    const ModelRevision* base = t.base ? find(t.base, r.object) : nullptr;
    const bool on_plant = base && base->rank >= 1;
    const bool established = is_established(machine, provider);
    const int expected = on_plant ? (established ? 2 : base->rank) : base ? 0 : established ? 2 : 0;
    // A newcomer's state that was adopted elsewhere, of which this station has not heard yet.
    const bool adopted_unheard =
        base && base->rank == 1 && !of_the_plant_[{machine, r.object}].contains(base->id);
    // A file made while the station became established, or after its root changed, may be either.
    const bool unclear =
        adopted_unheard || renames_held(t, r) || t.free_seals > 0 || !t.base_known ||
        rebased_.contains({machine, provider}) ||
        (established && !base && !t.unsealed.empty() &&
         t.unsealed.front().what.local_us < established_at_us_[{machine, provider}] + minute);
    r.rank = unclear ? claimed_rank : expected;
    if (claimed_rank < r.rank) {
        violation(text(r) + " has rank " + std::to_string(claimed_rank) + " instead of " +
                  std::to_string(r.rank));
    }
}

void ReferenceModel::held_changed(std::size_t machine, const core::ObjectId& object,
                                  const ModelRevision& held) {
    Truth& t = truth(machine, object);
    // After a loss of state this tells again what the live data is.
    if (!t.base_known && witness_.live(machine, object) == held.content) {
        t.base = held.id;
        t.base_known = true;
    }
    if (t.held == held.id) {
        return; // an apply may have happened that it has not recorded yet
    }
    // The same content under a new revision replaces nothing, for who can tell that it is the same.
    const bool same =
        t.held_content == held.content &&
        (witness_.tells_equality(object) || entries_[{machine, object}].unclaimed != held.content);
    const bool replaced = t.held && t.held_content != absent && !same;
    if (replaced && t.held_content != t.saved_at_apply &&
        (entries_[{machine, object}].unclaimed == t.held_content ||
         !witness_.served_live(object, t.held_content))) {
        const ModelRevision* old = find(*t.held, object);
        const bool superseded = old && model_has_seen(held, *old);
        const bool author = old && old->id.author.station == stations_[machine];
        const bool has_package = !t.package_lost && (author || !witness_.reproducible(object));
        owe(machine, object, t.held_content, superseded, has_package);
    }
    // It was lost with the others while it was being applied.
    const auto lost = packages_lost_at_.find(machine);
    const bool lost_now = lost != packages_lost_at_.end() &&
                          witness_.local_us(machine) - lost->second < minute &&
                          !witness_.in_sync_directory(machine, object, held.content);
    t.package_lost = lost_now || (t.package_lost && t.held_content == held.content);
    t.held = held.id;
    t.held_content = held.content;
    t.saved_at_apply = absent;
    if (t.base == held.id) {
        return;
    }
    // Taken over without an apply: its content must be what is live here.
    auto matching = std::find_if(t.unsealed.rbegin(), t.unsealed.rend(), [&](const Write& write) {
        return write.what.content == held.content;
    });
    const ModelRevision* base = t.base ? find(t.base, object) : nullptr;
    const bool was_live = matching != t.unsealed.rend() || (base && base->content == held.content);
    if (!was_live && t.base_known && t.free_seals == 0) {
        violation("machine " + std::to_string(machine) + " says that it holds " + text(held) +
                  " which was never live there");
    }
    if (matching != t.unsealed.rend()) {
        t.unsealed.erase(t.unsealed.begin(), matching.base());
    }
    t.base = held.id;
}

void ReferenceModel::established(std::size_t machine, const std::string& provider,
                                 const std::vector<core::ObjectId>& unsealed_first_finds) {
    if (!established_.insert({machine, provider}).second) {
        return;
    }
    established_at_us_[{machine, provider}] = witness_.local_us(machine);
    const bool by_person = establish_orders_.contains({machine, provider});
    if (by_person || init_.contains(machine)) {
        return;
    }
    // A station that finds its name used twice begins anew with the catalogue that told it so.
    if (!catalogue_from_established_[{machine, provider}] && !clones_) {
        violation("machine " + std::to_string(machine) + " became established for " + provider +
                  " without the whole catalogue of an established station");
    }
    for (const auto& object : unsealed_first_finds) {
        violation("machine " + std::to_string(machine) + " became established before " +
                  text(object) + ", found at its first scan, was sealed");
    }
}

void ReferenceModel::not_established(std::size_t machine, const std::string& provider) {
    if (established_.erase({machine, provider}) == 0) {
        return;
    }
    establishing_.erase({machine, provider});
    catalogue_from_established_.erase({machine, provider});
    if (!replaced_.contains(machine) && !clones_) {
        violation("machine " + std::to_string(machine) + " is not established for " + provider +
                  " any more");
    }
}

void ReferenceModel::announced(std::size_t machine, const core::ObjectId& object,
                               const std::vector<core::RevisionId>& set) {
    for (const auto& id : set) {
        if (!knows(machine, object, id)) {
            violation("machine " + std::to_string(machine) + " announced " + text(object) +
                      " sequence " + std::to_string(id.sequence) + " before it was durable there");
        }
    }
}

void ReferenceModel::catalogue_sent(std::size_t from, std::size_t to,
                                    const std::vector<std::string>& established_providers) {
    for (const auto& provider : established_providers) {
        if (is_established(from, provider)) {
            catalogue_from_established_[{to, provider}] = true;
        }
    }
}

} // namespace stationsync::simulation
