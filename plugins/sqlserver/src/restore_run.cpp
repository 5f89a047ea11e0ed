#include "restore_run.hpp"

#include "backup_job.hpp"
#include "database_looks.hpp"
#include "in_place.hpp"
#include "job_outcome.hpp"
#include "package_check.hpp"
#include "quoting.hpp"
#include "safety_copy.hpp"
#include "side_by_side.hpp"
#include "text.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::sqlserver {

namespace {

constexpr const char* changed_meanwhile = "The database was changed meanwhile by somebody else.";
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
class RestoreRun {
public:
    RestoreRun(RestoreScene scene, SqlServer& server, const ExchangeFolder& folder,
               UndecidedDatabases& undecided, FailedApplies& failed, const ApplyRequest& request,
               const sdk::Op& op)
        : scene_(std::move(scene)),
          undecided_(undecided),
          failed_(failed),
          server_(server),
          folder_(folder),
          request_(request),
          op_(op),
          looks_(scene_.host, scene_.settings, scene_.baselines),
          baseline_(scene_.baselines.get(request.key)) {}
    RestoreRun(const RestoreRun&) = delete;
    RestoreRun& operator=(const RestoreRun&) = delete;
    ~RestoreRun() {
        if (kept_ && was_left_open_) // nothing came of it: for the next time
            undecided_.keep(request_.key, *std::move(kept_));
    }

    Applied run() {
        Seen seen = look();
        const ExchangeFile file = folder_.lend(request_.package, op_);
        const RestoreCase restore = examine(file.there(), seen);
        name_safety_copy(seen);
        if (const auto refusal = first_refusal(restore))
            throw sdk::Error(refusal->status, refusal->sentence);
        if (seen && seen.database->entry.is_auto_close) {
            keep_open(seen.database->entry.name);
            seen = look();
        }
        if (is_already_there(seen))
            return {baseline_.mark(), baseline_.changed_at};
        require_expected(std::move(seen));
        if (const auto failure = failed_.answer(request_.key, what(), FailedApplies::Clock::now()))
            throw sdk::Error(*failure);
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

    // What cost an outage, or a whole restore, and failed is not tried again soon.
    sdk::Error slowed(const sdk::Error& error) {
        const bool was_for_nothing = has_begun_ && error.status() == STSYNC_UNSUPPORTED;
        if (error.status() == STSYNC_CONFLICT || (!are_users_out_ && !was_for_nothing))
            return error;
        const std::string sentence = "Replacing " + in_quotes(request_.database) +
                                     " with this content failed after " +
                                     (are_users_out_ ? "its users had been disconnected: "
                                                     : "the whole package had been restored: ") +
                                     error.what();
        const auto pause = failed_.remember(request_.key, what(), sentence,
                                            FailedApplies::Clock::now(), scene_.host.utc_now());
        return {error.status(), error.what(), static_cast<std::uint64_t>(pause.count())};
    }

private:
    FailedApplies::What what() const {
        FailedApplies::What what{identity_of(request_.package), std::nullopt, request_.changed_at};
        if (!label_.content.is_none())
            what.content = label_.content;
        return what;
    }

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
        ask_feature_facts(scene_.worker.session(), scene_.server, restore.backup, restore.target,
                          scene_.worker.op());
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
            kept_.emplace(server_, database, &op_);
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
            const SafetyCopy copy = safety_copy();
            intent.safety_file = copy.there;
            intent.safety_here = copy.here;
        }
        return intent;
    }

    SafetyCopy safety_copy() const {
        return safety_copy_of(scene_, folder_, request_.database, request_.package);
    }

    // Left by a restore in place of which nothing is known any more.
    void name_safety_copy(const Seen& seen) {
        if (!seen || seen.database->entry.state != "RESTORING")
            return;
        if (const auto text = safety_copy_text(scene_.worker.session(), seen.database->entry.name,
                                               safety_copy().there, scene_.worker.op()))
            throw sdk::Error(STSYNC_DENIED, *text);
    }

    // The copy is made while users wait, and a full disk would make them wait for nothing.
    void require_room(const RestoreCase& restore, const RestorePlan& plan) {
        const auto bytes =
            backup_size(scene_.worker.session(), request_.database, scene_.worker.op());
        scene_.worker.check();
        const SafetyCopy copy = safety_copy();
        std::optional<std::uint64_t> free;
        const std::filesystem::path folder = sdk::path_from_utf8(copy.here).parent_path();
        std::error_code ignored;
        if ((scene_.settings.is_server_here || !scene_.settings.backup_folder.empty()) &&
            std::filesystem::is_directory(folder, ignored))
            free = scene_.host.free_space(folder);
        const std::string shortage =
            copy_shortage(restore, plan, copy.there, bytes.value_or(0), free);
        if (!shortage.empty())
            throw sdk::Error(STSYNC_NO_SPACE, shortage);
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
        has_begun_ = true;
        try {
            if (plan.is_in_place) {
                require_room(restore, plan);
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
        are_users_out_ = true;
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
    FailedApplies& failed_;
    SqlServer& server_;
    const ExchangeFolder& folder_;
    const ApplyRequest& request_;
    const sdk::Op& op_;
    DatabaseLooks looks_;
    std::optional<KeptOpen> kept_; // only where AUTO_CLOSE would close it
    Baseline baseline_;
    bool has_begun_ = false;     // something may be left behind
    bool are_users_out_ = false; // from the point of no return on
    bool has_closed_ = false;    // some database, at the last look
    bool was_left_open_ = false; // by an earlier call, with the baseline as it is stored
    bool is_counted_on_ = false; // the baseline is of a look at the database that is kept open
    PackageLabel label_;
};

} // namespace

std::string identity_of(const std::filesystem::path& package) {
    std::error_code failure;
    const auto bytes = std::filesystem::file_size(package, failure);
    if (failure)
        return sdk::utf8_from_path(package);
    const auto time = std::filesystem::last_write_time(package, failure);
    return sdk::utf8_from_path(package) + ' ' + std::to_string(bytes) + ' ' +
           std::to_string(time.time_since_epoch().count());
}

Applied run_restore(RestoreScene scene, SqlServer& server, const ExchangeFolder& folder,
                    UndecidedDatabases& undecided, FailedApplies& failed,
                    const ApplyRequest& request, const sdk::Op& op) {
    RestoreRun run(std::move(scene), server, folder, undecided, failed, request, op);
    try {
        const Applied applied = run.run();
        failed.forget(request.key);
        return applied;
    } catch (const sdk::Error& error) {
        throw sdk::Error(run.slowed(error));
    }
}

} // namespace stationsync::sqlserver
