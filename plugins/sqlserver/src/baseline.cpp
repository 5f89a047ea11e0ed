#include "baseline.hpp"

#include <stationsync/sha256.hpp>

#include <algorithm>
#include <cstring>

namespace stationsync::sqlserver {

namespace {

constexpr std::size_t past_max = 32;
constexpr std::size_t applied_max = 8;

} // namespace

const Baseline::Applied* Baseline::find_applied(const stsync_apply_id& id) const noexcept {
    for (const Applied& each : applied)
        if (std::memcmp(each.id.data(), id.bytes, each.id.size()) == 0)
            return &each;
    return nullptr;
}

void Baseline::remember_applied(const stsync_apply_id& id) {
    Applied entry{{}, content, changed_at};
    std::memcpy(entry.id.data(), id.bytes, entry.id.size());
    applied.push_back(entry);
    if (applied.size() > applied_max)
        applied.pop_front();
}

const Baseline::Past* Baseline::find_past(std::string_view backup_set) const noexcept {
    if (backup_set.empty())
        return nullptr;
    for (auto each = past.rbegin(); each != past.rend(); ++each)
        if (each->backup_set == backup_set)
            return &*each;
    return nullptr;
}

const Baseline::Past* Baseline::find_past(const ContentId& wanted) const noexcept {
    for (auto each = past.rbegin(); each != past.rend(); ++each)
        if (each->content == wanted && !each->inside.empty())
            return &*each;
    return nullptr;
}

void Baseline::remember_backup(std::string_view backup_set, bool is_exact) {
    if (backup_set.empty() || find_past(backup_set) != nullptr)
        return;
    const bool is_known_inside = is_exact && !evidence.fingerprint.parts.empty();
    past.push_back(
        {content, std::string(backup_set), changed_at,
         is_known_inside ? inside_of(evidence.options, evidence.fingerprint) : std::string()});
    if (past.size() > past_max)
        past.pop_front();
}

std::string inside_of(const std::string& options, const Fingerprint& fingerprint) {
    std::string text = options + '\n';
    for (const auto& [name, value] : fingerprint.parts)
        text += name + '=' + value + '\n';
    const sdk::Digest digest = sdk::sha256(text);
    return {digest.begin(), digest.end()};
}

Evidence evidence_of(const DatabaseLook& look, const Evidence& before) {
    Evidence evidence = before;
    evidence.created = look.entry.created;
    if (look.entry.collation)
        evidence.options = look.entry.options;
    if (look.knows_history) // rows may have been deleted
        evidence.restore_id =
            std::max(evidence.restore_id.value_or(0), look.restore ? look.restore->id : 0);
    if (look.gate) {
        evidence.gate = look.gate;
        evidence.usage = look.usage;
        evidence.started = look.started;
    }
    if (look.fingerprint) {
        Fingerprint next = *look.fingerprint;
        // The GUIDs are not asked for while some database is closed; they are still the same.
        if (next.database_guid.empty()) {
            next.database_guid = before.fingerprint.database_guid;
            next.family_guid = before.fingerprint.family_guid;
            next.fork_guid = before.fingerprint.fork_guid;
        }
        evidence.fingerprint = std::move(next);
    }
    return evidence;
}

Baseline take_baseline_after_restore(SqlSession& session, const ServerFacts& facts,
                                     std::string_view database, const RestoredContent& restored,
                                     const Baseline& before,
                                     const std::function<stsync_time()>& now, const sdk::Op* op) {
    const auto look = look_at_database(session, facts, database, now, op);
    if (!look)
        throw sdk::Error(STSYNC_NOT_FOUND,
                         "The database " + std::string(database) + " is not there any more.");
    Baseline baseline;
    baseline.server = facts.server;
    baseline.database = look->entry.name;
    baseline.content = restored.content;
    baseline.origin = Origin::restore;
    baseline.changed_at = restored.changed_at;
    baseline.clean_at = look->moment.at;
    baseline.evidence = evidence_of(*look, {});
    if (before.server == baseline.server) {
        baseline.past = before.past;
        baseline.applied = before.applied;
    }
    baseline.remember_backup(restored.backup_set);
    return baseline;
}

} // namespace stationsync::sqlserver
