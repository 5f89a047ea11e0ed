// Runs the statements of a restore, over connections that may break, and asks the server what has
// become of them.
#pragma once

#include "errors.hpp"
#include "sql_session.hpp"
#include "target_facts.hpp"

#include <chrono>
#include <map>

namespace stationsync::sqlserver {

// A database as sys.databases has it at this moment.
struct Standing {
    std::string state;
    std::string access;
    std::string primary; // path of its first data file
    bool is_standby = false;

    bool is_online() const noexcept { return state == "ONLINE" && !is_standby; }
};

class RestoreWorker {
public:
    // `op` may be null: then nothing ends the work early. `between` neither ends a statement, but
    // the pauses between them; what was begun is then settled by the next who comes.
    RestoreWorker(SqlServer& server, const sdk::Op* op, std::chrono::minutes stall_limit,
                  const sdk::Op* between = nullptr)
        : server_(server), op_(op), between_(between), stall_limit_(stall_limit) {}

    // From here on the call goes through to its end, whatever the host asks for.
    void see_it_through() noexcept { op_ = nullptr; }
    // As long as that was not said.
    void check() const {
        if (op_ != nullptr)
            op_->check();
    }
    const sdk::Op* op() const noexcept { return op_; }

    // A usable session in master, opened anew after a loss. Throws sdk::Error, sdk::Cancelled.
    SqlSession& session();

    // Any ending is in the answer; a session that cannot be opened throws.
    Answer run(const std::string& statement);
    // Throws what the answer amounts to unless it is complete.
    Answer must(const std::string& statement, const Values& values = {});

    // RESTORE, BACKUP, VERIFYONLY or CHECKDB: as long as it takes, with its progress told to
    // `teller`, if there is one, watched from another session and broken off when nothing moves any
    // more. Throws sdk::Error(BUSY) then.
    Answer run_job(const std::string& statement, const sdk::Op* teller, const std::string& text);

    // By name in lower case; what is not there is missing. Throws sdk::Error, sdk::Cancelled.
    std::map<std::string, Standing> ask(const std::vector<std::string>& databases);
    std::optional<Standing> ask(const std::string& database);
    // Those whose names begin with one of these, the newest first.
    std::vector<std::pair<std::string, Standing>>
    ask_beginning(const std::vector<std::string>& beginnings);

    // Ends the sessions of users in a database, as far as that is allowed.
    void end_visitors(const std::string& database);

    // Waits before a further attempt: 50 ms, twice as long each time. Throws sdk::Cancelled.
    void pause(int attempt) const;

private:
    SqlServer& server_;
    const sdk::Op* op_;
    const sdk::Op* between_;
    std::chrono::minutes stall_limit_;
    std::unique_ptr<SqlSession> session_;
};

// The sentence of the error table for an answer that is not complete.
sdk::Error error_of(const Answer& answer, const Values& values, Phase phase = Phase::running);

} // namespace stationsync::sqlserver
