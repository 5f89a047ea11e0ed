#include "change_judge.hpp"

#include "package_label.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr stsync_time millisecond = 1000;

class Judge {
public:
    Judge(const Baseline& baseline, const DatabaseLook& look)
        : baseline_(baseline),
          before_(baseline.evidence),
          look_(look),
          within_{baseline.clean_at, look.moment.at} {}

    Verdict judge() const {
        if (const auto verdict = judge_restore())
            return *verdict;
        if (look_.entry.is_closed() || !look_.gate)
            return judge_closed();
        if (look_.entry.created != before_.created)
            if (const auto verdict = judge_identity())
                return *verdict;
        if (is_gate_still(*look_.gate))
            return {};
        if (went_back())
            return put_back("its log is older than it was");
        return judge_activity();
    }

private:
    static Verdict need(Needs needs) {
        Verdict verdict;
        verdict.needs = needs;
        return verdict;
    }

    Verdict changed(std::string reason, stsync_time at) const {
        Verdict verdict;
        verdict.change = Change::changed;
        verdict.reason = std::move(reason);
        verdict.changed_at = at;
        verdict.changed_not_before = baseline_.clean_at;
        return verdict;
    }

    // What may have changed gets the oldest time that it can have, so that it loses to any change
    // that is known.
    Verdict doubtful(Change change, std::string reason) const {
        Verdict verdict = changed(std::move(reason), oldest());
        verdict.change = change;
        verdict.flags = STSYNC_OBJECT_TIME_UNCERTAIN;
        return verdict;
    }

    Verdict not_counted(std::string reason) const {
        Verdict verdict = doubtful(Change::changed, std::move(reason));
        verdict.may_be_settled_by_rows = true;
        verdict.is_not_counted = true;
        return verdict;
    }

    stsync_time oldest() const {
        if (baseline_.clean_at == STSYNC_TIME_NONE)
            return baseline_.changed_at;
        return std::min(baseline_.clean_at + millisecond, look_.moment.at);
    }

    Verdict put_back(std::string reason) const {
        Verdict verdict = judge_first(look_);
        verdict.change = Change::restored;
        verdict.reason = std::move(reason);
        verdict.flags = STSYNC_OBJECT_RESTORED | STSYNC_OBJECT_TIME_UNCERTAIN;
        verdict.content = {};
        return verdict;
    }

    // A restore that the server has noted down since.
    std::optional<Verdict> judge_restore() const {
        if (!look_.restore || !before_.restore_id || look_.restore->id <= *before_.restore_id)
            return std::nullopt;
        const RestoreRow& restore = *look_.restore;
        const bool was_edited = look_.usage.last_update
                                    ? *look_.usage.last_update >= restore.restored
                                    : look_.usage.updates.value_or(0) > 0;
        Verdict verdict;
        verdict.change = Change::restored;
        verdict.reason = "the backup " + restore.backup_set + " was restored";
        verdict.flags = STSYNC_OBJECT_RESTORED;
        // When the content arose, not when it was brought here.
        const Baseline::Past* past = baseline_.find_past(restore.backup_set);
        if (const auto label = parse_package_label(restore.description)) {
            verdict.changed_at = label->changed_at;
            if (past == nullptr)
                past = baseline_.find_past(label->content);
        }
        if (past != nullptr)
            verdict.changed_at = past->changed_at;
        if (verdict.changed_at == STSYNC_TIME_NONE)
            verdict.changed_at = restore.finished ? utc_of(*restore.finished, look_.moment)
                                                  : utc_of(restore.restored, look_.moment);
        verdict.changed_at = std::min(verdict.changed_at, look_.moment.at);
        // A known name for edited data would have the edit overwritten, or taken for known,
        // elsewhere.
        if (was_edited)
            verdict.reason += " and edited";
        else if (past != nullptr && !past->inside.empty() && is_counted_since(restore))
            return judge_known(*past, verdict);
        return verdict;
    }

    // Whatever users did since would have been counted.
    bool is_counted_since(const RestoreRow& restore) const noexcept {
        return look_.gate && look_.counts_usage && !may_have_been_closed() &&
               look_.started <= restore.restored;
    }

    Verdict judge_known(const Baseline::Past& past, Verdict verdict) const {
        if (!look_.fingerprint)
            return need(Needs::fingerprint);
        if (look_.fingerprint->has_memory_tables)
            return verdict;
        if (inside_of(look_.entry.options, *look_.fingerprint) != past.inside) {
            verdict.reason += " and edited";
            return verdict;
        }
        verdict.content = past.content;
        if (verdict.content == baseline_.content) {
            verdict = {};
            verdict.change = Change::system_activity;
            verdict.reason = "a backup of the same content was restored";
        }
        return verdict;
    }

    Verdict judge_closed() const {
        Verdict verdict;
        verdict.needs = look_.entry.is_closed() ? Needs::wake : Needs::nothing;
        return verdict;
    }

    // Made anew, renamed or attached: create_date moves by all of them.
    std::optional<Verdict> judge_identity() const {
        if (!look_.fingerprint)
            return need(Needs::fingerprint);
        const Fingerprint& was = before_.fingerprint;
        const Fingerprint& is = *look_.fingerprint;
        if (was.database_guid.empty() || is.database_guid.empty())
            return std::nullopt; // told by the rest
        if (was.database_guid == is.database_guid && was.fork_guid == is.fork_guid)
            return std::nullopt;
        if (was.family_guid == is.family_guid)
            return put_back("it is another incarnation of the same database");
        Verdict verdict = judge_first(look_);
        verdict.change = Change::changed;
        verdict.reason = "it is another database";
        return verdict;
    }

    bool is_same_run() const noexcept {
        return look_.started == before_.started && !baseline_.was_closed;
    }

    bool is_gate_still(const Gate& gate) const noexcept {
        if (!before_.gate)
            return false;
        if (gate.log_end && before_.gate->log_end)
            return gate.log_end == before_.gate->log_end;
        // Counters begin anew when a database is opened, and may be the same by chance; so all of
        // them are asked, and AUTO_CLOSE needs one that cannot repeat itself.
        return is_same_run() && !may_have_been_closed() &&
               gate.log_writes == before_.gate->log_writes &&
               gate.log_bytes == before_.gate->log_bytes && look_.usage == before_.usage;
    }

    bool went_back() const noexcept {
        return before_.gate && before_.gate->log_end && look_.gate->log_end &&
               *look_.gate->log_end < *before_.gate->log_end;
    }

    // By AUTO_CLOSE, which empties the counters.
    bool may_have_been_closed() const noexcept {
        return look_.entry.is_auto_close && !look_.was_kept_open && !look_.usage.last_update;
    }

    // The counters have counted all the time since the baseline.
    bool is_continuous() const noexcept {
        const std::int64_t updates = look_.usage.updates.value_or(0);
        return is_same_run() && updates >= before_.usage.updates.value_or(0) &&
               !may_have_been_closed();
    }

    bool has_user_updates() const noexcept {
        const Usage& usage = look_.usage;
        if (!is_same_run())
            return usage.updates.value_or(0) > 0;
        return usage.updates.value_or(0) > before_.usage.updates.value_or(0) ||
               (usage.last_update &&
                (!before_.usage.last_update || *usage.last_update > *before_.usage.last_update));
    }

    // A change that left no time behind. What the counters of this run do not know was before it.
    stsync_time latest() const {
        if (look_.started == before_.started)
            return within_.to;
        return utc_within(look_.started, look_.moment, within_);
    }

    Verdict judge_activity() const {
        if (has_user_updates())
            return changed("tables were written",
                           look_.usage.last_update
                               ? utc_within(*look_.usage.last_update, look_.moment, within_)
                               : within_.to);
        if (!look_.entry.options.empty() && !before_.options.empty() &&
            look_.entry.options != before_.options)
            return changed("options of the database are others", within_.to);
        if (!look_.fingerprint)
            return need(Needs::fingerprint);
        const Fingerprint& is = *look_.fingerprint;
        const Fingerprint& was = before_.fingerprint;
        if (const auto names = is.differences(was); !names.empty())
            return changed_inside(names.front());
        if (is.modifications.value_or(0) > was.modifications.value_or(0) && was.modifications)
            return changed("columns were written", latest());
        if (is.has_memory_tables && is_same_run()) {
            if (!is.memory_writes || !was.memory_writes)
                return not_counted("tables in memory are not counted");
            if (*is.memory_writes != *was.memory_writes)
                return changed("tables in memory were written", within_.to);
        }
        if (!look_.counts_usage)
            return not_counted("trace flag 2330 switches the counters off");
        if (is_continuous()) {
            Verdict verdict;
            verdict.change = Change::system_activity;
            return verdict;
        }
        Verdict verdict = doubtful(Change::uncertain, "the counters began anew");
        verdict.may_be_settled_by_rows = true;
        return verdict;
    }

    Verdict changed_inside(const std::string& part) const {
        const Fingerprint& is = *look_.fingerprint;
        const bool is_dated = is.newest_object &&
                              is.newest_object != before_.fingerprint.newest_object &&
                              part.starts_with("objects");
        return changed("other " + part + " than before",
                       is_dated ? utc_within(*is.newest_object, look_.moment, within_) : latest());
    }

    const Baseline& baseline_;
    const Evidence& before_;
    const DatabaseLook& look_;
    Interval within_;
};

} // namespace

Verdict judge(const Baseline& baseline, const DatabaseLook& look) {
    return Judge(baseline, look).judge();
}

SameState same_state(const Verdict& verdict) noexcept {
    if (verdict.needs != Needs::nothing)
        return SameState::cannot_tell;
    switch (verdict.change) {
    case Change::unchanged:
    case Change::system_activity:
        return SameState::yes;
    case Change::uncertain:
        return SameState::cannot_tell;
    case Change::changed:
    case Change::restored:
        break;
    }
    return SameState::no;
}

Verdict judge_first(const DatabaseLook& look) {
    Verdict verdict;
    verdict.change = Change::changed;
    verdict.reason = "first look";
    verdict.flags = STSYNC_OBJECT_TIME_UNCERTAIN;
    LocalTime newest = look.fingerprint ? look.fingerprint->newest_object.value_or(0) : 0;
    if (look.usage.last_update)
        newest = std::max(newest, *look.usage.last_update);
    else if (!look.restore)
        newest = std::max(newest, look.entry.created);
    else if (look.restore->finished) // it was created by that
        newest = std::max(newest, *look.restore->finished);
    verdict.changed_at = std::min(utc_of(newest, look.moment), look.moment.at);
    return verdict;
}

} // namespace stationsync::sqlserver
