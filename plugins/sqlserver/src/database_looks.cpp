#include "database_looks.hpp"

#include "content_sum.hpp"
#include "job_outcome.hpp"
#include "quoting.hpp"

namespace stationsync::sqlserver {

KeysAtWork::Guard::Guard(KeysAtWork& keys, std::string key, Work work)
    : keys_(keys), key_(std::move(key)) {
    const std::lock_guard lock(keys_.mutex_);
    State& state = keys_.states_[key_];
    state.work = work;
    ++state.turn;
}

KeysAtWork::Guard::~Guard() {
    const std::lock_guard lock(keys_.mutex_);
    State& state = keys_.states_[key_];
    state.work = Work::none;
    ++state.turn;
}

KeysAtWork::Turns KeysAtWork::turns() const {
    const std::lock_guard lock(mutex_);
    Turns turns;
    for (const auto& [key, state] : states_)
        turns[key] = state.turn;
    return turns;
}

bool KeysAtWork::has_turned(const std::string& key, const Turns& since) const {
    const std::lock_guard lock(mutex_);
    const auto now = states_.find(key);
    const auto before = since.find(key);
    return (now == states_.end() ? 0 : now->second.turn) !=
           (before == since.end() ? 0 : before->second);
}

KeysAtWork::Work KeysAtWork::work(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto at = states_.find(key);
    return at == states_.end() ? Work::none : at->second.work;
}

HeldOpen::HeldOpen(SqlSession& session, std::string_view database, const sdk::Op& op)
    : session_(&session) {
    RunOptions options;
    options.op = &op;
    require_complete(session.run("USE " + quoted_name(database), options), &op);
}

HeldOpen::~HeldOpen() {
    // Whoever uses the session next would keep the database from being restored.
    if (session_ != nullptr)
        session_->run("USE [master]", {});
}

ServerLook DatabaseLooks::look(SqlSession& session, const ServerFacts& facts,
                               const sdk::Op& op) const {
    return look_at_server(
        session, facts, [this] { return host_.utc_now(); }, &op);
}

void DatabaseLooks::read_fingerprint_of(SqlSession& session, const ServerFacts& facts,
                                        const ServerLook& server, DatabaseLook& seen,
                                        const sdk::Op& op) const {
    if (!seen.fingerprint)
        seen.fingerprint =
            read_fingerprint(session, facts, seen.entry.name, !has_closed_database(server), &op);
}

// Nothing unless it is the sum of exactly what the look saw.
std::optional<std::string> DatabaseLooks::sum_of(SqlSession& session, const ServerFacts& facts,
                                                 const DatabaseLook& seen,
                                                 const sdk::Op& op) const {
    if (!seen.gate || seen.entry.data_bytes > settings_.sum_bytes_max)
        return std::nullopt;
    const auto sum = read_content_sum(session, seen.entry.name, &op);
    const ServerLook after = look(session, facts, op);
    const DatabaseLook* const now = after.find(seen.entry.name);
    if (now == nullptr || now->gate != seen.gate || now->started != seen.started)
        return std::nullopt;
    return sum.value_or(""); // empty: it cannot be told, which need not be asked again
}

void DatabaseLooks::sum_up(SqlSession& session, const ServerFacts& facts, const DatabaseLook& seen,
                           Baseline& baseline, const sdk::Op& op) const {
    if (!baseline.content_sum)
        baseline.content_sum = sum_of(session, facts, seen, op);
}

Verdict DatabaseLooks::judge_again(SqlSession& session, const ServerFacts& facts,
                                   const ServerLook& server, DatabaseLook& seen,
                                   const Baseline& baseline, const sdk::Op& op, Rows rows) const {
    Verdict verdict = judge(baseline, seen);
    if (verdict.needs == Needs::fingerprint) {
        read_fingerprint_of(session, facts, server, seen, op);
        verdict = judge(baseline, seen);
    }
    if (!verdict.may_be_settled_by_rows)
        return verdict;
    const bool has_sum = baseline.content_sum && !baseline.content_sum->empty();
    const auto sum =
        has_sum && rows == Rows::read ? sum_of(session, facts, seen, op) : std::nullopt;
    if (sum && !sum->empty()) {
        verdict.change = *sum == *baseline.content_sum ? Change::system_activity : Change::changed;
        verdict.reason +=
            *sum == *baseline.content_sum ? ", the rows are the same" : ", the rows are others";
        verdict.is_not_counted = false;
    } else if (verdict.change == Change::uncertain && !settings_.uncertain_is_change) {
        verdict.change = Change::system_activity;
    }
    return verdict;
}

void DatabaseLooks::take(Baseline& baseline, const DatabaseLook& seen, const Verdict& verdict) {
    if (verdict.needs == Needs::wake) {
        baseline.was_closed = true; // and the time of the last clean look stays
        return;
    }
    // Where nothing was written the counters count on, or those that began anew have nothing yet.
    const bool has_begun_anew =
        seen.gate && (baseline.was_closed || seen.started != baseline.evidence.started) &&
        seen.usage.updates.value_or(0) == 0 && !seen.usage.last_update;
    if (verdict.change != Change::unchanged || has_begun_anew) {
        baseline.evidence = evidence_of(seen, baseline.evidence);
        baseline.was_closed = false;
    }
    if (verdict.change == Change::changed || verdict.change == Change::uncertain ||
        verdict.change == Change::restored) {
        baseline.content = verdict.content.is_none() ? new_content_id() : verdict.content;
        baseline.origin = Origin::change;
        baseline.changed_at = verdict.changed_at;
        baseline.changed_not_before = verdict.changed_not_before;
        baseline.flags = verdict.flags;
        baseline.content_sum.reset();
    }
    baseline.clean_at = seen.moment.at;
}

// Opens a database that AUTO_CLOSE has closed, and looks again: for what is worth waking it.
HeldOpen DatabaseLooks::wake(SqlSession& session, const ServerFacts& facts, ServerLook& server,
                             DatabaseLook& seen, const sdk::Op& op) const {
    HeldOpen held(session, seen.entry.name, op);
    server = look(session, facts, op);
    if (const DatabaseLook* const found = server.find(seen.entry.name))
        seen = *found;
    return held;
}

Baseline DatabaseLooks::first(SqlSession& session, const ServerFacts& facts,
                              const ServerLook& server, const DatabaseLook& seen,
                              const sdk::Op& op) {
    DatabaseLook open = seen;
    ServerLook again = server;
    std::optional<HeldOpen> held;
    if (open.entry.is_closed())
        held.emplace(wake(session, facts, again, open, op));
    read_fingerprint_of(session, facts, again, open, op);
    const Verdict verdict = judge_first(open);
    Baseline baseline;
    baseline.server = facts.server;
    baseline.database = open.entry.name;
    take(baseline, open, verdict);
    baseline.origin = Origin::initial;
    sum_up(session, facts, open, baseline, op);
    return baseline;
}

std::optional<std::string> DatabaseLooks::sum_alone(SqlSession& session, const ServerFacts& facts,
                                                    const std::string& database,
                                                    const sdk::Op& op) const {
    const ServerLook server = look(session, facts, op);
    const DatabaseLook* const seen = server.find(database);
    if (seen == nullptr || seen->entry.data_bytes > settings_.sum_bytes_max)
        return std::nullopt;
    // Each statement would open it anew.
    const HeldOpen held(session, database, op);
    return read_content_sum(session, database, &op).value_or("");
}

// Where AUTO_CLOSE might close the database while more than the look is asked for.
std::optional<HeldOpen> DatabaseLooks::hold(SqlSession& session, const DatabaseLook& seen,
                                            const Baseline& baseline, const sdk::Op& op) const {
    std::optional<HeldOpen> held;
    const bool wants_sum =
        !baseline.content_sum && seen.entry.data_bytes <= settings_.sum_bytes_max;
    const bool is_quiet = judge(baseline, seen).change == Change::unchanged && !wants_sum;
    if (seen.entry.is_auto_close && seen.gate && !is_quiet)
        held.emplace(session, seen.entry.name, op);
    return held;
}

Baseline DatabaseLooks::refresh(SqlSession& session, const ServerFacts& facts,
                                const ServerLook& server, const DatabaseLook& seen,
                                const std::string& key, const sdk::Op& op,
                                const std::function<bool()>& is_current) {
    Baseline baseline = baselines_.get(key);
    if (!baseline.is_known() || baseline.server != facts.server ||
        baseline.database != seen.entry.name) {
        baseline = first(session, facts, server, seen, op);
        return baselines_.put_if(key, baseline, is_current) ? baseline : baselines_.get(key);
    }
    DatabaseLook look = seen;
    ServerLook again = server;
    const auto held = hold(session, seen, baseline, op);
    const Verdict verdict = judge_again(session, facts, server, look, baseline, op);
    const ContentId before = baseline.content;
    // The evidence of a new content includes what is inside.
    std::optional<HeldOpen> woken;
    if (verdict.needs == Needs::nothing && verdict.change != Change::unchanged) {
        if (look.entry.is_closed())
            woken.emplace(wake(session, facts, again, look, op));
        read_fingerprint_of(session, facts, again, look, op);
    }
    take(baseline, look, verdict);
    // Counters that AUTO_CLOSE will empty, or that do not tell all, need the rows beside them.
    if (verdict.needs == Needs::nothing &&
        (verdict.change == Change::unchanged || held || woken || verdict.is_not_counted))
        sum_up(session, facts, look, baseline, op);
    if (!baselines_.put_if(key, baseline, is_current))
        return baselines_.get(key);
    if (baseline.content != before)
        host_.log(STSYNC_LOG_INFO, "sqlserver.change", key,
                  "The database " + seen.entry.name + " has changed: " + verdict.reason + ".");
    return baseline;
}

} // namespace stationsync::sqlserver
