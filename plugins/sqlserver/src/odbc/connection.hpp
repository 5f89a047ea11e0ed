// A connection of ODBC as a SqlSession.
#pragma once

#include "../sql_session.hpp"
#include "driver_thread.hpp"
#include "handle.hpp"
#include "odbc_server.hpp"

#include <atomic>

namespace stationsync::sqlserver::odbc {

// All calls of the driver run on the session's own thread: the caller stays free to watch the
// running call, the time and the progress, and is never held up by a driver that hangs. A session
// whose driver does not return is given up together with that thread.
class Connection final : public SqlSession {
public:
    Connection(const Api& api, const ConnectionString& where, const OdbcOptions& options);
    ~Connection() override;

    // Once, before anything else. Without success `messages` say why.
    Ending connect(const sdk::Op* op, std::vector<Diagnostic>& messages);

    Answer run(std::string_view sql, const RunOptions& options) override;
    void cancel() noexcept override;
    bool is_usable() const noexcept override { return is_usable_; }
    std::int64_t id() const noexcept override { return id_; }
    void set_id(std::int64_t id) noexcept { id_ = id; }

private:
    struct State;
    struct Login;
    struct Batch;

    // Waits for the call that was started. Answers how it was asked to end, `complete` when it was
    // not; `lost` when it did not return.
    Ending watch(const RunOptions& options, std::chrono::milliseconds grace);
    bool is_asked_to_end(const RunOptions& options) const;

    std::shared_ptr<State> state_;
    OdbcOptions options_;
    DriverThread thread_;
    std::atomic<bool> is_usable_{false};
    std::atomic<bool> is_cancel_wanted_{false};
    std::int64_t id_ = 0;
};

} // namespace stationsync::sqlserver::odbc
