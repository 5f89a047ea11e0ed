// Databases with AUTO_CLOSE that are kept open while their evidence counts.
#pragma once

#include "sql_session.hpp"

#include <map>
#include <mutex>

namespace stationsync::sqlserver {

// Keeps AUTO_CLOSE from closing a database whose users are put out, which would lose the evidence
// of what they did last. Best effort: without, the database counts as changed, and all begins anew.
class KeptOpen {
public:
    KeptOpen(SqlServer& server, const std::string& database, const sdk::Op* op);
    // Asked of the server: an administrator may have ended the session.
    bool is_holding() const;
    std::int64_t session_id() const { return session_ ? session_->id() : 0; }

private:
    std::unique_ptr<SqlSession> session_;
};

// Those that a call woke although nothing but their counters knows them: whoever calls again, with
// the state that the call has found, finds the counters as they were left. The baseline that is
// stored was looked at while the database was kept open. Thread-safe.
class UndecidedDatabases {
public:
    void keep(const std::string& key, KeptOpen kept);
    // What was kept for this key, if it still is.
    std::optional<KeptOpen> take(const std::string& key);
    bool is_holding(const std::string& key);
    // Ends what nobody came back for: open, a database cannot be detached by its owner.
    void release_old();

private:
    struct Entry {
        KeptOpen kept;
        std::chrono::steady_clock::time_point until;
    };
    std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

} // namespace stationsync::sqlserver
