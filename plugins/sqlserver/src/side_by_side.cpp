#include "side_by_side.hpp"

#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

namespace stationsync::sqlserver {

namespace {

std::string rename_statement(const std::string& from, const std::string& to) {
    return "ALTER DATABASE " + quoted_name(from) + " MODIFY NAME = " + quoted_name(to);
}

// The rename needs the database for itself. Both in one batch, so that nobody comes in between; as
// a block, for after an error of its first statement a batch would be broken off (see README).
std::string sole_rename_statement(const std::string& from, const std::string& to) {
    return "BEGIN TRY ALTER DATABASE " + quoted_name(from) +
           " SET SINGLE_USER WITH ROLLBACK IMMEDIATE; " + rename_statement(from, to) +
           "; END TRY BEGIN CATCH THROW; END CATCH";
}

// `from` gets the name `to`, however often others get in between. What the server did counts, not
// what it answered.
void rename(RestoreScene& scene, const Intent& intent, const std::string& from,
            const std::string& to) {
    for (int attempt = 0;; ++attempt) {
        const Answer answer = scene.worker.run(sole_rename_statement(from, to));
        if (answer.is_complete())
            return;
        const auto present = scene.worker.ask({from, to});
        if (!present.contains(lowered(from)) && present.contains(lowered(to)))
            return;
        const auto visitors = ask_visitors(scene.worker.session(), from);
        if (attempt + 1 == attempts_max)
            throw error_of(answer,
                           {{"database", intent.database},
                            {"sessions", visitors.empty() ? "" : ": " + to_text(visitors)}});
        scene.worker.end_visitors(from);
        RestoreWorker::pause(attempt);
    }
}

void enable_broker(RestoreScene& scene, const Intent& intent) {
    if (!scene.settings.preserves_broker || !intent.had_broker)
        return;
    if (intent.was_there)
        scene.worker.run("ALTER DATABASE " + quoted_name(intent.outgoing) +
                         " SET DISABLE_BROKER WITH ROLLBACK IMMEDIATE");
    const Answer answer = scene.worker.run("ALTER DATABASE " + quoted_name(intent.database) +
                                           " SET ENABLE_BROKER WITH ROLLBACK IMMEDIATE");
    if (!answer.is_complete())
        scene.warn(intent, "Service Broker of " + in_quotes(intent.database) +
                               " could not be turned on again: " +
                               error_of(answer, {{"database", intent.database}}).what());
}

// What was there goes, or stays under a name for people. True: nothing is left to be done.
bool put_away_outgoing(RestoreScene& scene, const Intent& intent) {
    if (!scene.worker.ask(intent.outgoing))
        return true;
    if (intent.kept_name.empty() && !scene.settings.keeps_previous)
        return drop_database(scene, intent, intent.outgoing);
    if (!intent.kept_name.empty()) {
        rename(scene, intent, intent.outgoing, intent.kept_name);
        scene.warn(intent, "The database that was called " + in_quotes(intent.database) +
                               " here until now was another one than that of the other stations. "
                               "It is kept, offline, as " +
                               in_quotes(intent.kept_name) + ": drop it when it is not needed.");
    }
    const std::string& name = intent.kept_name.empty() ? intent.outgoing : intent.kept_name;
    scene.worker.must("ALTER DATABASE " + quoted_name(name) +
                      " SET OFFLINE WITH ROLLBACK IMMEDIATE");
    return true;
}

// The new database has the name, and `access` lets in whom it names.
Content finish(RestoreScene& scene, Intent& intent, const std::string& access) {
    if (intent.step != RestoreStep::exchanged) {
        enable_broker(scene, intent);
        note_content(scene, intent, Content::fresh, intent.backup_set);
        scene.move_to(intent, RestoreStep::exchanged);
    }
    if (access != intent.access)
        open_to_users(scene, intent.database, intent.access);
    // The old one goes only after the new one has been seen to be there for its users.
    const auto proof = scene.worker.ask(intent.database);
    if (!proof || !proof->is_online() || proof->access != intent.access)
        throw sdk::Error(STSYNC_BUSY, in_quotes(intent.database) +
                                          " is not online after it was replaced; what was there "
                                          "before is kept as " +
                                          in_quotes(intent.outgoing) +
                                          ". Look into the error log of SQL Server; it is tried "
                                          "again by itself.");
    if (put_away_outgoing(scene, intent))
        scene.journal.remove(intent.key);
    return Content::fresh;
}

Content undo(RestoreScene& scene, const Intent& intent, bool has_lost_its_name,
             const Standing* standing) {
    if (has_lost_its_name) {
        rename(scene, intent, intent.outgoing, intent.database);
        note_content(scene, intent, Content::old, "");
        open_to_users(scene, intent.database, intent.access);
    } else if (standing != nullptr && intent.was_there && standing->access != intent.access) {
        open_to_users(scene, intent.database, intent.access);
    }
    if (drop_database(scene, intent, intent.incoming))
        scene.journal.remove(intent.key);
    return Content::old;
}

} // namespace

void prepare_incoming(RestoreScene& scene, const Intent& intent, const RestorePlan& plan,
                      std::string_view file, const sdk::Op* teller) {
    const Answer answer =
        scene.worker.run_job(restore_statement(intent.incoming, file, plan), teller, "restoring");
    const JobClaim claim = claim_of(answer);
    if (claim == JobClaim::failure) {
        const sdk::Error failure = failure_of(answer, intent, file);
        if (problem_of(answer.messages, answer.ending, Phase::running, {}).rule == "file-claimed")
            throw FileClaimed(failure.status(), failure.what());
        throw failure;
    }
    const auto standing = scene.worker.ask(intent.incoming);
    if (claim != JobClaim::success || !standing || !standing->is_online() ||
        standing->primary != plan.primary) {
        scene.worker.check();
        throw failure_of(answer, intent, file);
    }
    scene.worker.check();
    fix_up(scene, intent, intent.incoming);
    check_database(scene, intent, intent.incoming, teller);
}

void exchange_names(RestoreScene& scene, const Intent& intent) {
    if (intent.was_there)
        rename(scene, intent, intent.database, intent.outgoing);
    // Nobody is in it and nobody knows its name: at first without putting anybody out.
    const Answer answer = scene.worker.run(rename_statement(intent.incoming, intent.database));
    if (answer.is_complete())
        return;
    const auto present = scene.worker.ask({intent.incoming, intent.database});
    if (present.contains(lowered(intent.incoming)))
        rename(scene, intent, intent.incoming, intent.database);
}

Content finish_side_by_side(RestoreScene& scene, Intent intent) {
    return finish(scene, intent, "RESTRICTED_USER");
}

Content settle_side_by_side(RestoreScene& scene, Intent intent) {
    const auto present = scene.worker.ask({intent.database, intent.incoming, intent.outgoing});
    const auto find = [&](const std::string& name) {
        const auto at = present.find(lowered(name));
        return at == present.end() ? nullptr : &at->second;
    };
    const Standing* const live = find(intent.database);
    if (live != nullptr && live->primary == intent.primary)
        return finish(scene, intent, live->access);
    const bool has_outgoing = find(intent.outgoing) != nullptr;
    if (live != nullptr && has_outgoing && intent.step != RestoreStep::preparing)
        throw sdk::Error(STSYNC_DENIED,
                         "Another database took the name " + in_quotes(intent.database) +
                             " while it was being replaced; what was there is kept as " +
                             in_quotes(intent.outgoing) +
                             ". Rename or drop the other one; the rest is done by itself.");
    return undo(scene, intent, live == nullptr && has_outgoing && intent.was_there, live);
}

void settle_leftovers(RestoreScene& scene, const std::string& key, const std::string& database,
                      const WorkNames& names) {
    Intent intent;
    intent.key = key;
    intent.database = database;
    intent.incoming = names.incoming;
    intent.outgoing = names.outgoing;
    intent.access = "MULTI_USER";
    const auto present = scene.worker.ask({database, names.incoming, names.outgoing});
    const bool has_live = present.contains(lowered(database));
    const bool has_outgoing = present.contains(lowered(names.outgoing));
    if (!has_live && has_outgoing) {
        intent.was_there = true;
        if (present.at(lowered(names.outgoing)).state == "OFFLINE")
            scene.worker.must("ALTER DATABASE " + quoted_name(names.outgoing) + " SET ONLINE");
        undo(scene, intent, true, nullptr);
        return;
    }
    drop_database(scene, intent, names.incoming);
    if (has_live && has_outgoing)
        drop_database(scene, intent, names.outgoing);
}

} // namespace stationsync::sqlserver
