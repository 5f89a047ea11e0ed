// What the provider does, behind the edge of the ABI.
#pragma once

#include "change_watch.hpp"
#include "database_looks.hpp"
#include "odbc/odbc_server.hpp"
#include "package_label.hpp"
#include "restorer.hpp"
#include "server_link.hpp"

#include <stationsync/provider.hpp>

#include <atomic>

namespace stationsync::sqlserver {

class SqlProvider : public sdk::Provider, public sdk::Watch, public sdk::SelfTest {
public:
    explicit SqlProvider(sdk::Host host);

    void recover(sdk::Op& op) override;
    std::vector<sdk::Token> compat(sdk::Op& op) override;
    std::vector<std::string> check_compat(sdk::Op& op,
                                          const std::vector<sdk::Token>& remote) override;
    void scan(sdk::Op& op, const sdk::Scope& scope, sdk::ObjectSink& out) override;
    sdk::ExportResult export_object(sdk::Op& op, const std::string& key,
                                    const std::filesystem::path& package) override;
    std::optional<sdk::Digest> verify(sdk::Op& op, const std::string& key,
                                      const std::filesystem::path& package) override;
    sdk::ApplyResult apply(sdk::Op& op, const std::string& key,
                           const std::filesystem::path& package,
                           const sdk::ApplyInfo& info) override;
    void start_watch(sdk::Op& op, sdk::WatchSink sink) override;
    void stop_watch() override;
    std::vector<sdk::Finding> self_test(sdk::Op& op) override;

private:
    struct ExportedState {
        Baseline before;
        PackageLabel label;
    };

    // For an export; nothing where AUTO_CLOSE is off.
    struct Held {
        std::optional<KeptOpen> kept;
        bool was_left_open = false; // by an earlier call
    };

    std::size_t login_hash() const;
    ServerLook look_at_all(LookSession::Use& use, const sdk::Op& op);
    void scan_one(const LookSession::Use& use, const ServerLook& server, const DatabaseLook& seen,
                  const std::string& key, const KeysAtWork::Turns& turns, const sdk::Op& op,
                  sdk::ObjectSink& out);
    std::optional<sdk::Fault> folder_fault(const LookSession::Use& use, const sdk::Op& op);
    Held hold_open(SqlSession& session, const ServerFacts& facts, const std::string& key,
                   const std::string& database, const sdk::Op& op);
    std::vector<std::string> test_databases(const LookSession::Use& use,
                                            std::vector<sdk::Finding>& findings, const sdk::Op& op);
    std::optional<sdk::Finding> probe_folders(const LookSession::Use& use, const sdk::Op& op) const;
    ExportedState before_export(SqlSession& session, const ServerFacts& facts,
                                const std::string& key, const std::string& database,
                                bool was_left_open, const sdk::Op& op);
    void after_export(SqlSession& session, const ServerFacts& facts, const std::string& key,
                      const ExportedState& exported, const std::string& backup_set,
                      const DatabaseLook& seen, const ServerLook& server, const sdk::Op& op);

    sdk::Host host_;
    ProviderSettings settings_;
    ServerSettings server_settings_;
    odbc::OdbcServer odbc_;
    GuardedServer server_;
    BaselineStore baselines_;
    ExchangeFolder folder_;
    Restorer restorer_;
    LookSession look_session_;
    DatabaseLooks looks_;
    KeysAtWork keys_;
    // Asked again at each scan until SQL Server reaches the folder.
    std::atomic<bool> is_folder_known_good_{false};
    std::atomic<bool> is_history_problem_told_{false};
    std::unique_ptr<ChangeWatch> watch_;
};

} // namespace stationsync::sqlserver
