#include "restorer.hpp"

#include "in_place.hpp"
#include "quoting.hpp"
#include "restore_run.hpp"
#include "safety_copy.hpp"
#include "side_by_side.hpp"
#include "text.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr std::chrono::seconds pause_min{15};
constexpr std::chrono::seconds pause_max{600};
constexpr std::chrono::seconds scan_patience{10};

// Of a pause; no leftover is called so.
std::string open_name(const std::string& key) {
    return "open:" + key;
}

} // namespace

void Restorer::settle_open(const Intent& intent, const sdk::Op& between, const sdk::Op* op) {
    RestoreWorker worker(server_, op, settings_.stall_limit, &between);
    const ServerFacts facts = ask_server_facts(worker.session(), op);
    RestoreScene scene{host_, worker, journal_, baselines_, facts, settings_};
    const Content content =
        intent.is_in_place() ? settle_in_place(scene, intent) : settle_side_by_side(scene, intent);
    host_.log(STSYNC_LOG_WARNING, "sqlserver.recovered", intent.key,
              "Replacing " + in_quotes(intent.database) + " was broken off before; it was " +
                  (content == Content::fresh ? "finished." : "undone."));
}

std::vector<Restorer::Unsettled> Restorer::settle_broken_off(const sdk::Op& op) {
    std::set<std::string> keys;
    for (const Intent& each : journal_.open_intents())
        keys.insert(each.key);
    for (const Intent& each : journal_.leftovers())
        keys.insert(each.key);
    settler_.settle(keys, op, scan_patience);
    std::vector<Unsettled> left;
    for (const Intent& each : journal_.open_intents()) {
        const Pause pause = pause_of(open_name(each.key));
        const KeyLocks::Lock lock = locks_.try_lock(each.key);
        if (lock && pause.failure)
            left.push_back({each.key, *pause.failure});
        else
            left.push_back({each.key, sdk::Error(STSYNC_BUSY, "The database " + each.database +
                                                                  " is being replaced.")});
    }
    return left;
}

// On the thread of the settler. An apply at work does the same itself.
void Restorer::settle_key(const std::string& key, const sdk::Op& op) {
    const KeyLocks::Lock lock = locks_.try_lock(key);
    if (!lock)
        return;
    if (const auto intent = journal_.find(key))
        try_to_settle(*intent, op, &op);
    else
        settle_leftovers_of(op, key);
}

// The key is locked. A failure is not tried again at once: it may cost a whole restore.
std::optional<sdk::Error> Restorer::try_to_settle(const Intent& intent, const sdk::Op& between,
                                                  const sdk::Op* op) {
    const std::string name = open_name(intent.key);
    const Pause pause = pause_of(name);
    if (pause.failure && std::chrono::steady_clock::now() < pause.until)
        return pause.failure;
    std::optional<sdk::Error> failure;
    try {
        settle_open(intent, between, op);
    } catch (const sdk::Error& error) {
        failure = error;
    }
    note_attempt(name, failure);
    return failure;
}

Restorer::Pause Restorer::pause_of(const std::string& name) {
    const std::lock_guard guard(mutex_);
    const auto at = pauses_.find(name);
    return at == pauses_.end() ? Pause() : at->second;
}

void Restorer::note_attempt(const std::string& name, std::optional<sdk::Error> failure) {
    const std::lock_guard guard(mutex_);
    if (!failure) {
        pauses_.erase(name);
        return;
    }
    Pause& pause = pauses_[name];
    pause.length = std::clamp(pause.length * 2, pause_min, pause_max);
    pause.until = std::chrono::steady_clock::now() + pause.length;
    pause.failure = std::move(failure);
}

// Nothing waits for these, so a failure is for the log, once.
void Restorer::settle_leftover_of(const Intent& leftover, const sdk::Op& between) {
    const std::string& name = leftover_name(leftover);
    const Pause pause = pause_of(name);
    if (pause.failure && std::chrono::steady_clock::now() < pause.until)
        return;
    // Whoever set it aside has told why; once more where that does not pass soon.
    const bool is_to_be_told = pause.length == 2 * pause_min;
    const sdk::Error later(STSYNC_BUSY, in_quotes(name) + " is still there.");
    try {
        RestoreWorker worker(server_, nullptr, settings_.stall_limit, &between);
        const ServerFacts facts = ask_server_facts(worker.session(), nullptr);
        RestoreScene scene{host_, worker, journal_, baselines_, facts, settings_};
        const bool is_gone =
            settle_leftover(scene, leftover, is_to_be_told ? Told::not_yet : Told::before);
        note_attempt(name, is_gone ? std::nullopt : std::optional(later));
    } catch (const sdk::Error& error) {
        if (is_to_be_told)
            host_.log(STSYNC_LOG_WARNING, "sqlserver.restore", leftover.key,
                      in_quotes(name) + ", which is left of replacing " +
                          in_quotes(leftover.database) + ", is still there: " + error.what());
        note_attempt(name, later);
    }
}

void Restorer::settle_leftovers_of(const sdk::Op& op, const std::string& key) {
    for (const Intent& each : journal_.leftovers()) {
        op.check();
        if (key.empty() || each.key == key)
            settle_leftover_of(each, op);
    }
}

std::optional<std::string> Restorer::lost_restore_of(SqlSession& session, const ServerFacts& facts,
                                                     const std::string& database,
                                                     const sdk::Op& op) {
    RestoreWorker unused(server_, &op, settings_.stall_limit);
    const RestoreScene scene{host_, unused, journal_, baselines_, facts, settings_};
    if (settings_.backup_folder.empty() && facts.backup_folder.empty())
        return std::nullopt; // it lies beside the package
    const SafetyCopy copy = safety_copy_of(scene, folder_, database, {});
    return safety_copy_text(session, database, copy.there, &op);
}

std::vector<std::string> Restorer::broken_off() {
    std::set<std::string> keys = settler_.take_done();
    const auto now = std::chrono::steady_clock::now();
    for (const Intent& each : journal_.open_intents())
        if (pause_of(open_name(each.key)).until <= now && locks_.try_lock(each.key))
            keys.insert(each.key);
    for (const Intent& each : journal_.leftovers())
        if (pause_of(leftover_name(each)).until <= now && locks_.try_lock(each.key))
            keys.insert(each.key);
    return {keys.begin(), keys.end()};
}

bool Restorer::is_open(const std::string& key) {
    return journal_.find(key).has_value();
}

bool Restorer::has_open() {
    return journal_.has_open();
}

Applied Restorer::apply(const ApplyRequest& request, const sdk::Op& op) {
    if (is_system_name(request.database))
        throw sdk::Error(STSYNC_INVALID_ARG, in_quotes(request.database) +
                                                 " is a system database; those are never "
                                                 "synchronized. Take it out of the configuration.");
    quoted_name(request.database); // throws for what is no name
    const KeyLocks::Lock lock = locks_.lock(request.key, op);
    if (const auto open = journal_.find(request.key))
        if (const auto failure = try_to_settle(*open, op, nullptr))
            throw sdk::Error(*failure);
    const Baseline baseline = baselines_.get(request.key);
    if (const Baseline::Applied* const applied = baseline.find_applied(request.id))
        return {mark_of(applied->content), applied->changed_at};
    // Before anything is read or copied.
    if (const auto failure =
            failed_.answer(request.key, {identity_of(request.package), {}, request.changed_at},
                           FailedApplies::Clock::now()))
        throw sdk::Error(*failure);
    RestoreWorker worker(server_, &op, settings_.stall_limit);
    const ServerFacts facts = ask_server_facts(worker.session(), &op);
    RestoreScene scene{host_, worker, journal_, baselines_, facts, settings_};
    settle_leftovers_of(op, request.key);
    settle_leftovers(scene, request.key, request.database,
                     work_names_of(host_.config("@instance").value_or(""), request.database));
    try {
        return run_restore(scene, server_, folder_, undecided_, failed_, request, op);
    } catch (const sdk::Error& error) {
        if (is_open(request.key)) // it was tried just now
            note_attempt(open_name(request.key), sdk::Error(error));
        throw;
    }
}

void Restorer::recover(const sdk::Op& op) {
    std::exception_ptr failure;
    for (const Intent& intent : journal_.open_intents()) {
        op.check();
        const KeyLocks::Lock lock = locks_.lock(intent.key, op);
        try {
            settle_open(intent, op, nullptr);
            note_attempt(open_name(intent.key), std::nullopt);
        } catch (const NeedsPerson& error) {
            // Keeps this database back, not all the others; the scans tell it.
            host_.log(STSYNC_LOG_ERROR, "sqlserver.recovery", intent.key, error.what());
        } catch (const sdk::Error& error) {
            failure = std::current_exception();
            host_.log(STSYNC_LOG_ERROR, "sqlserver.recovery", intent.key, error.what());
        }
    }
    if (failure)
        std::rethrow_exception(failure);
    settle_leftovers_of(op);
}

} // namespace stationsync::sqlserver
