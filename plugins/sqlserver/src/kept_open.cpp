#include "kept_open.hpp"

#include "quoting.hpp"

namespace stationsync::sqlserver {

namespace {

constexpr std::chrono::minutes keep_max{30};

} // namespace

KeptOpen::KeptOpen(SqlServer& server, const std::string& database, const sdk::Op* op)
    : session_(server.open(SessionRole::look, op).session) {
    if (session_ && !session_->run("USE " + quoted_name(database), {}).is_complete())
        session_.reset();
}

bool KeptOpen::is_holding() const {
    return session_ && session_->run("SELECT DB_ID() AS id", {}).is_complete();
}

void UndecidedDatabases::keep(const std::string& key, KeptOpen kept) {
    const std::lock_guard lock(mutex_);
    entries_.insert_or_assign(key,
                              Entry{std::move(kept), std::chrono::steady_clock::now() + keep_max});
}

std::optional<KeptOpen> UndecidedDatabases::take(const std::string& key) {
    std::optional<KeptOpen> kept;
    {
        const std::lock_guard lock(mutex_);
        const auto at = entries_.find(key);
        if (at == entries_.end())
            return std::nullopt;
        kept.emplace(std::move(at->second.kept));
        entries_.erase(at);
    }
    return kept->is_holding() ? std::move(kept) : std::nullopt;
}

bool UndecidedDatabases::is_holding(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(key);
    return at != entries_.end() && at->second.kept.is_holding();
}

void UndecidedDatabases::release_old() {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(entries_, [&](const auto& each) { return each.second.until <= now; });
}

} // namespace stationsync::sqlserver
