#include "server_link.hpp"

#include "errors.hpp"

namespace stationsync::sqlserver {

Opened GuardedServer::open(SessionRole role, const sdk::Op* op) {
    const std::size_t login = login_();
    {
        const std::lock_guard lock(mutex_);
        const auto left = gate_.remaining(login, LoginGate::Clock::now());
        if (left > LoginGate::Clock::duration::zero()) {
            const auto minutes = std::chrono::ceil<std::chrono::minutes>(left).count();
            throw sdk::Error(
                STSYNC_DENIED,
                "SQL Server has refused the login of this service; so that the account is not "
                "locked, it is tried again only in " +
                    std::to_string(minutes) +
                    " min. Correct user and password, or the login in SQL Server.",
                static_cast<std::uint64_t>(
                    std::chrono::ceil<std::chrono::milliseconds>(left).count()));
        }
    }
    Opened opened = server_.open(role, op);
    const std::lock_guard lock(mutex_);
    if (opened.session)
        gate_.accepted();
    else if (problem_of(opened.messages, opened.ending, Phase::connecting, {}).rule ==
             "login-refused")
        gate_.refused(login, LoginGate::Clock::now());
    return opened;
}

std::unique_ptr<SqlSession> open_session(SqlServer& server, SessionRole role, const sdk::Op* op) {
    Opened opened = server.open(role, op);
    if (opened.session)
        return std::move(opened.session);
    if (op != nullptr && opened.ending == Ending::cancelled)
        op->check();
    throw problem_of(opened.messages, opened.ending, Phase::connecting, {}).to_error();
}

void LookSession::open(const sdk::Op* op) {
    session_.reset();
    std::unique_ptr<SqlSession> session = open_session(server_, SessionRole::look, op);
    facts_ = ask_server_facts(*session, op);
    if (const std::string reason = unsupported_reason(facts_); !reason.empty())
        throw sdk::Error(STSYNC_UNSUPPORTED, reason);
    session_ = std::move(session);
}

LookSession::Use LookSession::use(const sdk::Op* op) {
    std::unique_lock lock(mutex_);
    if (!session_ || !session_->is_usable())
        open(op);
    return Use(*this, std::move(lock));
}

void LookSession::Use::renew(const sdk::Op* op) {
    owner_.open(op);
}

} // namespace stationsync::sqlserver
