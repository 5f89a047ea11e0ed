#include "job_progress.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

// Whatever of it moves is progress: a slow disk moves no percent for long.
std::string trace_of(const Row& row) {
    std::string trace;
    for (const char* const column : {"percent_complete", "wait_type", "reads", "writes"})
        trace += row[column].text().value_or("-") + '|';
    return trace;
}

} // namespace

bool JobProgress::tick() {
    if (!session_ && !has_session_failed_) {
        try {
            session_ = server_.open(SessionRole::monitor, op_).session;
        } catch (const sdk::Error&) {
            session_.reset(); // the worker goes on without
        }
        has_session_failed_ = session_ == nullptr;
    }
    if (!session_ || !session_->is_usable())
        return true;
    RunOptions options;
    options.op = op_;
    options.limit = std::chrono::seconds(10);
    const Answer answer = session_->run("SELECT percent_complete, wait_type, reads, writes FROM "
                                        " sys.dm_exec_requests WHERE session_id = " +
                                            std::to_string(worker_),
                                        options);
    if (!answer.is_complete() || answer.results.empty() || answer.rows().rows.empty())
        return true;
    const double percent = answer.rows().row(0)["percent_complete"].real().value_or(0);
    percent_ = std::max(percent_, static_cast<std::uint64_t>(std::clamp(percent, 0.0, 100.0)));
    if (op_ != nullptr)
        op_->progress(percent_, 100, STSYNC_UNIT_STEPS, text_at(percent));
    if (std::string trace = trace_of(answer.rows().row(0)); trace != trace_) {
        trace_ = std::move(trace);
        ++moves_;
    }
    const bool has_stopped = watch_.is_stalled(moves_, std::chrono::steady_clock::now());
    is_stalled_ = has_stopped && percent > 0 && percent < 100;
    return !is_stalled_;
}

std::string JobProgress::text_at(double percent) const {
    if (what_ != "restoring")
        return what_;
    return percent <= 0 ? "creating files" : percent >= 100 ? "recovering" : what_;
}

std::string JobProgress::stalled() const {
    if (!is_stalled_)
        return {};
    return "SQL Server made no progress with " + what_ + " at " + std::to_string(percent_) +
           " %: look at its disk and at what blocks it.";
}

} // namespace stationsync::sqlserver
