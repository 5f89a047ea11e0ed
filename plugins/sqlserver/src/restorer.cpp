#include "restorer.hpp"

#include "database_looks.hpp"
#include "in_place.hpp"
#include "job_outcome.hpp"
#include "package_check.hpp"
#include "quoting.hpp"
#include "side_by_side.hpp"
#include "text.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr const char* changed_meanwhile = "The database was changed meanwhile by somebody else.";
constexpr std::chrono::seconds pause_min{15};
constexpr std::chrono::seconds pause_max{600};
constexpr std::int32_t select_denied = 229;
constexpr std::int32_t database_denied = 916;
constexpr int plans_max = 3; // of file names that turn out to be taken

std::string hex_of(const std::uint8_t* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += "0123456789abcdef"[bytes[i] >> 4];
        text += "0123456789abcdef"[bytes[i] & 15u];
    }
    return text;
}

// One apply, from its checks to its end.
class Run {
public:
    Run(RestoreScene scene, SqlServer& server, const ExchangeFolder& folder,
        UndecidedDatabases& undecided, const ApplyRequest& request, const sdk::Op& op)
        : scene_(scene),
          undecided_(undecided),
          server_(server),
          folder_(folder),
          request_(request),
          op_(op),
          looks_(scene.host, scene.settings, scene.baselines),
          baseline_(scene.baselines.get(request.key)) {}
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() {
        if (kept_ && was_left_open_) // nothing came of it: for the next time
            undecided_.keep(request_.key, *std::move(kept_));
    }

    Applied run() {
        Seen seen = look();
        const ExchangeFile file = folder_.lend(request_.package, op_);
        const RestoreCase restore = examine(file.there(), seen);
        if (const auto refusal = first_refusal(restore))
            throw sdk::Error(refusal->status, refusal->sentence);
        if (seen && seen.database->entry.is_auto_close) {
            keep_open(seen.database->entry.name);
            seen = look();
        }
        if (is_already_there(seen))
            return {baseline_.mark(), baseline_.changed_at};
        require_expected(std::move(seen));
        for (const std::string& text : restore_warnings(restore))
            scene_.host.log(STSYNC_LOG_WARNING, "sqlserver.restore", request_.key, text);
        for (int attempt = 1;; ++attempt) {
            try {
                return bring_in(restore, file.there());
            } catch (const FileClaimed&) {
                if (attempt == plans_max)
                    throw;
            }
        }
    }

private:
    // What is there now, opened where AUTO_CLOSE has closed it.
    struct Seen {
        ServerLook server;
        std::optional<DatabaseLook> database;
        explicit operator bool() const noexcept { return database.has_value(); }
    };

    Seen look() {
        Seen seen;
        seen.server = looks_.look(scene_.worker.session(), scene_.server, op_);
        has_closed_ = has_closed_database(seen.server);
        if (const DatabaseLook* const found = seen.server.find(request_.database))
            seen.database = *found;
        return seen;
    }

    RestoreCase examine(const std::string& file, const Seen& seen) {
        CheckedPackage checked = check_package(scene_.worker.session(), scene_.server, file,
                                               scene_.settings, scene_.worker.op());
        label_ = checked.label;
        RestoreCase restore;
        restore.database = request_.database;
        restore.server = scene_.server;
        restore.settings = scene_.settings;
        restore.backup = std::move(checked.backup);
        const auto entry = seen ? std::optional(seen.database->entry) : std::nullopt;
        // Else the question would open what AUTO_CLOSE has closed.
        const bool has_closed = seen && has_closed_database(seen.server) && is_of_baseline(seen);
        restore.target = ask_target_facts(
            scene_.worker.session(), entry,
            has_closed ? baseline_.evidence.fingerprint.family_guid : "", scene_.worker.op());
        restore.target.has_baseline =
            !baseline_.applied.empty() || baseline_.origin == Origin::restore;
        return restore;
    }

    bool is_of_baseline(const Seen& seen) const {
        return baseline_.is_known() && baseline_.server == scene_.server.server &&
               is_same_name(baseline_.database, seen.database->entry.name);
    }

    // The content that the baseline stands for; `seen` gets what had to be asked for that.
    bool is_as_noted(Seen& seen) {
        if (!seen || !is_of_baseline(seen))
            return false;
        seen.database->was_kept_open = is_counted_on_ && kept_ && kept_->is_holding();
        // Later the users are out, and wait.
        const auto rows = is_counted_on_ ? DatabaseLooks::Rows::leave : DatabaseLooks::Rows::read;
        const Verdict verdict =
            looks_.judge_again(scene_.worker.session(), scene_.server, seen.server, *seen.database,
                               baseline_, op_, rows);
        if (same_state(verdict) == SameState::yes) {
            if (!is_counted_on_)
                count_on(seen, verdict);
            return true;
        }
        if (verdict.change == Change::uncertain && kept_ && !is_counted_on_)
            leave_undecided(seen, verdict);
        scene_.host.log(STSYNC_LOG_INFO, "sqlserver.change", request_.key,
                        "The database " + in_quotes(request_.database) +
                            " is not as it was: " + verdict.reason + ".");
        return false;
    }

    // From here on only what comes after this look is asked for.
    void count_on(Seen& seen, const Verdict& verdict) {
        if (!seen.database->fingerprint)
            seen.database->fingerprint =
                read_fingerprint(scene_.worker.session(), scene_.server, seen.database->entry.name,
                                 !has_closed_database(seen.server), scene_.worker.op());
        DatabaseLooks::take(baseline_, *seen.database, verdict);
        // Else the counters are still those of an earlier time.
        is_counted_on_ =
            baseline_.evidence.started == seen.database->started && !baseline_.was_closed;
    }

    // Woken by this call, its counters tell nothing of what was before. The doubt becomes a state
    // of its own, which others decide about while the database stays open; else it would be the
    // same doubt each time.
    void leave_undecided(Seen& seen, const Verdict& verdict) {
        count_on(seen, verdict);
        scene_.baselines.put(request_.key, baseline_);
        undecided_.keep(request_.key, *std::move(kept_));
        release();
    }

    void keep_open(const std::string& database) {
        kept_ = undecided_.take(request_.key);
        was_left_open_ = is_counted_on_ = kept_.has_value();
        if (!kept_)
            kept_.emplace(server_, database);
    }

    void release() noexcept { kept_.reset(); }

    bool is_already_there(Seen& seen) {
        return baseline_.content == label_.content && is_as_noted(seen);
    }

    void require_expected(Seen seen) {
        if (!seen && request_.expected.is_absent())
            return;
        if (!seen)
            throw sdk::Error(STSYNC_CONFLICT, "The database was dropped meanwhile.");
        if (request_.expected.is_absent())
            throw sdk::Error(STSYNC_CONFLICT, "Somebody made the database meanwhile.");
        if (baseline_.mark() != request_.expected || !is_as_noted(seen))
            throw sdk::Error(STSYNC_CONFLICT, changed_meanwhile);
    }

    Intent intent_for(const RestoreCase& restore, const RestorePlan& plan,
                      const std::string& generation) const {
        Intent intent;
        intent.key = request_.key;
        intent.database = request_.database;
        intent.backup_set = restore.backup.header().set_guid;
        intent.family = restore.backup.header().family_guid;
        intent.content = to_text(label_.content);
        intent.changed_at = request_.changed_at;
        intent.apply_id = hex_of(request_.id.bytes, sizeof request_.id.bytes);
        intent.primary = plan.primary;
        intent.access = "MULTI_USER";
        intent.before = encode(baseline_);
        if (restore.target.entry) {
            const DatabaseEntry& entry = *restore.target.entry;
            intent.database = entry.name; // as it is written on this server
            intent.was_there = true;
            intent.access = entry.access;
            intent.owner = entry.owner;
            intent.was_trustworthy = entry.is_trustworthy;
            intent.was_chaining = entry.is_db_chaining;
            intent.had_broker = entry.is_broker_enabled;
        }
        if (!plan.is_in_place) {
            const WorkNames names = names_of_request(generation);
            intent.incoming = names.incoming;
            intent.outgoing = names.outgoing;
            if (is_foreign_family(restore))
                intent.kept_name = kept_name_of(request_.database, generation);
        } else {
            const std::string name =
                folder_.safety_prefix() + file_stem_of(request_.database) + '-' +
                names_of_request().incoming.substr(incoming_prefix.size()) + ".bak";
            place_safety_copy(intent, name);
        }
        return intent;
    }

    // In the folder that is configured for exchange, else in the server's own for backups, else
    // beside the package.
    void place_safety_copy(Intent& intent, const std::string& name) const {
        const std::string& own = scene_.server.backup_folder;
        if (scene_.settings.backup_folder.empty() && !own.empty()) {
            const bool has_end = own.back() == '/' || own.back() == '\\';
            intent.safety_file = own + (has_end ? "" : scene_.server.path_separator) + name;
            intent.safety_here = intent.safety_file;
            return;
        }
        const std::string there = folder_.folder_there(request_.package);
        const bool has_end = !there.empty() && (there.back() == '/' || there.back() == '\\');
        intent.safety_file = there + (has_end ? "" : scene_.server.path_separator) + name;
        intent.safety_here =
            sdk::utf8_from_path(folder_.folder_here(request_.package) / sdk::path_from_utf8(name));
    }

    WorkNames names_of_request(std::string_view generation = {}) const {
        return work_names_of(scene_.host.config("@instance").value_or(""), request_.database,
                             generation);
    }

    // Finishes or undoes whatever comes, then tells what came.
    Applied bring_in(const RestoreCase& restore, const std::string& file) {
        const ContentId random = new_content_id();
        const std::string generation = hex_of(random.bytes.data(), 4);
        const RestorePlan plan = plan_restore(restore, generation);
        Intent intent = intent_for(restore, plan, generation);
        if (plan.is_in_place && is_foreign_family(restore))
            throw sdk::Error(STSYNC_NO_SPACE,
                             "The package holds another database than the one called " +
                                 in_quotes(request_.database) +
                                 " here, which is to be kept, and there is no room for both. Make "
                                 "room on the disks of SQL Server; it is tried again by itself.");
        std::exception_ptr failure;
        try {
            if (plan.is_in_place) {
                run_in_place(intent, plan, file);
            } else {
                const auto traces = run_side_by_side(intent, plan, file);
                // Nothing is asked again while users wait.
                if (finish_side_by_side(scene_, intent, traces) == Content::old)
                    throw sdk::Error(STSYNC_CONFLICT, changed_meanwhile);
                return {mark_of(label_.content), request_.changed_at};
            }
        } catch (...) {
            failure = std::current_exception();
        }
        scene_.worker.see_it_through();
        if (settle(intent, failure) == Content::fresh)
            return {mark_of(label_.content), request_.changed_at};
        if (failure)
            std::rethrow_exception(failure);
        throw sdk::Error(STSYNC_BUSY, in_quotes(request_.database) +
                                          " could not be replaced for a reason that SQL Server "
                                          "did not tell. It is tried again by itself.");
    }

    Content settle(const Intent& intent, const std::exception_ptr& failure) {
        try {
            const auto open = scene_.journal.find(intent.key);
            if (!open)
                return Content::old; // not even begun
            return intent.is_in_place() ? settle_in_place(scene_, *open)
                                        : settle_side_by_side(scene_, *open);
        } catch (const sdk::Error&) {
            if (failure)
                log_failure(failure);
            throw;
        }
    }

    void log_failure(const std::exception_ptr& failure) const {
        try {
            std::rethrow_exception(failure);
        } catch (const sdk::Error& error) {
            scene_.host.log(STSYNC_LOG_WARNING, "sqlserver.restore", request_.key, error.what());
        } catch (const sdk::Cancelled&) {
            scene_.host.log(STSYNC_LOG_WARNING, "sqlserver.restore", request_.key,
                            "The restore was broken off on request.");
        }
    }

    // Somebody may have begun to maintain it while the package was read or came up.
    void require_access(Intent& intent) {
        const auto standing = scene_.worker.ask(intent.database);
        if (!standing)
            return; // told by the look
        if (standing->access == "SINGLE_USER")
            throw sdk::Error(STSYNC_DENIED, single_user_sentence(intent.database));
        intent.access = standing->access;
    }

    // The point of no return: who is put out is told before.
    void commit(Intent& intent) {
        require_access(intent);
        auto visitors = ask_visitors(scene_.worker.session(), request_.database);
        std::erase_if(visitors, [&](const Visitor& each) {
            return each.program.starts_with("StationSync ") ||
                   (kept_ && each.id == kept_->session_id());
        });
        op_.begin_commit();
        scene_.worker.see_it_through();
        if (!visitors.empty())
            scene_.host.log(STSYNC_LOG_INFO, "sqlserver.sessions", request_.key,
                            "These are disconnected from " + in_quotes(request_.database) +
                                " while it is replaced: " + to_text(visitors) + ".");
    }

    std::optional<WriteTraces> run_side_by_side(Intent& intent, const RestorePlan& plan,
                                                const std::string& file) {
        intent.session = scene_.worker.session().id();
        scene_.move_to(intent, RestoreStep::preparing);
        prepare_incoming(scene_, intent, plan, file, &op_);
        // By it the state is known again when AUTO_CLOSE or a restart has emptied the counters.
        scene_.content_sum =
            looks_.sum_alone(scene_.worker.session(), scene_.server, intent.incoming, op_);
        if (!intent.was_there) {
            op_.begin_commit();
            scene_.worker.see_it_through();
            require_expected(look());
            scene_.move_to(intent, RestoreStep::exchanging);
            return exchange_names(scene_, intent);
        }
        commit(intent);
        scene_.move_to(intent, RestoreStep::exchanging);
        close_to_users(scene_, intent.database);
        require_expected(look());
        release();
        return exchange_names(scene_, intent);
    }

    // By these it is known afterwards whether the package has come in.
    void note_history(Intent& intent) {
        const std::string database = quoted_text(intent.database);
        const Answer restores = scene_.worker.run(
            "SELECT MAX(restore_history_id) AS newest FROM msdb.dbo.restorehistory");
        scene_.worker.check();
        if (restores.has(select_denied) || restores.has(database_denied))
            throw sdk::Error(
                STSYNC_DENIED,
                "The history of restores in msdb cannot be read, by which a restore in place is "
                "known to have succeeded, so " +
                    in_quotes(intent.database) +
                    " is not replaced. Grant it: USE [msdb]; GRANT SELECT ON [dbo].[backupset] TO "
                    "the login of this service; GRANT SELECT ON [dbo].[restorehistory] as well. " +
                    error_of(restores, {}).what());
        if (!restores.is_complete())
            throw error_of(restores, {{"database", intent.database}});
        intent.last_restore = restores.row()["newest"].integer().value_or(0);
        if (has_closed_)
            return; // the question would open what AUTO_CLOSE has closed; the copy tells as well
        const Answer fork =
            scene_.worker.must("SELECT recovery_fork_guid FROM sys.database_recovery_status WHERE "
                               "database_id = DB_ID(" +
                               database + ")");
        intent.fork = fork.row()["recovery_fork_guid"].guid().value_or("");
    }

    void run_in_place(Intent& intent, const RestorePlan& plan, const std::string& file) {
        // The package must be whole before anything is overwritten.
        const Answer proof = scene_.worker.run_job(verify_statement(file), &op_, "checking");
        if (!proof.is_complete()) {
            scene_.worker.check();
            throw failure_of(proof, intent, file);
        }
        note_history(intent);
        commit(intent);
        scene_.move_to(intent, RestoreStep::saving);
        close_to_users(scene_, intent.database);
        require_expected(look());
        save_copy(scene_, intent, &op_);
        if (intent.fork.empty())
            intent.fork = read_backup(scene_.worker.session(), intent.safety_file, nullptr)
                              .header()
                              .fork_guid;
        // Administrators still get in; what they wrote meanwhile is not in the copy.
        require_expected(look());
        release();
        scene_.move_to(intent, RestoreStep::replacing);
        overwrite(scene_, intent, plan, file, &op_, [this] { require_expected(look()); });
    }

    RestoreScene scene_;
    UndecidedDatabases& undecided_;
    SqlServer& server_;
    const ExchangeFolder& folder_;
    const ApplyRequest& request_;
    const sdk::Op& op_;
    DatabaseLooks looks_;
    std::optional<KeptOpen> kept_; // only where AUTO_CLOSE would close it
    Baseline baseline_;
    bool has_closed_ = false;    // some database, at the last look
    bool was_left_open_ = false; // by an earlier call, with the baseline as it is stored
    bool is_counted_on_ = false; // the baseline is of a look at the database that is kept open
    PackageLabel label_;
};

} // namespace

void Restorer::settle_open(const Intent& intent, const sdk::Op* between) {
    RestoreWorker worker(server_, nullptr, settings_.stall_limit, between);
    const ServerFacts facts = ask_server_facts(worker.session(), nullptr);
    RestoreScene scene{host_, worker, journal_, baselines_, facts, settings_};
    const Content content =
        intent.is_in_place() ? settle_in_place(scene, intent) : settle_side_by_side(scene, intent);
    host_.log(STSYNC_LOG_WARNING, "sqlserver.recovered", intent.key,
              "Replacing " + in_quotes(intent.database) + " was broken off before; it was " +
                  (content == Content::fresh ? "finished." : "undone."));
}

std::vector<Restorer::Unsettled> Restorer::settle_broken_off(const sdk::Op& op) {
    std::vector<Unsettled> left;
    for (const Intent& each : journal_.open_intents()) {
        op.check();
        const KeyLocks::Lock lock = locks_.try_lock(each.key);
        if (!lock) {
            left.push_back({each.key, sdk::Error(STSYNC_BUSY, "The database " + each.database +
                                                                  " is being replaced.")});
            continue;
        }
        const auto intent = journal_.find(each.key);
        if (!intent)
            continue; // settled meanwhile
        if (auto failure = try_to_settle(*intent, op))
            left.push_back({each.key, *std::move(failure)});
    }
    for (const Intent& each : journal_.leftovers()) {
        op.check();
        if (const KeyLocks::Lock lock = locks_.try_lock(each.key))
            settle_leftover_of(each);
    }
    return left;
}

// The key is locked. A failure is not tried again at once: it may cost a whole restore.
std::optional<sdk::Error> Restorer::try_to_settle(const Intent& intent, const sdk::Op& op) {
    const std::string name = "open:" + intent.key; // no database has that name as a leftover
    const Pause pause = pause_of(name);
    if (pause.failure && std::chrono::steady_clock::now() < pause.until)
        return pause.failure;
    std::optional<sdk::Error> failure;
    try {
        settle_open(intent, &op);
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
void Restorer::settle_leftover_of(const Intent& leftover) {
    const std::string& name = leftover_name(leftover);
    const Pause pause = pause_of(name);
    if (pause.failure && std::chrono::steady_clock::now() < pause.until)
        return;
    // Whoever set it aside has told why; once more where that does not pass soon.
    const bool is_to_be_told = pause.length == 2 * pause_min;
    const sdk::Error later(STSYNC_BUSY, in_quotes(name) + " is still there.");
    try {
        RestoreWorker worker(server_, nullptr, settings_.stall_limit);
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
            settle_leftover_of(each);
    }
}

std::vector<std::string> Restorer::broken_off() {
    std::vector<std::string> keys;
    const auto now = std::chrono::steady_clock::now();
    for (const Intent& each : journal_.open_intents())
        if (locks_.try_lock(each.key))
            keys.push_back(each.key);
    for (const Intent& each : journal_.leftovers())
        if (pause_of(leftover_name(each)).until <= now && locks_.try_lock(each.key))
            keys.push_back(each.key);
    return keys;
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
    const KeyLocks::Lock lock = locks_.lock(request.key);
    if (const auto open = journal_.find(request.key))
        settle_open(*open, nullptr);
    const Baseline baseline = baselines_.get(request.key);
    if (const Baseline::Applied* const applied = baseline.find_applied(request.id))
        return {mark_of(applied->content), applied->changed_at};
    RestoreWorker worker(server_, &op, settings_.stall_limit);
    const ServerFacts facts = ask_server_facts(worker.session(), &op);
    RestoreScene scene{host_, worker, journal_, baselines_, facts, settings_};
    settle_leftovers_of(op, request.key);
    settle_leftovers(scene, request.key, request.database,
                     work_names_of(host_.config("@instance").value_or(""), request.database));
    return Run(scene, server_, folder_, undecided_, request, op).run();
}

void Restorer::recover(const sdk::Op& op) {
    std::exception_ptr failure;
    for (const Intent& intent : journal_.open_intents()) {
        op.check();
        const KeyLocks::Lock lock = locks_.lock(intent.key);
        try {
            settle_open(intent, &op);
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
