#include "in_place.hpp"

#include "backup_header.hpp"
#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <filesystem>

namespace stationsync::sqlserver {

namespace {

constexpr int rescues_max = 2;
constexpr std::int32_t file_taken = 3142;   // exists and is not the database's
constexpr std::int32_t file_claimed = 1834; // another database has it

bool take_offline(RestoreScene& scene, const Intent& intent, Answer& last,
                  const std::function<void()>& recheck) {
    const std::string statement =
        "ALTER DATABASE " + quoted_name(intent.database) + " SET OFFLINE WITH ROLLBACK IMMEDIATE";
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        last = scene.worker.run(statement);
        if (last.is_complete())
            return true;
        if (const auto standing = scene.worker.ask(intent.database);
            standing && standing->state == "OFFLINE")
            return true;
        scene.worker.end_visitors(intent.database);
        scene.worker.pause(attempt);
        if (attempt + 1 < attempts_max)
            recheck(); // administrators still get in
    }
    return false;
}

// A state that passes by itself is waited for.
std::optional<Standing> settled_standing(RestoreScene& scene, const Intent& intent) {
    for (int attempt = 0;; ++attempt) {
        auto standing = scene.worker.ask(intent.database);
        if (!standing || standing->state != "RECOVERING")
            return standing;
        if (attempt == 4 * attempts_max)
            throw sdk::Error(STSYNC_BUSY, in_quotes(intent.database) +
                                              " is still being recovered by SQL Server: what was "
                                              "begun is finished after that.");
        scene.worker.pause(attempt);
    }
}

// A RESTORE whose connection broke may go on without us.
void await_own_restore(RestoreScene& scene, const Intent& intent) {
    if (is_restoring_still(scene, intent))
        throw sdk::Error(STSYNC_BUSY, in_quotes(intent.database) +
                                          " is still being restored by SQL Server, though the "
                                          "connection was lost: what was begun is finished "
                                          "after that.");
}

// RESTORE in a session that is known to whoever comes after its connection was lost.
Answer restore_noted(RestoreScene& scene, Intent& intent, const std::string& statement,
                     const sdk::Op* teller) {
    intent.session = scene.worker.session().id();
    scene.journal.put(intent);
    return scene.worker.run_job(statement, teller, "restoring");
}

// What an online database holds that was to be overwritten.
enum class Held : std::uint8_t { old, fresh, unknown };

Held held_by(RestoreScene& scene, const Intent& intent) {
    const Answer restores = scene.worker.run(
        "SELECT COUNT(*) AS restores FROM msdb.dbo.restorehistory r JOIN msdb.dbo.backupset s "
        "ON s.backup_set_id = r.backup_set_id WHERE r.restore_history_id > " +
        std::to_string(intent.last_restore) +
        " AND r.destination_database_name = " + quoted_text(intent.database) +
        " AND s.backup_set_uuid = " + quoted_text(intent.backup_set));
    if (restores.is_complete() && restores.row()["restores"].integer().value_or(0) > 0)
        return Held::fresh;
    if (intent.fork.empty())
        return Held::unknown;
    const Answer answer =
        scene.worker.run("SELECT recovery_fork_guid FROM sys.database_recovery_status WHERE "
                         "database_id = DB_ID(" +
                         quoted_text(intent.database) + ")");
    if (!answer.is_complete() || answer.rows().rows.empty())
        return Held::unknown;
    const auto fork = answer.rows().row(0)["recovery_fork_guid"].guid();
    return fork == intent.fork ? Held::old : Held::unknown;
}

// GUID of the copy.
std::string restore_copy(RestoreScene& scene, Intent& intent) {
    Answer answer;
    bool is_there = true;
    for (int attempt = 0; attempt < rescues_max; ++attempt) {
        if (attempt > 0) {
            scene.worker.pause(attempt + 3);
            await_own_restore(scene, intent);
        }
        is_there = scene.worker.ask(intent.database).has_value();
        answer =
            restore_noted(scene, intent,
                          rescue_statement(intent.database, intent.safety_file, is_there), nullptr);
        const JobClaim claim = claim_of(answer);
        const auto standing = scene.worker.ask(intent.database);
        if (claim == JobClaim::success && standing && standing->is_online()) {
            const Backup copy = read_backup(scene.worker.session(), intent.safety_file, nullptr);
            return copy.headers.empty() ? "" : copy.headers.front().set_guid;
        }
    }
    if (!is_there && (answer.has(file_taken) || answer.has(file_claimed)))
        throw NeedsPerson(in_quotes(intent.database) +
                          " was dropped by somebody while it was replaced, and there are other "
                          "files now where its own were. They are not overwritten; what was there "
                          "before is kept as " +
                          intent.safety_file +
                          ". Move those files away; the rest is done by itself.");
    const sdk::Error failure = failure_of(answer, intent, intent.safety_file);
    if (failure.status() == STSYNC_BUSY || failure.status() == STSYNC_INTERNAL)
        throw sdk::Error(STSYNC_BUSY, in_quotes(intent.database) +
                                          " could not be replaced, and its copy could not be "
                                          "restored yet: " +
                                          failure.what() +
                                          " The copy is kept; it is tried again by itself.");
    throw NeedsPerson(in_quotes(intent.database) +
                      " could not be replaced, and its copy could not be restored: " +
                      failure.what() + " The copy is kept. An administrator can run: " +
                      rescue_statement(intent.database, intent.safety_file, is_there) +
                      "; ALTER DATABASE " + quoted_name(intent.database) + " SET MULTI_USER;");
}

// SQL Server wrote it; where the folder is on this computer and open to us, it can be removed.
void remove_copy(RestoreScene& scene, const Intent& intent) {
    if (intent.safety_file.empty())
        return;
    std::error_code failure;
    const bool was_removed =
        std::filesystem::remove(sdk::path_from_utf8(intent.safety_here), failure);
    // Before that step there may be none.
    const bool is_complete =
        intent.step != RestoreStep::preparing && intent.step != RestoreStep::saving;
    if (!was_removed && (failure || is_complete))
        scene.warn(intent, "The copy of " + in_quotes(intent.database) + ", " + intent.safety_file +
                               " as SQL Server sees it, could not be removed from here: delete it "
                               "there, or set backup_folder to a folder that this service may "
                               "write to; the next one overwrites it.");
}

Content finish(RestoreScene& scene, Intent& intent, const Standing& standing) {
    if (intent.step != RestoreStep::replaced) {
        fix_up(scene, intent, intent.database);
        if (scene.settings.preserves_broker && intent.had_broker)
            scene.worker.run("ALTER DATABASE " + quoted_name(intent.database) +
                             " SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE");
        note_content(scene, intent, Content::fresh, intent.backup_set);
        scene.move_to(intent, RestoreStep::replaced);
    }
    if (standing.access != intent.access)
        open_to_users(scene, intent.database, intent.access);
    remove_copy(scene, intent);
    scene.journal.remove(intent.key);
    return Content::fresh;
}

// What it holds has been noted, and whoever comes again does not restore over what users do now.
Content leave_old(RestoreScene& scene, Intent& intent, bool opens) {
    if (intent.step != RestoreStep::saving && intent.step != RestoreStep::put_back)
        scene.move_to(intent, RestoreStep::put_back);
    if (opens)
        open_to_users(scene, intent.database, intent.access);
    remove_copy(scene, intent);
    scene.journal.remove(intent.key);
    return Content::old;
}

// Its users may have been in it already: nothing is restored over what they did.
Content leave_to_people(RestoreScene& scene, const Intent& intent,
                        const std::optional<Standing>& standing) {
    if (standing)
        throw NeedsPerson(in_quotes(intent.database) + " is " + standing->state +
                          " after it was replaced. Look into the error log of SQL Server and "
                          "bring it online, or drop it; the rest is done by itself. What was "
                          "there before is kept as " +
                          intent.safety_file + '.');
    scene.warn(intent, in_quotes(intent.database) +
                           " was dropped or renamed by somebody after it was replaced. What was "
                           "there before is kept as " +
                           intent.safety_file + ": delete it when it is not needed.");
    scene.journal.remove(intent.key);
    return intent.step == RestoreStep::put_back ? Content::old : Content::fresh;
}

// CHECKDB of what came in, once. False: it is damaged, or will not be checked, and the copy is
// restored; until one of them is known its users wait.
bool passes_check(RestoreScene& scene, Intent& intent) {
    if (intent.is_given_up || !scene.settings.checks_database || intent.is_checked)
        return !intent.is_given_up;
    try {
        check_database(scene, intent, intent.database, nullptr);
        intent.is_checked = true;
    } catch (const sdk::Error& error) {
        scene.worker.ask(intent.database); // throws where the server is away
        scene.warn(intent, error.what());
        intent.is_given_up = true;
    }
    scene.journal.put(intent);
    return !intent.is_given_up;
}

} // namespace

std::string rescue_statement(std::string_view database, std::string_view copy, bool is_there) {
    return "RESTORE DATABASE " + quoted_name(database) + " FROM DISK = " + quoted_path(copy) +
           " WITH FILE = 1, " + (is_there ? "REPLACE, " : "") +
           "CHECKSUM, STATS = 5, RECOVERY, RESTRICTED_USER";
}

void save_copy(RestoreScene& scene, const Intent& intent, const sdk::Op* teller) {
    const std::string to = quoted_path(intent.safety_file);
    const Answer backup = scene.worker.run_job(
        "BACKUP DATABASE " + quoted_name(intent.database) + " TO DISK = " + to +
            " WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, STOP_ON_ERROR, NO_COMPRESSION, STATS = 5",
        teller, "saving");
    if (claim_of(backup) != JobClaim::success) {
        scene.worker.check();
        throw failure_of(backup, intent, intent.safety_file, Phase::backing_up);
    }
    const Answer proof =
        scene.worker.run_job(verify_statement(intent.safety_file), teller, "checking the copy");
    if (!proof.is_complete()) {
        scene.worker.check();
        throw failure_of(proof, intent, intent.safety_file);
    }
}

void overwrite(RestoreScene& scene, Intent& intent, const RestorePlan& plan, std::string_view file,
               const sdk::Op* teller, const std::function<void()>& recheck) {
    Answer last;
    if (!take_offline(scene, intent, last, recheck))
        throw failure_with_sessions(scene, last, intent, file);
    intent.was_taken_offline = true;
    const Answer answer =
        restore_noted(scene, intent, restore_statement(intent.database, file, plan), teller);
    const auto standing = scene.worker.ask(intent.database);
    if (claim_of(answer) != JobClaim::success || !standing || !standing->is_online())
        throw failure_with_sessions(scene, answer, intent, file);
    scene.move_to(intent, RestoreStep::overwritten);
    try {
        check_database(scene, intent, intent.database, teller);
        intent.is_checked = true;
    } catch (const sdk::Error& error) {
        intent.is_given_up = error.status() == STSYNC_UNSUPPORTED;
        scene.journal.put(intent);
        throw;
    }
}

Content settle_in_place(RestoreScene& scene, Intent intent) {
    await_own_restore(scene, intent);
    auto standing = settled_standing(scene, intent);
    const bool is_over =
        intent.step == RestoreStep::replaced || intent.step == RestoreStep::put_back;
    const bool is_before =
        intent.step == RestoreStep::saving || intent.step == RestoreStep::preparing;
    // At first only a person takes it offline.
    if (standing && standing->state == "OFFLINE" && !is_over && !is_before) {
        if (!intent.was_taken_offline) {
            intent.was_taken_offline = true;
            scene.journal.put(intent);
        }
        scene.worker.run("ALTER DATABASE " + quoted_name(intent.database) + " SET ONLINE");
        standing = settled_standing(scene, intent);
    }
    const bool is_online = standing && standing->is_online();
    if (is_before) {
        if (standing && standing->state == "OFFLINE")
            throw NeedsPerson(in_quotes(intent.database) +
                              " was taken offline by somebody while it was to be replaced. Bring "
                              "it online with ALTER DATABASE … SET ONLINE; its users are let in "
                              "then by itself.");
        if (!is_online)
            throw NeedsPerson(in_quotes(intent.database) +
                              " is not online any more, though nothing has been "
                              "done to it but keep its users out. Look into the "
                              "error log of SQL Server; the rest is done by "
                              "itself.");
        return leave_old(scene, intent, standing->access != intent.access);
    }
    if (is_over && !is_online)
        return leave_to_people(scene, intent, standing);
    if (intent.step == RestoreStep::put_back)
        return leave_old(scene, intent, standing->access != intent.access);
    const bool is_complete = is_over || intent.step == RestoreStep::overwritten;
    const Held held = is_online && !is_complete ? held_by(scene, intent) : Held::unknown;
    const bool is_fresh = is_online && (is_complete || held == Held::fresh);
    if (is_fresh && (intent.step == RestoreStep::replaced || passes_check(scene, intent)))
        return finish(scene, intent, *standing);
    if (held == Held::old) {
        // Its counters began anew; without that, the next look must see what was written.
        if (intent.was_taken_offline)
            note_content(scene, intent, Content::old, "");
        return leave_old(scene, intent, standing->access != intent.access);
    }
    const std::string copy = restore_copy(scene, intent);
    fix_up(scene, intent, intent.database);
    note_content(scene, intent, Content::old, copy);
    return leave_old(scene, intent, true);
}

} // namespace stationsync::sqlserver
