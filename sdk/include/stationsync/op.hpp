// The running call, as plugin code sees it.
#pragma once

#include "error.hpp"
#include "op.h"
#include "text.hpp"

namespace stationsync::sdk {

// Borrowed for one call; may be used from any thread that works for this call.
class Op {
public:
    explicit Op(const stsync_op* op) noexcept : op_(op) {}

    bool is_cancelled() const noexcept { return op_->cancelled(op_) != STSYNC_OK; }

    // Throws Cancelled when the call is to end. Call it at every file or block.
    void check() const {
        if (const stsync_status status = op_->cancelled(op_); status != STSYNC_OK)
            throw Cancelled(status);
    }

    // The point of no return: throws Cancelled when it is too late, otherwise the call must go
    // through to its end, and check() throws no more.
    void begin_commit() const {
        if (const stsync_status status = op_->begin_commit(op_); status != STSYNC_OK)
            throw Cancelled(status);
    }

    // done <= total, total 0 = unknown; unit is one of STSYNC_UNIT_*.
    void progress(std::uint64_t done, std::uint64_t total, std::uint32_t unit = STSYNC_UNIT_BYTES,
                  std::string_view text = {}) const noexcept {
        op_->progress(op_, done, total, unit, to_abi(text));
    }

    std::uint64_t id() const noexcept { return op_->id; }
    // Time allowed for the whole call in milliseconds, 0 = no limit.
    std::int64_t deadline_ms() const noexcept { return op_->deadline_ms; }
    const stsync_op* raw() const noexcept { return op_; }

private:
    const stsync_op* op_;
};

} // namespace stationsync::sdk
