// Brings a package into a database, and finishes or undoes at the next start what was broken off.
#pragma once

#include "baseline_store.hpp"
#include "exchange_folder.hpp"
#include "failed_applies.hpp"
#include "kept_open.hpp"
#include "key_locks.hpp"
#include "restore_journal.hpp"
#include "settler.hpp"
#include "sql_session.hpp"

namespace stationsync::sqlserver {

struct ApplyRequest {
    std::string key;               // of the object
    std::string database;          // its name on this server
    std::filesystem::path package; // as this computer sees it
    stsync_apply_id id{};
    sdk::Mark expected; // absent: there must be no such database
    stsync_time changed_at = STSYNC_TIME_NONE;
};

struct Applied {
    sdk::Mark mark;                            // what the next scan reports
    stsync_time changed_at = STSYNC_TIME_NONE; // as well
};

// One per instance. All references must outlive it. Never two calls at a time for one key; recover
// alone.
class Restorer {
public:
    Restorer(sdk::Host host, SqlServer& server, const ProviderSettings& settings,
             BaselineStore& baselines, const ExchangeFolder& folder)
        : host_(host),
          server_(server),
          settings_(settings),
          baselines_(baselines),
          folder_(folder),
          journal_(host) {}

    // All or nothing, as stsync.provider/1 says of apply: CONFLICT when the live data has not the
    // expected mark, unless it already has the content of the package; BUSY, DENIED, NO_SPACE,
    // CORRUPT, INCOMPATIBLE, UNSUPPORTED leave the database online, multi-user and with its old
    // content. Stores the new baseline. `op` commits before users are put out.
    Applied apply(const ApplyRequest& request, const sdk::Op& op);

    // Shared with exports and scans.
    UndecidedDatabases& undecided() noexcept { return undecided_; }

    // Before any look. Throws sdk::Error when something was under way that cannot be finished or
    // undone now; what a person must put right first is logged, and stays open.
    void recover(const sdk::Op& op);

    struct Unsettled {
        std::string key;
        sdk::Error error;
    };
    // Before a look: finishes or undoes what was broken off, beside the caller where that takes
    // more than some seconds. What is still under way or open, with why: a look tells nothing of
    // it. Throws sdk::Cancelled. Any thread, beside an apply too.
    std::vector<Unsettled> settle_broken_off(const sdk::Op& op);
    // Of a database that is RESTORING and has no record: what to do where our copy of it is there.
    std::optional<std::string> lost_restore_of(SqlSession& session, const ServerFacts& facts,
                                               const std::string& database, const sdk::Op& op);
    // Keys that settle_broken_off is needed for. Any thread.
    std::vector<std::string> broken_off();
    bool is_open(const std::string& key);
    // Also what cannot be read.
    bool has_open();

private:
    struct Pause {
        std::chrono::seconds length{0};
        std::chrono::steady_clock::time_point until;
        std::optional<sdk::Error> failure;
    };
    // `between` ends it between its statements, `op`, if there is one, at any of them.
    void settle_open(const Intent& intent, const sdk::Op& between, const sdk::Op* op);
    std::optional<sdk::Error> try_to_settle(const Intent& intent, const sdk::Op& between,
                                            const sdk::Op* op);
    void settle_key(const std::string& key, const sdk::Op& op);
    void settle_leftover_of(const Intent& leftover, const sdk::Op& between);
    void settle_leftovers_of(const sdk::Op& op, const std::string& key = {}); // empty: all
    Pause pause_of(const std::string& name);
    void note_attempt(const std::string& name, std::optional<sdk::Error> failure);

    sdk::Host host_;
    SqlServer& server_;
    const ProviderSettings& settings_;
    BaselineStore& baselines_;
    const ExchangeFolder& folder_;
    RestoreJournal journal_;
    KeyLocks locks_;
    std::mutex mutex_;
    std::map<std::string, Pause> pauses_;
    UndecidedDatabases undecided_;
    FailedApplies failed_;
    // The last one: its thread uses all the others.
    Settler settler_{[this](const std::string& key, const sdk::Op& op) { settle_key(key, op); }};
};

} // namespace stationsync::sqlserver
