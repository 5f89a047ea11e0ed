#include "restore_scene.hpp"

#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstring>

namespace stationsync::sqlserver {

namespace {

constexpr int note_attempts = 3;

stsync_apply_id apply_id_of(const std::string& hex) {
    stsync_apply_id id{};
    const auto digit = [](char byte) {
        return static_cast<unsigned>(byte <= '9' ? byte - '0' : byte - 'a' + 10);
    };
    for (std::size_t i = 0; i < sizeof id.bytes && 2 * i + 1 < hex.size(); ++i)
        id.bytes[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
    return id;
}

void note_once(RestoreScene& scene, const Intent& intent, Content content,
               const std::string& backup_set) {
    // What is stored may be the new content already.
    const Baseline before = content == Content::fresh ? scene.baselines.get(intent.key)
                                                      : decode(intent.before).value_or(Baseline());
    if (content == Content::old && !before.is_known()) {
        scene.baselines.put(intent.key, Baseline());
        return;
    }
    RestoredContent restored;
    restored.backup_set = backup_set;
    if (content == Content::fresh) {
        restored.content = parse_content_id(intent.content).value_or(ContentId());
        restored.changed_at = intent.changed_at;
    } else {
        restored.content = before.content;
        restored.changed_at = before.changed_at;
    }
    const auto now = [&] { return scene.host.utc_now(); };
    Baseline baseline =
        take_baseline_after_restore(scene.worker.session(), scene.server, intent.database, restored,
                                    before, now, scene.worker.op());
    // A RESTORE keeps it, and to ask may open what AUTO_CLOSE has closed.
    std::string& family = baseline.evidence.fingerprint.family_guid;
    if (family.empty())
        family =
            content == Content::fresh ? intent.family : before.evidence.fingerprint.family_guid;
    if (content == Content::fresh) {
        baseline.content_sum = scene.content_sum;
        baseline.remember_applied(apply_id_of(intent.apply_id));
    } else {
        baseline.origin = before.origin;
        baseline.changed_not_before = before.changed_not_before;
        baseline.flags = before.flags;
        baseline.content_sum = before.content_sum;
    }
    scene.baselines.put(intent.key, baseline);
}

} // namespace

void close_to_users(RestoreScene& scene, const std::string& database) {
    const std::string statement =
        "ALTER DATABASE " + quoted_name(database) + " SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE";
    for (int attempt = 0;; ++attempt) {
        const Answer answer = scene.worker.run(statement);
        if (answer.is_complete())
            return;
        if (const auto standing = scene.worker.ask(database);
            standing && standing->access == "RESTRICTED_USER")
            return;
        if (attempt + 1 == attempts_max)
            throw error_of(answer,
                           {{"database", database}, {"sessions", sessions_in(scene, database)}});
        scene.worker.pause(attempt);
    }
}

void open_to_users(RestoreScene& scene, const std::string& database, const std::string& access) {
    const std::string wanted = access == "RESTRICTED_USER" ? access : "MULTI_USER";
    const std::string statement = "ALTER DATABASE " + quoted_name(database) + " SET " + wanted;
    for (int attempt = 0;; ++attempt) {
        const Answer answer = scene.worker.run(statement);
        if (answer.is_complete())
            return;
        if (const auto standing = scene.worker.ask(database);
            standing && standing->access == wanted)
            return;
        if (attempt + 1 == attempts_max)
            throw error_of(answer,
                           {{"database", database}, {"sessions", sessions_in(scene, database)}});
        // Whoever took the only place in the meantime keeps everybody else out.
        scene.worker.end_visitors(database);
        scene.worker.pause(attempt);
    }
}

bool is_restoring_still(RestoreScene& scene, const Intent& intent) {
    if (intent.session == 0)
        return false;
    const std::string question = "SELECT command FROM sys.dm_exec_requests WHERE session_id = " +
                                 std::to_string(intent.session) +
                                 " AND session_id <> @@SPID AND command LIKE N'RESTORE%'";
    for (int attempt = 0;; ++attempt) {
        if (scene.worker.must(question).rows().rows.empty())
            return false;
        if (attempt == attempts_max)
            return true;
        scene.worker.pause(attempt);
    }
}

bool is_same_file(std::string_view path, std::string_view other) {
    const auto name_of = [](std::string_view whole) {
        return lowered(whole.substr(whole.find_last_of("/\\") + 1));
    };
    return name_of(path) == name_of(other);
}

bool drop_database(RestoreScene& scene, const Intent& intent, const std::string& database,
                   Told told) {
    const std::string name = quoted_name(database);
    const int attempts = told == Told::before ? 2 : attempts_max;
    Answer last;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const auto standing = scene.worker.ask(database);
        if (!standing)
            return true;
        // The files of an offline database would stay on the disk.
        if (standing->state == "OFFLINE")
            scene.worker.run("ALTER DATABASE " + name + " SET ONLINE");
        last = scene.worker.run("DROP DATABASE " + name);
        if (last.is_complete())
            return true;
        if (standing->is_online()) {
            scene.worker.run("ALTER DATABASE " + name + " SET SINGLE_USER WITH ROLLBACK IMMEDIATE");
            scene.worker.end_visitors(database);
        }
        scene.worker.pause(attempt);
    }
    if (!scene.worker.ask(database))
        return true;
    if (told == Told::before)
        return false;
    scene.warn(intent, "The database " + in_quotes(database) +
                           ", which this service made while it replaced " +
                           in_quotes(intent.database) +
                           ", could not be dropped and takes space until it is: " +
                           error_of(last, {{"database", database}}).what());
    return false;
}

void note_content(RestoreScene& scene, const Intent& intent, Content content,
                  const std::string& backup_set) {
    for (int attempt = 0;; ++attempt) {
        try {
            note_once(scene, intent, content, backup_set);
            return;
        } catch (const sdk::Error& error) {
            if (attempt + 1 < note_attempts)
                continue;
            scene.warn(intent, "What " + in_quotes(intent.database) +
                                   " holds after the restore could not be noted, so the next look "
                                   "may take it for a change: " +
                                   error.what());
            return;
        }
    }
}

sdk::Error failure_of(const Answer& answer, const Intent& intent, std::string_view file,
                      Phase phase) {
    return error_of(answer, {{"database", intent.database}, {"file", std::string(file)}}, phase);
}

sdk::Error failure_with_sessions(RestoreScene& scene, const Answer& answer, const Intent& intent,
                                 std::string_view file) {
    const std::string rule = problem_of(answer.messages, answer.ending, Phase::running, {}).rule;
    return error_of(answer,
                    {{"database", intent.database},
                     {"file", std::string(file)},
                     {"sessions", rule == "lock-not-obtained" ? sessions_in(scene, intent.database)
                                                              : std::string()}});
}

std::string sessions_in(RestoreScene& scene, const std::string& database) {
    const auto visitors = ask_visitors(scene.worker.session(), database);
    return visitors.empty() ? "" : ": " + to_text(visitors);
}

} // namespace stationsync::sqlserver
