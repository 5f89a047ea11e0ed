#include "side_by_side.hpp"

#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <algorithm>

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

// Open to all once somebody brings it online again: whoever does that shall find it as it was.
void take_aside(RestoreScene& scene, const std::string& name) {
    const auto standing = scene.worker.ask(name);
    if (!standing || standing->state == "OFFLINE")
        return;
    if (standing->access != "MULTI_USER")
        scene.worker.run("ALTER DATABASE " + quoted_name(name) +
                         " SET MULTI_USER WITH ROLLBACK IMMEDIATE");
    scene.worker.must("ALTER DATABASE " + quoted_name(name) +
                      " SET OFFLINE WITH ROLLBACK IMMEDIATE");
}

// What was there stays, offline, under the name for people.
void keep_outgoing(RestoreScene& scene, const Intent& intent) {
    if (const auto standing = scene.worker.ask(intent.outgoing)) {
        if (standing->state == "OFFLINE")
            scene.worker.run("ALTER DATABASE " + quoted_name(intent.outgoing) + " SET ONLINE");
        rename(scene, intent, intent.outgoing, intent.kept_name);
        scene.warn(intent,
                   (intent.is_kept_for_safety
                        ? "What " + in_quotes(intent.database) + " held before it was replaced is "
                        : "The database that was called " + in_quotes(intent.database) +
                              " here until now was another one than that of the other stations. "
                              "It is ") +
                       "kept, offline, as " + in_quotes(intent.kept_name) +
                       ": drop it when it is not needed.");
    }
    take_aside(scene, intent.kept_name);
}

bool is_leftover(const std::vector<Intent>& leftovers, const std::string& name) {
    return std::any_of(leftovers.begin(), leftovers.end(),
                       [&](const Intent& each) { return leftover_name(each) == name; });
}

Intent leftover_of(Intent intent, const std::string& name) {
    intent.incoming = name.starts_with(incoming_prefix) ? name : "";
    intent.outgoing = intent.incoming.empty() ? name : "";
    return intent;
}

// Drops it now, or whenever that is possible.
void drop_in_the_end(RestoreScene& scene, const Intent& intent, const std::string& name) {
    Intent leftover = leftover_of(intent, name);
    leftover.kept_name.clear();
    leftover.is_given_up = true;
    if (!drop_database(scene, leftover, name))
        scene.journal.put_leftover(leftover);
}

// What was there goes, or stays under a name for people. False: that is to be tried again.
bool put_away_outgoing(RestoreScene& scene, const Intent& intent, Told told) {
    if (!intent.kept_name.empty()) {
        keep_outgoing(scene, intent);
        return true;
    }
    if (!scene.settings.keeps_previous || intent.is_given_up)
        return drop_database(scene, intent, intent.outgoing, told);
    take_aside(scene, intent.outgoing);
    return true;
}

// The new database is there for its users: nothing that is left to be done keeps them, or whoever
// comes next, waiting.
void put_away(RestoreScene& scene, const Intent& intent) {
    scene.journal.move_leftovers(intent.key, intent.primary);
    bool is_away = true;
    try {
        const auto present = scene.worker.ask_beginning({work_stem_of(intent.outgoing)});
        const bool is_there = std::any_of(present.begin(), present.end(), [&](const auto& each) {
            return each.first == intent.outgoing;
        });
        if (is_there || !intent.kept_name.empty())
            is_away = put_away_outgoing(scene, intent, Told::not_yet);
        // The one that was kept makes room for its successor, not for a package that failed.
        const std::vector<Intent> leftovers = scene.journal.leftovers();
        for (const auto& [name, standing] : present)
            if (is_there && intent.kept_name.empty() && name != intent.outgoing &&
                standing.state == "OFFLINE" && !is_leftover(leftovers, name))
                drop_in_the_end(scene, intent, name);
    } catch (const sdk::Error& error) {
        scene.warn(intent, "What " + in_quotes(intent.database) + " held before it was replaced, " +
                               in_quotes(intent.outgoing) +
                               ", could not be put away yet: " + error.what());
        is_away = false;
    }
    if (is_away)
        scene.journal.remove(intent.key);
    else
        scene.journal.set_aside(leftover_of(intent, intent.outgoing));
}

enum class Written : std::uint8_t { no, yes, unknown };

// In the database that was there, as long as it has that name.
Written was_written(RestoreScene& scene, const Intent& intent, const std::string& database,
                    std::optional<WriteTraces> traces) {
    const auto before = decode(intent.before);
    if (!before)
        return Written::no;
    for (int attempt = 0; !traces; ++attempt) {
        const auto standing = scene.worker.ask(database);
        if (!standing || !standing->is_online())
            return Written::no;
        traces = traces_in(scene.worker.run(traces_statement(database, scene.server)));
        if (traces)
            break;
        // Its users wait: what cannot be told now is not waited for.
        if (attempt + 1 == attempts_max)
            return Written::unknown;
        scene.worker.end_visitors(database); // whoever has the only place
        scene.worker.pause(attempt);
    }
    return were_written(before->evidence, *traces) ? Written::yes : Written::no;
}

// The old database has lost its name and gets it back.
void give_back(RestoreScene& scene, const Intent& intent) {
    const Written written = was_written(scene, intent, intent.outgoing, std::nullopt);
    rename(scene, intent, intent.outgoing, intent.database);
    // What was written to it, or may have been, is to be found by the next look.
    if (written == Written::no)
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
    // A RESTORE that was broken off may go on for a while.
    if (!is_restoring_still(scene, intent) && drop_database(scene, intent, intent.incoming))
        scene.journal.remove(intent.key);
    else
        scene.journal.set_aside(leftover_of(intent, intent.incoming));
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

void keep_for_safety(RestoreScene& scene, Intent& intent, const std::string& why) {
    if (!intent.kept_name.empty())
        return;
    intent.kept_name =
        kept_name_of(intent.database, intent.outgoing.substr(intent.outgoing.rfind('_') + 1));
    intent.is_kept_for_safety = true;
    scene.warn(intent, why + " What was there before that is kept.");
}

// The new database has the name, and `access` lets in whom it names.
Content finish(RestoreScene& scene, Intent& intent, const std::string& access,
               const std::optional<WriteTraces>& traces) {
    if (intent.step == RestoreStep::exchanging) {
        const Written written = intent.was_there && !intent.is_given_up
                                    ? was_written(scene, intent, intent.outgoing, traces)
                                    : Written::no;
        if (intent.is_given_up || written == Written::yes)
            return take_back(scene, intent);
        if (written == Written::unknown)
            keep_for_safety(scene, intent,
                            "Whether an administrator wrote to " + in_quotes(intent.database) +
                                " while it was replaced could not be asked.");
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
    put_away(scene, intent);
    return Content::fresh;
}

// The exchange was finished, and somebody has taken or replaced the new database since. That is not
// undone; what was there before is not the new content, but may be the last one there is.
Content leave_to_people(RestoreScene& scene, Intent& intent) {
    if (!scene.worker.ask(intent.outgoing)) {
        scene.journal.remove(intent.key);
        return Content::fresh;
    }
    keep_for_safety(scene, intent,
                    in_quotes(intent.database) + " was dropped, renamed or replaced by somebody "
                                                 "after its exchange.");
    scene.journal.put(intent);
    put_away(scene, intent);
    return Content::fresh;
}

} // namespace

void prepare_incoming(RestoreScene& scene, const Intent& intent, const RestorePlan& plan,
                      std::string_view file, const sdk::Op* teller) {
    const Answer answer =
        scene.worker.run_job(restore_statement(intent.incoming, file, plan), teller, "restoring");
    const JobClaim claim = claim_of(answer);
    if (claim == JobClaim::failure) {
        if (problem_of(answer.messages, answer.ending, Phase::running, {}).rule == "file-claimed") {
            const sdk::Error failure = failure_of(answer, intent, file);
            throw FileClaimed(failure.status(), failure.what());
        }
        throw failure_of(answer, intent, file);
    }
    const auto standing = scene.worker.ask(intent.incoming);
    if (claim != JobClaim::success || !standing || !standing->is_online() ||
        !is_same_file(standing->primary, plan.primary)) {
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
    const bool is_fresh = live != nullptr && is_same_file(live->primary, intent.primary);
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

bool settle_leftover(RestoreScene& scene, Intent leftover, Told told) {
    if (!leftover.incoming.empty()) {
        if (is_restoring_still(scene, leftover) ||
            !drop_database(scene, leftover, leftover.incoming, told))
            return false;
    } else {
        const auto live = scene.worker.ask(leftover.database);
        const bool is_whole = live && is_same_file(live->primary, leftover.primary);
        if (!is_whole && leftover.kept_name.empty() && scene.worker.ask(leftover.outgoing)) {
            keep_for_safety(scene, leftover,
                            in_quotes(leftover.database) +
                                " was dropped, renamed or replaced by somebody.");
            scene.journal.put_leftover(leftover);
        }
        if (!put_away_outgoing(scene, leftover, told))
            return false;
    }
    scene.journal.forget(leftover);
    return true;
}

void settle_leftovers(RestoreScene& scene, const std::string& key, const std::string& database,
                      const WorkNames& stems) {
    auto present = scene.worker.ask_beginning({stems.incoming, stems.outgoing});
    const std::vector<Intent> leftovers = scene.journal.leftovers();
    // Offline it was put away on purpose, after an exchange that was finished.
    std::erase_if(present, [&](const auto& each) {
        return is_leftover(leftovers, each.first) ||
               (each.first.starts_with(replaced_prefix) && each.second.state == "OFFLINE");
    });
    if (present.empty())
        return;
    Intent intent;
    intent.key = key;
    intent.database = database;
    intent.access = "MULTI_USER";
    const auto live = scene.worker.ask(database);
    if (live)
        intent.primary = live->primary;
    bool has_live = live.has_value();
    for (const auto& [name, standing] : present) {
        if (!has_live && name.starts_with(replaced_prefix)) {
            intent.outgoing = name;
            intent.was_there = true;
            give_back(scene, intent);
            intent.primary = standing.primary;
            has_live = true;
        } else {
            drop_in_the_end(scene, intent, name);
        }
    }
}

} // namespace stationsync::sqlserver
