// A call of our own, for what is done on our own threads: it ends when the thread is to end.
#pragma once

#include <stationsync/op.hpp>

#include <atomic>

namespace stationsync::sqlserver {

class StopOp {
public:
    StopOp() noexcept
        : abi_{sizeof(stsync_op), 0, 1, 0, this, &cancelled, &progress, &fail, &begin_commit} {}
    StopOp(const StopOp&) = delete;
    StopOp& operator=(const StopOp&) = delete;

    void stop() noexcept { is_stopping_ = true; }
    const sdk::Op& op() const noexcept { return op_; }

private:
    static stsync_status STSYNC_CALL cancelled(const stsync_op* op) noexcept {
        return static_cast<const StopOp*>(op->ctx)->is_stopping_ ? STSYNC_CANCELLED : STSYNC_OK;
    }
    static stsync_status STSYNC_CALL progress(const stsync_op*, std::uint64_t, std::uint64_t,
                                              std::uint32_t, stsync_str) noexcept {
        return STSYNC_OK;
    }
    static stsync_status STSYNC_CALL fail(const stsync_op*, stsync_status, std::uint64_t,
                                          stsync_str) noexcept {
        return STSYNC_OK;
    }
    static stsync_status STSYNC_CALL begin_commit(const stsync_op*) noexcept { return STSYNC_OK; }

    std::atomic<bool> is_stopping_{false};
    stsync_op abi_;
    sdk::Op op_{&abi_};
};

} // namespace stationsync::sqlserver
