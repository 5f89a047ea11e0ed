#include "job_progress.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

bool JobProgress::tick() {
    if (!session_ && !has_session_failed_) {
        try {
            session_ = server_.open(SessionRole::monitor, &op_).session;
        } catch (const sdk::Error&) {
            session_.reset(); // the worker goes on without
        }
        has_session_failed_ = session_ == nullptr;
    }
    if (!session_ || !session_->is_usable())
        return true;
    RunOptions options;
    options.op = &op_;
    options.limit = std::chrono::seconds(10);
    const Answer answer = session_->run("SELECT percent_complete, wait_type FROM "
                                        "sys.dm_exec_requests WHERE session_id = " +
                                            std::to_string(worker_),
                                        options);
    if (!answer.is_complete() || answer.results.empty() || answer.rows().rows.empty())
        return true;
    const double percent = answer.rows().row(0)["percent_complete"].real().value_or(0);
    percent_ = std::max(percent_, static_cast<std::uint64_t>(std::clamp(percent, 0.0, 100.0)));
    op_.progress(percent_, 100, STSYNC_UNIT_STEPS, what_);
    is_stalled_ = watch_.is_stalled(percent, std::chrono::steady_clock::now());
    return !is_stalled_;
}

std::string JobProgress::stalled() const {
    if (!is_stalled_)
        return {};
    return "SQL Server made no progress with " + what_ + " at " + std::to_string(percent_) +
           " %: look at its disk and at what blocks it.";
}

} // namespace stationsync::sqlserver
