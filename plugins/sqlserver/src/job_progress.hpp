// How far a BACKUP or RESTORE is, asked on a session of its own while the worker waits.
#pragma once

#include "job_outcome.hpp"

namespace stationsync::sqlserver {

class JobProgress {
public:
    // `what` is shown with the progress, "backing up". `op` may be null: then nobody is told. All
    // references must outlive it.
    JobProgress(SqlServer& server, std::int64_t worker, const sdk::Op* op, std::string what,
                std::chrono::steady_clock::duration stall_limit)
        : server_(server), worker_(worker), op_(op), what_(std::move(what)), watch_(stall_limit) {}

    // For RunOptions::on_tick. False: no progress for too long, the job shall end. Without a
    // session, or the right to look, it tells nothing and ends nothing. At 0 % files are created
    // and filled with zeros, at 100 % the database is recovered: SQL Server counts nothing then,
    // however long it takes, so that neither is ever ended.
    bool tick();

    // What on_tick has ended, as a sentence; empty = nothing.
    std::string stalled() const;

private:
    std::string text_at(double percent) const;

    SqlServer& server_;
    std::int64_t worker_;
    const sdk::Op* op_;
    std::string what_;
    StallWatch watch_;
    std::unique_ptr<SqlSession> session_;
    bool has_session_failed_ = false;
    bool is_stalled_ = false;
    std::uint64_t percent_ = 0;
    std::string trace_;
    int moves_ = 0;
};

} // namespace stationsync::sqlserver
