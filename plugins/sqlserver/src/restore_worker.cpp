#include "restore_worker.hpp"

#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <algorithm>
#include <thread>

namespace stationsync::sqlserver {

namespace {

constexpr std::chrono::milliseconds statement_limit{60000};
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds monitor_limit{5000};
constexpr int pause_doublings_max = 5;
constexpr std::uint64_t whole = 100;

bool was_ended_by(const Answer& answer) noexcept {
    return answer.ending == Ending::cancelled || answer.was_asked_to_end;
}

} // namespace

sdk::Error error_of(const Answer& answer, const Values& values) {
    return problem_of(answer.messages, answer.ending, Phase::running, values).to_error();
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

bool RestoreWorker::tell_progress(const sdk::Op* teller, std::string_view text, std::int64_t worker,
                                  double& reached) {
    if (!monitor_ || !monitor_->is_usable()) {
        monitor_ = server_.open(SessionRole::monitor, nullptr).session;
        if (!monitor_)
            return false;
    }
    RunOptions options;
    options.limit = monitor_limit;
    const Answer answer =
        monitor_->run("SELECT CONVERT(float, percent_complete) AS percent_complete "
                      "FROM sys.dm_exec_requests WHERE session_id = " +
                          std::to_string(worker),
                      options);
    if (!answer.is_complete() || answer.results.empty() || answer.rows().rows.empty())
        return false;
    reached = std::max(reached, answer.rows().row(0)["percent_complete"].real().value_or(0));
    if (teller != nullptr)
        teller->progress(static_cast<std::uint64_t>(reached), whole, STSYNC_UNIT_STEPS, text);
    return true;
}

Answer RestoreWorker::run_job(const std::string& statement, const sdk::Op* teller,
                              std::string_view text) {
    SqlSession& worker = session();
    StallWatch watch(stall_limit_);
    double reached = 0;
    if (teller != nullptr)
        teller->progress(0, whole, STSYNC_UNIT_STEPS, text);
    RunOptions options;
    options.limit = std::chrono::milliseconds(0);
    options.op = op_;
    options.on_tick = [&] {
        try {
            tell_progress(teller, text, worker.id(), reached);
        } catch (const sdk::Error&) {
            // The job goes on unwatched; the stall limit still counts.
        }
        return !watch.is_stalled(reached, std::chrono::steady_clock::now());
    };
    return worker.run(statement, options);
}

std::map<std::string, Standing> RestoreWorker::ask(const std::vector<std::string>& databases) {
    std::string names;
    for (const std::string& each : databases)
        if (!each.empty())
            names += (names.empty() ? "" : ", ") + quoted_text(each);
    const Answer answer =
        must("SELECT d.name, d.state_desc, d.user_access_desc, d.is_in_standby, "
             "f.physical_name FROM sys.databases d LEFT JOIN sys.master_files f "
             "ON f.database_id = d.database_id AND f.file_id = 1 WHERE d.name IN (" +
             names + ")");
    std::map<std::string, Standing> found;
    for (std::size_t i = 0; i < answer.rows().rows.size(); ++i) {
        const Row row = answer.rows().row(i);
        found[lowered(row["name"].text().value_or(""))] = {
            row["state_desc"].text().value_or(""), row["user_access_desc"].text().value_or(""),
            row["physical_name"].text().value_or(""), row["is_in_standby"].flag().value_or(false)};
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

void RestoreWorker::pause(int attempt) {
    std::this_thread::sleep_for(first_pause * (1 << std::min(attempt, pause_doublings_max)));
}

} // namespace stationsync::sqlserver
