// What the login of this service may do in SQL Server, and the exact lines that give it what it
// lacks.
#pragma once

#include "server_version.hpp"

namespace stationsync::sqlserver {

// Answers of the self-test; nothing = the server does not know such a right.
struct ServerRights {
    std::string login; // as SQL Server knows it
    bool is_sysadmin = false;
    bool is_dbcreator = false;
    std::optional<bool> views_server_state;
    std::optional<bool> views_performance_state; // 2022 and later
    std::optional<bool> views_any_database;
    std::optional<bool> connects_any_database; // 2014 and later
    std::optional<bool> creates_any_database;
    std::optional<bool> views_any_definition;  // the logins that users are compared with
    std::optional<bool> ends_connections;      // KILL: of who takes the only place of a database
    std::optional<bool> reads_backup_history;  // msdb.dbo.backupset
    std::optional<bool> reads_restore_history; // msdb.dbo.restorehistory
};

struct DatabaseRights {
    bool has_access = false;
    std::optional<bool> backs_up;
    std::optional<bool> views_definition;
    std::optional<bool> views_database_state;
    std::string owner;                      // empty = one without a login here
    bool is_owner_special = true;           // the built-in administrator, or the login itself
    std::optional<bool> impersonates_owner; // to give it its database back after a restore
};

std::string server_rights_statement();
ServerRights parse_server_rights(const Row& row);

// Opens the database for a moment: not for polling.
std::string database_rights_statement(std::string_view database);
DatabaseRights parse_database_rights(const Row& row);

// Statements for an administrator, each ending in ";". `login` and names are quoted.
std::string create_login_line(std::string_view account); // a Windows account
std::string sysadmin_line(std::string_view login);
std::vector<std::string> server_grant_lines(const ServerRights& rights, const ServerFacts& facts);
std::vector<std::string> database_grant_lines(const DatabaseRights& rights,
                                              std::string_view database, std::string_view login,
                                              const ServerFacts& facts);

// One finding for the server, one for each database that lacks something.
std::vector<sdk::Finding> server_findings(const ServerRights& rights, const ServerFacts& facts);
sdk::Finding database_finding(const DatabaseRights& rights, std::string_view database,
                              const ServerRights& server, const ServerFacts& facts);

// The whole self-test: questions and findings. A right that is missing is a finding, never an
// exception; throws sdk::Error or sdk::Cancelled when the server cannot be asked.
std::vector<sdk::Finding> check_permissions(SqlSession& session, const ServerFacts& facts,
                                            const std::vector<std::string>& databases,
                                            const sdk::Op* op);

} // namespace stationsync::sqlserver
