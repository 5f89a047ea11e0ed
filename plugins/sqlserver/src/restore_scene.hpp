// What the steps of a restore work with, and those that both ways of restoring share.
#pragma once

#include "baseline_store.hpp"
#include "provider_settings.hpp"
#include "restore_journal.hpp"
#include "restore_plan.hpp"
#include "restore_worker.hpp"

namespace stationsync::sqlserver {

struct RestoreScene {
    sdk::Host host;
    RestoreWorker& worker;
    RestoreJournal& journal;
    BaselineStore& baselines;
    const ServerFacts& server;
    const ProviderSettings& settings;
    // Of the rows of the package, once it has come up beside the live database.
    std::optional<std::string> content_sum{};

    void warn(const Intent& intent, const std::string& text) const noexcept {
        host.log(STSYNC_LOG_WARNING, "sqlserver.restore", intent.key, text);
    }
    void move_to(Intent& intent, RestoreStep step) {
        intent.step = step;
        journal.put(intent);
    }
};

// Which content the database has once everything is finished or undone.
enum class Content : std::uint8_t { old, fresh };

// What only a person can put right: to try again changes nothing.
class NeedsPerson : public sdk::Error {
public:
    explicit NeedsPerson(const std::string& text) : Error(STSYNC_DENIED, text) {}
};

constexpr int attempts_max = 6;

// Puts all users out but administrators; 5 statements at most. Throws sdk::Error: BUSY.
void close_to_users(RestoreScene& scene, const std::string& database);

// Lets users in again, or whom `access` names. Throws sdk::Error when that does not work.
void open_to_users(RestoreScene& scene, const std::string& database, const std::string& access);

// Whether the RESTORE of the intent still runs in a session that this one has lost. Waits for it a
// little.
bool is_restoring_still(RestoreScene& scene, const Intent& intent);

// Drops a database of ours with its files; nothing happens when there is none. False: it is still
// there, and a warning says why where that is the first time.
enum class Told : std::uint8_t { not_yet, before };
bool drop_database(RestoreScene& scene, const Intent& intent, const std::string& database,
                   Told told = Told::not_yet);

// The path as the server stores it may be written in another way; the name of a file of ours has a
// generation in it and is in use nowhere else.
bool is_same_file(std::string_view path, std::string_view other);

// Makes what is in the database the state of the package (`fresh`) or what the intent says that it
// was (`old`), for change detection, while users are out. Where the intent does not say, the
// content counts as never seen. What cannot be noted is a warning, never a failure: the users wait.
void note_content(RestoreScene& scene, const Intent& intent, Content content,
                  const std::string& backup_set);

// Owner, orphaned users, options by the settings, in a database that users are out of. Each that
// does not work is one warning: the content is complete without.
void fix_up(RestoreScene& scene, const Intent& intent, const std::string& database);

// DBCC CHECKDB, where it is configured. Throws sdk::Error(UNSUPPORTED) when it finds damage.
void check_database(RestoreScene& scene, const Intent& intent, const std::string& database,
                    const sdk::Op* teller);

// An ending by another name than success, as what is told to the operator.
sdk::Error failure_of(const Answer& answer, const Intent& intent, std::string_view file,
                      Phase phase = Phase::running);
// The same with the sessions of others in `database`, where those are the reason.
sdk::Error failure_with_sessions(RestoreScene& scene, const Answer& answer, const Intent& intent,
                                 std::string_view file);

// What stands for {sessions} in a sentence: ": HMI on PANEL-3 (login plant)", empty without any.
std::string sessions_in(RestoreScene& scene, const std::string& database);

} // namespace stationsync::sqlserver
