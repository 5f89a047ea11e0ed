#include "restore_worker.hpp"

#include "job_outcome.hpp"
#include "job_progress.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <algorithm>
#include <thread>

namespace stationsync::sqlserver {

namespace {

constexpr std::chrono::milliseconds statement_limit{60000};
constexpr std::chrono::milliseconds first_pause{50};
constexpr int pause_doublings_max = 5;

const std::string standing_question =
    "SELECT d.name, d.state_desc, d.user_access_desc, d.is_in_standby, f.physical_name FROM "
    "sys.databases d LEFT JOIN sys.master_files f ON f.database_id = d.database_id AND f.file_id "
    "= 1 WHERE ";

Standing standing_in(const Row& row) {
    return {row["state_desc"].text().value_or(""), row["user_access_desc"].text().value_or(""),
            row["physical_name"].text().value_or(""), row["is_in_standby"].flag().value_or(false)};
}

bool was_ended_by(const Answer& answer) noexcept {
    return answer.ending == Ending::cancelled || answer.was_asked_to_end;
}

} // namespace

sdk::Error error_of(const Answer& answer, const Values& values, Phase phase) {
    return problem_of(answer.messages, answer.ending, phase, values).to_error();
}

SqlSession& RestoreWorker::session() {
    if (session_ && session_->is_usable())
        return *session_;
    session_.reset();
    Opened opened = server_.open(SessionRole::worker, op_);
    if (!opened.session) {
        check();
        throw problem_of(opened.messages, opened.ending, Phase::connecting, {}).to_error();
    }
    session_ = std::move(opened.session);
    return *session_;
}

Answer RestoreWorker::run(const std::string& statement) {
    RunOptions options;
    options.limit = statement_limit;
    options.op = op_;
    return session().run(statement, options);
}

Answer RestoreWorker::must(const std::string& statement, const Values& values) {
    Answer answer = run(statement);
    if (answer.is_complete())
        return answer;
    if (was_ended_by(answer))
        check();
    throw error_of(answer, values);
}

Answer RestoreWorker::run_job(const std::string& statement, const sdk::Op* teller,
                              const std::string& text) {
    SqlSession& worker = session();
    RunOptions options;
    options.limit = std::chrono::milliseconds(0);
    options.op = op_;
    JobProgress progress(server_, worker.id(), teller, text, stall_limit_);
    options.on_tick = [&] { return progress.tick(); };
    Answer answer = worker.run(statement, options);
    if (const std::string stalled = progress.stalled();
        !stalled.empty() && !answer.is_complete() && claim_of(answer) != JobClaim::success)
        throw sdk::Error(STSYNC_BUSY, stalled);
    return answer;
}

std::map<std::string, Standing> RestoreWorker::ask(const std::vector<std::string>& databases) {
    std::string names;
    for (const std::string& each : databases)
        if (!each.empty())
            names += (names.empty() ? "" : ", ") + quoted_text(each);
    const Answer answer = must(standing_question + "d.name IN (" + names + ")");
    std::map<std::string, Standing> found;
    for (std::size_t i = 0; i < answer.rows().rows.size(); ++i) {
        const Row row = answer.rows().row(i);
        found[lowered(row["name"].text().value_or(""))] = standing_in(row);
    }
    return found;
}

std::vector<std::pair<std::string, Standing>>
RestoreWorker::ask_beginning(const std::vector<std::string>& beginnings) {
    std::string condition;
    for (const std::string& each : beginnings)
        condition +=
            (condition.empty() ? "d.name LIKE " : " OR d.name LIKE ") + quoted_text(each + '%');
    const Answer answer = must(standing_question + condition + " ORDER BY d.create_date DESC");
    std::vector<std::pair<std::string, Standing>> found;
    for (std::size_t i = 0; i < answer.rows().rows.size(); ++i) {
        const Row row = answer.rows().row(i);
        const std::string name = row["name"].text().value_or("");
        // LIKE takes a _ for any character.
        if (std::any_of(beginnings.begin(), beginnings.end(),
                        [&](const std::string& each) { return name.starts_with(each); }))
            found.emplace_back(name, standing_in(row));
    }
    return found;
}

std::optional<Standing> RestoreWorker::ask(const std::string& database) {
    const auto found = ask(std::vector<std::string>{database});
    return found.empty() ? std::nullopt : std::optional(found.begin()->second);
}

void RestoreWorker::end_visitors(const std::string& database) {
    for (const Visitor& visitor : ask_visitors(session(), database))
        run("KILL " + std::to_string(visitor.id));
}

void RestoreWorker::pause(int attempt) const {
    for (int part = 0; part < 1 << std::min(attempt, pause_doublings_max); ++part) {
        if (between_ != nullptr)
            between_->check();
        std::this_thread::sleep_for(first_pause);
    }
}

} // namespace stationsync::sqlserver
