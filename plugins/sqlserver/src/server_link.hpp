// Sessions for the provider: opened with pauses after a refused login, one of them kept for looks.
#pragma once

#include "login_gate.hpp"
#include "server_version.hpp"

#include <mutex>

namespace stationsync::sqlserver {

// Stands before another server and holds its logins back. Thread-safe.
class GuardedServer final : public SqlServer {
public:
    // `login` stands for user and password: with another one there is no pause.
    GuardedServer(SqlServer& server, std::function<std::size_t()> login)
        : server_(server), login_(std::move(login)) {}

    // Throws sdk::Error(DENIED) while logins are held back.
    Opened open(SessionRole role, const sdk::Op* op) override;

private:
    SqlServer& server_;
    std::function<std::size_t()> login_;
    std::mutex mutex_;
    LoginGate gate_;
};

// A session that is there, or the failure. Throws sdk::Error with the sentence of the error table,
// or sdk::Cancelled.
std::unique_ptr<SqlSession> open_session(SqlServer& server, SessionRole role, const sdk::Op* op);

// The session for looks and the facts about its server, kept as long as the connection lasts:
// another version can only be there after a restart.
class LookSession {
public:
    explicit LookSession(SqlServer& server) : server_(server) {}

    // One user at a time, as long as the object lives.
    class Use {
    public:
        SqlSession& session() const noexcept { return *owner_.session_; }
        const ServerFacts& facts() const noexcept { return owner_.facts_; }
        // Another session: a driver may not tell that the connection of the old one is gone.
        // Throws as `use`.
        void renew(const sdk::Op* op);

    private:
        friend class LookSession;
        Use(LookSession& owner, std::unique_lock<std::mutex> lock)
            : owner_(owner), lock_(std::move(lock)) {}
        LookSession& owner_;
        std::unique_lock<std::mutex> lock_;
    };
    // Throws sdk::Error: as open_session, and UNSUPPORTED for a server that cannot be synchronized.
    Use use(const sdk::Op* op);

private:
    void open(const sdk::Op* op);

    SqlServer& server_;
    std::mutex mutex_;
    std::unique_ptr<SqlSession> session_;
    ServerFacts facts_;
};

} // namespace stationsync::sqlserver
