// One running call into a plugin: the host's side of stsync_op.
#pragma once

#include "plugins/plugin_library.hpp"
#include "stationsync/core/time.hpp"
#include "stationsync/op.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace stationsync::host {

class Operation {
public:
    // `deadline_ms` counts from start(); 0: none. `progress` may be called from any thread.
    using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
    explicit Operation(std::int64_t deadline_ms = 0, Progress progress = {});
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    [[nodiscard]] const stsync_op* op() const { return &op_; }
    // The call begins now, on the calling thread: until then it may have waited for its turn.
    void start();
    void cancel() { cancel_.store(true, std::memory_order_relaxed); } // any thread
    [[nodiscard]] bool is_cancelled() const { return cancel_.load(std::memory_order_relaxed); }
    // Why the call failed, as the plugin said; a sentence of our own when it said nothing.
    [[nodiscard]] std::string failure(stsync_status status) const;
    [[nodiscard]] core::Duration retry_after() const; // as it wished; 0: it did not say

private:
    stsync_status state() const;
    static stsync_status STSYNC_CALL cancelled(const stsync_op* op) noexcept;
    static stsync_status STSYNC_CALL progress(const stsync_op* op, uint64_t done, uint64_t total,
                                              uint32_t unit, stsync_str text) noexcept;
    static stsync_status STSYNC_CALL fail(const stsync_op* op, stsync_status code,
                                          uint64_t retry_after_ms, stsync_str text) noexcept;
    static stsync_status STSYNC_CALL begin_commit(const stsync_op* op) noexcept;

    stsync_op op_{};
    Progress progress_;
    std::int64_t deadline_us_ = 0; // monotonic; 0: none
    std::atomic<bool> cancel_{false};
    std::atomic<bool> committing_{false};
    std::atomic<std::int64_t> progress_due_us_{0};
    mutable std::mutex mutex_; // of the failure
    std::string text_;
    std::uint64_t retry_after_ms_ = 0;
};

} // namespace stationsync::host
