// Looks at the databases of an instance and keeps their baselines.
#pragma once

#include "baseline_store.hpp"
#include "change_judge.hpp"
#include "provider_settings.hpp"

#include <map>
#include <utility>

namespace stationsync::sqlserver {

// Keys that a call is at work on, so that a look that began before it does not speak of them.
class KeysAtWork {
public:
    enum class Work : std::uint8_t { none, backup, apply };

    class Guard {
    public:
        Guard(KeysAtWork& keys, std::string key, Work work);
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        ~Guard();

    private:
        KeysAtWork& keys_;
        std::string key_;
    };

    // Counts of the calls that have begun or ended: a look tells of a key only if it is the same
    // before and after.
    using Turns = std::map<std::string, std::uint64_t>;
    Turns turns() const;
    bool has_turned(const std::string& key, const Turns& since) const;
    Work work(const std::string& key) const;

private:
    struct State {
        Work work = Work::none;
        std::uint64_t turn = 0;
    };
    mutable std::mutex mutex_;
    std::map<std::string, State> states_;
};

// Keeps a database open while this object lives, so that AUTO_CLOSE does not empty its counters
// between two looks; the session is in the database meanwhile, and in master afterwards.
class HeldOpen {
public:
    // Throws sdk::Error with what the server says.
    HeldOpen(SqlSession& session, std::string_view database, const sdk::Op& op);
    HeldOpen(HeldOpen&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
    HeldOpen& operator=(HeldOpen&&) = delete;
    ~HeldOpen();

private:
    SqlSession* session_;
};

class DatabaseLooks {
public:
    DatabaseLooks(sdk::Host host, const ProviderSettings& settings, BaselineStore& baselines)
        : host_(host), settings_(settings), baselines_(baselines) {}

    ServerLook look(SqlSession& session, const ServerFacts& facts, const sdk::Op& op) const;

    // What the database is now: judges `seen`, looks into it where that is needed, and stores the
    // baseline if `is_current` still says so when all is known; else what is stored is the answer.
    Baseline refresh(SqlSession& session, const ServerFacts& facts, const ServerLook& server,
                     const DatabaseLook& seen, const std::string& key, const sdk::Op& op,
                     const std::function<bool()>& is_current = {});

    // May reading all rows settle a doubt? It takes its time.
    enum class Rows : std::uint8_t { read, leave };

    // The verdict on another look, against a baseline that the caller holds; stores nothing.
    // `seen` gets the fingerprint where it was read.
    Verdict judge_again(SqlSession& session, const ServerFacts& facts, const ServerLook& server,
                        DatabaseLook& seen, const Baseline& baseline, const sdk::Op& op,
                        Rows rows = Rows::read) const;

    // Of the rows of a database that nobody else uses, for its baseline; nothing when it is larger
    // than is configured.
    std::optional<std::string> sum_alone(SqlSession& session, const ServerFacts& facts,
                                         const std::string& database, const sdk::Op& op) const;

    // `baseline` brought to a look with this verdict.
    static void take(Baseline& baseline, const DatabaseLook& seen, const Verdict& verdict);

private:
    Baseline first(SqlSession& session, const ServerFacts& facts, const ServerLook& server,
                   const DatabaseLook& seen, const sdk::Op& op);
    HeldOpen wake(SqlSession& session, const ServerFacts& facts, ServerLook& server,
                  DatabaseLook& seen, const sdk::Op& op) const;
    std::optional<HeldOpen> hold(SqlSession& session, const DatabaseLook& seen,
                                 const Baseline& baseline, const sdk::Op& op) const;
    void read_fingerprint_of(SqlSession& session, const ServerFacts& facts,
                             const ServerLook& server, DatabaseLook& seen, const sdk::Op& op) const;
    std::optional<std::string> sum_of(SqlSession& session, const ServerFacts& facts,
                                      const DatabaseLook& seen, const sdk::Op& op) const;
    void sum_up(SqlSession& session, const ServerFacts& facts, const DatabaseLook& seen,
                Baseline& baseline, const sdk::Op& op) const;

    sdk::Host host_;
    const ProviderSettings& settings_;
    BaselineStore& baselines_;
};

} // namespace stationsync::sqlserver
