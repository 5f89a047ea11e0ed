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
        scene.worker.pause(attempt);
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

void take_aside(RestoreScene& scene, const std::string& name) {
    const auto standing = scene.worker.ask(name);
    if (standing && standing->state != "OFFLINE")
        scene.worker.must("ALTER DATABASE " + quoted_name(name) +
                          " SET OFFLINE WITH ROLLBACK IMMEDIATE");
}

// What was there goes, or stays under a name for people. True: nothing is left to be done.
bool put_away_outgoing(RestoreScene& scene, const Intent& intent) {
    const bool is_there = scene.worker.ask(intent.outgoing).has_value();
    if (intent.kept_name.empty()) {
        if (is_there && !scene.settings.keeps_previous)
            return drop_database(scene, intent, intent.outgoing);
        take_aside(scene, intent.outgoing);
        return true;
    }
    if (is_there) {
        rename(scene, intent, intent.outgoing, intent.kept_name);
        scene.warn(intent, "The database that was called " + in_quotes(intent.database) +
                               " here until now was another one than that of the other stations. "
                               "It is kept, offline, as " +
                               in_quotes(intent.kept_name) + ": drop it when it is not needed.");
    }
    take_aside(scene, intent.kept_name);
    return true;
}

// In the database that was there, as long as it has that name.
bool was_written(RestoreScene& scene, const Intent& intent, const std::string& database,
                 std::optional<WriteTraces> traces) {
    const auto before = decode(intent.before);
    if (!before)
        return false;
    for (int attempt = 0; !traces; ++attempt) {
        const auto standing = scene.worker.ask(database);
        if (!standing || !standing->is_online())
            return false;
        const Answer answer = scene.worker.run(traces_statement(database, scene.server));
        traces = traces_in(answer);
        if (traces)
            break;
        if (attempt + 1 == attempts_max)
            throw error_of(answer, {{"database", database}});
        scene.worker.end_visitors(database); // whoever has the only place
        scene.worker.pause(attempt);
    }
    return were_written(before->evidence, *traces);
}

// The old database has lost its name and gets it back.
void give_back(RestoreScene& scene, const Intent& intent) {
    const bool is_as_it_was = !was_written(scene, intent, intent.outgoing, std::nullopt);
    rename(scene, intent, intent.outgoing, intent.database);
    // What was written to it is to be found by the next look.
    if (is_as_it_was)
        note_content(scene, intent, Content::old, "");
    open_to_users(scene, intent.database, intent.access);
}

Content undo(RestoreScene& scene, const Intent& intent, bool has_lost_its_name,
             const Standing* standing) {
    if (has_lost_its_name)
        give_back(scene, intent);
    else if (standing != nullptr && intent.was_there && intent.step == RestoreStep::exchanging &&
             standing->access != intent.access)
        open_to_users(scene, intent.database, intent.access);
    if (drop_database(scene, intent, intent.incoming))
        scene.journal.remove(intent.key);
    return Content::old;
}

// The new database has the name, but is not wanted.
Content take_back(RestoreScene& scene, Intent& intent) {
    if (!intent.is_given_up) {
        intent.is_given_up = true;
        scene.journal.put(intent);
    }
    rename(scene, intent, intent.database, intent.incoming);
    return undo(scene, intent, true, nullptr);
}

void require_open(RestoreScene& scene, const Intent& intent) {
    const auto proof = scene.worker.ask(intent.database);
    const bool is_online = proof && proof->is_online();
    if (is_online && proof->access == intent.access)
        return;
    throw sdk::Error(STSYNC_BUSY,
                     in_quotes(intent.database) +
                         (is_online ? " is not open to its users" : " is not online") +
                         " after it was replaced; what was there before is kept as " +
                         in_quotes(intent.outgoing) +
                         ". Look into the error log of SQL Server; it is tried again by itself.");
}

// The new database has the name, and `access` lets in whom it names.
Content finish(RestoreScene& scene, Intent& intent, const std::string& access,
               const std::optional<WriteTraces>& traces) {
    if (intent.step == RestoreStep::exchanging) {
        if (intent.is_given_up ||
            (intent.was_there && was_written(scene, intent, intent.outgoing, traces)))
            return take_back(scene, intent);
        enable_broker(scene, intent);
        note_content(scene, intent, Content::fresh, intent.backup_set);
        scene.move_to(intent, RestoreStep::exchanged);
    }
    if (intent.step == RestoreStep::exchanged) {
        if (access != intent.access)
            open_to_users(scene, intent.database, intent.access);
        // The old one goes only after the new one has been seen to be there for its users. From
        // here on the access is theirs to change.
        require_open(scene, intent);
        scene.move_to(intent, RestoreStep::opened);
    }
    if (put_away_outgoing(scene, intent))
        scene.journal.remove(intent.key);
    return Content::fresh;
}

// The exchange was finished, and somebody has taken or replaced the new database since. That is not
// undone; what was there before is not the new content, but may be the last one there is.
Content leave_to_people(RestoreScene& scene, const Intent& intent) {
    if (scene.worker.ask(intent.outgoing)) {
        take_aside(scene, intent.outgoing);
        scene.warn(intent, in_quotes(intent.database) +
                               " was dropped, renamed or replaced by somebody after its "
                               "exchange. What was there before that is kept, offline, as " +
                               in_quotes(intent.outgoing) + ".");
    }
    scene.journal.remove(intent.key);
    return Content::fresh;
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

std::optional<WriteTraces> exchange_names(RestoreScene& scene, const Intent& intent) {
    if (intent.was_there)
        rename(scene, intent, intent.database, intent.outgoing);
    // Nobody is in it and nobody knows its name: at first without putting anybody out.
    std::string batch = rename_statement(intent.incoming, intent.database);
    if (intent.was_there)
        batch += "; " + traces_statement(intent.outgoing, scene.server);
    const Answer answer = scene.worker.run(batch);
    if (answer.is_complete())
        return traces_in(answer);
    const auto present = scene.worker.ask({intent.incoming, intent.database});
    if (present.contains(lowered(intent.incoming)))
        rename(scene, intent, intent.incoming, intent.database);
    return std::nullopt;
}

Content finish_side_by_side(RestoreScene& scene, Intent intent,
                            const std::optional<WriteTraces>& traces) {
    return finish(scene, intent, "RESTRICTED_USER", traces);
}

Content settle_side_by_side(RestoreScene& scene, Intent intent) {
    const auto present = scene.worker.ask({intent.database, intent.incoming, intent.outgoing});
    const auto find = [&](const std::string& name) {
        const auto at = present.find(lowered(name));
        return at == present.end() ? nullptr : &at->second;
    };
    const Standing* const live = find(intent.database);
    const bool is_fresh = live != nullptr && live->primary == intent.primary;
    const bool is_over =
        intent.step == RestoreStep::exchanged || intent.step == RestoreStep::opened;
    if (is_over && !is_fresh)
        return leave_to_people(scene, intent);
    if (is_fresh)
        return finish(scene, intent, live->access, std::nullopt);
    const bool is_exchanging = intent.step == RestoreStep::exchanging;
    const bool has_outgoing = find(intent.outgoing) != nullptr;
    if (live != nullptr && has_outgoing && is_exchanging)
        throw NeedsPerson("Another database took the name " + in_quotes(intent.database) +
                          " while it was being replaced; what was there is kept as " +
                          in_quotes(intent.outgoing) +
                          ". Rename or drop the other one; the rest is done by itself.");
    return undo(scene, intent, live == nullptr && has_outgoing && intent.was_there && is_exchanging,
                live);
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
    // Offline it was put away on purpose, after an exchange that was finished.
    if (!has_live && has_outgoing && present.at(lowered(names.outgoing)).state != "OFFLINE") {
        intent.was_there = true;
        intent.step = RestoreStep::exchanging;
        undo(scene, intent, true, nullptr);
        return;
    }
    drop_database(scene, intent, names.incoming);
    if (has_live && has_outgoing && !drop_database(scene, intent, names.outgoing))
        throw sdk::Error(STSYNC_BUSY, in_quotes(names.outgoing) + " is in the way of replacing " +
                                          in_quotes(database) +
                                          " and could not be dropped; the log says why. It is "
                                          "tried again by itself.");
}

} // namespace stationsync::sqlserver
