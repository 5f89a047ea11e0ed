#include "job_outcome.hpp"

#include "errors.hpp"
#include "quoting.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr std::int32_t processed_pages = 3014;

// 3204: broken off; 3013: trailer of that.
bool is_against(const Diagnostic& said) {
    const bool is_of_ending = said.state == "HY008" || said.state == "S1008" ||
                              said.state == "HYT00" || said.number == 3204 || said.number == 3013;
    return said.is_error() && !is_of_ending;
}

} // namespace

JobClaim claim_of(const Answer& answer) {
    if (std::any_of(answer.messages.begin(), answer.messages.end(), is_against))
        return answer.ending == Ending::lost ? JobClaim::unclear : JobClaim::failure;
    if (answer.has(processed_pages))
        return JobClaim::success;
    return answer.ending == Ending::failed ? JobClaim::failure : JobClaim::unclear;
}

std::string database_state_statement(std::string_view database) {
    return "SELECT state_desc, user_access_desc, is_in_standby FROM sys.databases WHERE name = " +
           quoted_text(database);
}

std::optional<DatabaseState> ask_database_state(SqlSession& session, std::string_view database,
                                                const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    const Answer answer = session.run(database_state_statement(database), options);
    require_complete(answer, op);
    if (answer.rows().rows.empty())
        return std::nullopt;
    const Row row = answer.row();
    return DatabaseState{row["state_desc"].text().value_or(""),
                         row["user_access_desc"].text().value_or(""),
                         row["is_in_standby"].flag().value_or(false)};
}

bool is_restored(JobClaim claim, const std::optional<DatabaseState>& state) noexcept {
    return claim == JobClaim::success && state && state->is_online();
}

void require_complete(const Answer& answer, const sdk::Op* op) {
    if (answer.is_complete())
        return;
    if (op != nullptr && (answer.ending == Ending::cancelled || answer.was_asked_to_end))
        op->check();
    throw problem_of(answer.messages, answer.ending, Phase::running, {}).to_error();
}

} // namespace stationsync::sqlserver
