#include "plugins/operation.hpp"

#include "base/clock.hpp"

#include <algorithm>

namespace stationsync::host {

namespace {
std::atomic<std::uint64_t> last_operation{0};
constexpr std::int64_t progress_every_us = 200'000;

Operation& self(const stsync_op* op) {
    return *static_cast<Operation*>(op->ctx);
}
} // namespace

Operation::Operation(std::int64_t deadline_ms, Progress progress) : progress_(std::move(progress)) {
    op_.size = sizeof(stsync_op);
    op_.id = ++last_operation;
    op_.deadline_ms = deadline_ms;
    op_.ctx = this;
    op_.cancelled = &Operation::cancelled;
    op_.progress = &Operation::progress;
    op_.fail = &Operation::fail;
    op_.begin_commit = &Operation::begin_commit;
}

void Operation::start() {
    if (op_.deadline_ms > 0)
        deadline_us_ = monotonic_now_us() + op_.deadline_ms * 1000;
}

stsync_status Operation::state() const {
    if (committing_.load(std::memory_order_relaxed))
        return STSYNC_OK;
    if (is_cancelled())
        return STSYNC_CANCELLED;
    return deadline_us_ != 0 && monotonic_now_us() > deadline_us_ ? STSYNC_TIMEOUT : STSYNC_OK;
}

stsync_status STSYNC_CALL Operation::cancelled(const stsync_op* op) noexcept {
    return self(op).state();
}

stsync_status STSYNC_CALL Operation::begin_commit(const stsync_op* op) noexcept {
    const stsync_status status = self(op).state();
    if (status == STSYNC_OK)
        self(op).committing_.store(true, std::memory_order_relaxed);
    return status;
}

stsync_status STSYNC_CALL Operation::progress(const stsync_op* op, uint64_t done, uint64_t total,
                                              uint32_t, stsync_str) noexcept {
    Operation& operation = self(op);
    if (!operation.progress_)
        return STSYNC_OK;
    const std::int64_t now = monotonic_now_us();
    std::int64_t due = operation.progress_due_us_.load(std::memory_order_relaxed);
    if (now < due ||
        !operation.progress_due_us_.compare_exchange_strong(due, now + progress_every_us))
        return STSYNC_OK;
    try {
        operation.progress_(done, total);
    } catch (...) {
        return STSYNC_INTERNAL;
    }
    return STSYNC_OK;
}

stsync_status STSYNC_CALL Operation::fail(const stsync_op* op, stsync_status,
                                          uint64_t retry_after_ms, stsync_str text) noexcept {
    try {
        Operation& operation = self(op);
        const std::lock_guard lock(operation.mutex_);
        operation.text_ = copy_text(text);
        operation.retry_after_ms_ = retry_after_ms;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
    return STSYNC_OK;
}

std::string Operation::failure(stsync_status status) const {
    const std::lock_guard lock(mutex_);
    if (!text_.empty())
        return text_;
    return "the plugin failed with status " + std::to_string(status) + " and gave no reason";
}

core::Duration Operation::retry_after() const {
    constexpr std::uint64_t ms_max = 24ULL * 3600 * 1000;
    const std::lock_guard lock(mutex_);
    return std::chrono::milliseconds(std::min(retry_after_ms_, ms_max));
}

} // namespace stationsync::host
