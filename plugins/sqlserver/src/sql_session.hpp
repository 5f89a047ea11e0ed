// The line between what decides and what talks to SQL Server: decisions see a SqlSession only, so
// that they can be tried with a scripted one on machines without ODBC.
#pragma once

#include "sql_answer.hpp"

#include <stationsync/op.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace stationsync::sqlserver {

struct RunOptions {
    // Until the statement is asked to end; 0 = none, for what takes as long as the data is large.
    std::chrono::milliseconds limit{30000};
    std::size_t rows_max = 10000;          // of each result
    std::size_t value_bytes_max = 1 << 20; // the rest of a longer value is left out
    // The running call: once the host asks it to end, so is the statement. May be null.
    const sdk::Op* op = nullptr;
    // Called on the caller's thread every `tick` while the statement runs, to watch its progress on
    // another session; false asks the statement to end.
    std::function<bool()> on_tick;
    std::chrono::milliseconds tick{2000};
};

// One session of SQL Server, in autocommit, with at most one statement at a time.
class SqlSession {
public:
    SqlSession() = default;
    SqlSession(const SqlSession&) = delete;
    SqlSession& operator=(const SqlSession&) = delete;
    virtual ~SqlSession() = default;

    // Runs a batch to its very end: leaving it earlier would break it off. What the server refuses
    // is in the answer. Throws only what on_tick throws, after the statement was asked to end.
    virtual Answer run(std::string_view sql, const RunOptions& options) = 0;

    // Any thread: asks the running batch to end, if there is one.
    virtual void cancel() noexcept = 0;

    // False once the connection is lost: then only another session can tell anything.
    virtual bool is_usable() const noexcept = 0;

    // @@SPID, by which another session sees what this one does.
    virtual std::int64_t id() const noexcept = 0;
};

// What a session is for; SQL Server shows it as the name of the program.
enum class SessionRole : std::uint8_t {
    worker,  // does the work
    monitor, // watches the worker
    look,    // looks for changes
};

struct Opened {
    std::unique_ptr<SqlSession> session; // null: `messages` say why
    std::vector<Diagnostic> messages;
    Ending ending = Ending::complete; // failed, cancelled or late without a session
};

class SqlServer {
public:
    SqlServer() = default;
    SqlServer(const SqlServer&) = delete;
    SqlServer& operator=(const SqlServer&) = delete;
    virtual ~SqlServer() = default;

    // Connects to `master`, for a session in a database keeps it from being restored. Throws
    // sdk::Error when the settings do not allow an attempt at all.
    virtual Opened open(SessionRole role, const sdk::Op* op) = 0;
};

} // namespace stationsync::sqlserver
