// Whether a BACKUP or RESTORE succeeded. Return codes do not say: a statement that was left early
// ends without an error, and one that was cancelled too late ends with one although it went
// through. The server's message 3014 and the state asked for afterwards do.
#pragma once

#include "sql_session.hpp"

namespace stationsync::sqlserver {

enum class JobClaim : std::uint8_t {
    success, // 3014: "… successfully processed … pages", and nothing against it
    failure, // the server says why
    unclear, // neither: broken off, connection lost, or ended without a word
};

// An error that only says that somebody asked the statement to end does not stand against 3014.
JobClaim claim_of(const Answer& answer);

// A database as sys.databases has it at this moment.
struct DatabaseState {
    std::string state;  // ONLINE, RESTORING, RECOVERING, RECOVERY_PENDING, SUSPECT, OFFLINE …
    std::string access; // MULTI_USER, RESTRICTED_USER, SINGLE_USER
    bool is_standby = false;

    bool is_online() const noexcept { return state == "ONLINE" && !is_standby; }
};

std::string database_state_statement(std::string_view database);

// Nothing when there is no such database. Throws sdk::Error, or sdk::Cancelled through `op`, when
// the question could not be asked.
std::optional<DatabaseState> ask_database_state(SqlSession& session, std::string_view database,
                                                const sdk::Op* op);

// Of a restore: the claim and the state must both say so. What is unclear is not done, whatever the
// state looks like: the caller undoes it or restores again.
bool is_restored(JobClaim claim, const std::optional<DatabaseState>& state) noexcept;

// Throws what the answer amounts to unless it is complete: sdk::Cancelled when `op` asks for the
// end, else sdk::Error with the sentence of the error table.
void require_complete(const Answer& answer, const sdk::Op* op);

// A job has made no progress for too long. Fed with whatever grows: percent, bytes.
class StallWatch {
public:
    explicit StallWatch(std::chrono::steady_clock::duration limit) noexcept : limit_(limit) {}

    // True: `limit` has passed without any change.
    bool is_stalled(double progress, std::chrono::steady_clock::time_point now) noexcept {
        if (!since_ || progress != progress_) {
            since_ = now;
            progress_ = progress;
        }
        return now - *since_ >= limit_;
    }

private:
    std::chrono::steady_clock::duration limit_;
    std::optional<std::chrono::steady_clock::time_point> since_;
    double progress_ = 0;
};

} // namespace stationsync::sqlserver
