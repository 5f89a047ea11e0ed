#include "permissions.hpp"

#include "errors.hpp"
#include "job_outcome.hpp"
#include "quoting.hpp"

namespace stationsync::sqlserver {

namespace {

std::optional<bool> flag_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? std::nullopt : value->flag();
}

bool is_lacking(const std::optional<bool>& right) noexcept {
    return right && !*right;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += (text.empty() ? "" : " ") + line;
    return text;
}

// A user for the login, unless it may enter every database anyway.
std::string user_line(const std::string& login) {
    return "IF NOT EXISTS (SELECT * FROM sys.database_principals WHERE name = " +
           quoted_text(login) + ") CREATE USER " + quoted_name(login) + " FOR LOGIN " +
           quoted_name(login) + ';';
}

Answer ask(SqlSession& session, const std::string& statement, const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    return session.run(statement, options);
}

} // namespace

std::string server_rights_statement() {
    return "SELECT SUSER_SNAME() AS login_name, IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin, "
           "IS_SRVROLEMEMBER('dbcreator') AS is_dbcreator, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS view_server_state, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS "
           "view_performance_state, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DATABASE') AS view_any_database, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'CONNECT ANY DATABASE') AS connect_any_database, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'CREATE ANY DATABASE') AS create_any_database, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION') AS view_any_definition, "
           "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION') AS alter_any_connection, "
           "HAS_PERMS_BY_NAME('msdb.dbo.backupset', 'OBJECT', 'SELECT') AS read_backup_history, "
           "HAS_PERMS_BY_NAME('msdb.dbo.restorehistory', 'OBJECT', 'SELECT') AS "
           "read_restore_history";
}

ServerRights parse_server_rights(const Row& row) {
    ServerRights rights;
    rights.login = row["login_name"].text().value_or("");
    rights.is_sysadmin = row["is_sysadmin"].flag().value_or(false);
    rights.is_dbcreator = row["is_dbcreator"].flag().value_or(false);
    rights.views_server_state = flag_in(row, "view_server_state");
    rights.views_performance_state = flag_in(row, "view_performance_state");
    rights.views_any_database = flag_in(row, "view_any_database");
    rights.connects_any_database = flag_in(row, "connect_any_database");
    rights.creates_any_database = flag_in(row, "create_any_database");
    rights.views_any_definition = flag_in(row, "view_any_definition");
    rights.ends_connections = flag_in(row, "alter_any_connection");
    // NULL here: the login may not even enter msdb.
    rights.reads_backup_history = flag_in(row, "read_backup_history").value_or(false);
    rights.reads_restore_history = flag_in(row, "read_restore_history").value_or(false);
    return rights;
}

std::string database_rights_statement(std::string_view database) {
    const std::string name = "QUOTENAME(" + quoted_text(database) + ")";
    return "SELECT HAS_DBACCESS(" + quoted_text(database) + ") AS has_access, " +
           "HAS_PERMS_BY_NAME(" + name + ", 'DATABASE', 'BACKUP DATABASE') AS backup_database, " +
           "HAS_PERMS_BY_NAME(" + name + ", 'DATABASE', 'VIEW DEFINITION') AS view_definition, " +
           "HAS_PERMS_BY_NAME(" + name +
           ", 'DATABASE', 'VIEW DATABASE STATE') AS view_database_state, " +
           "(SELECT SUSER_SNAME(owner_sid) FROM sys.databases WHERE name = " +
           quoted_text(database) + ") AS owner_name, " +
           "(SELECT CASE WHEN owner_sid = 0x01 OR owner_sid = SUSER_SID() THEN 1 ELSE 0 END FROM "
           "sys.databases WHERE name = " +
           quoted_text(database) + ") AS is_owner_special, " +
           "HAS_PERMS_BY_NAME((SELECT QUOTENAME(SUSER_SNAME(owner_sid)) FROM sys.databases WHERE "
           "name = " +
           quoted_text(database) + "), 'LOGIN', 'IMPERSONATE') AS impersonate_owner";
}

DatabaseRights parse_database_rights(const Row& row) {
    DatabaseRights rights;
    rights.has_access = row["has_access"].flag().value_or(false);
    rights.backs_up = flag_in(row, "backup_database");
    rights.views_definition = flag_in(row, "view_definition");
    rights.views_database_state = flag_in(row, "view_database_state");
    if (const Value* const owner = row.find("owner_name"))
        rights.owner = owner->text().value_or("");
    rights.is_owner_special = flag_in(row, "is_owner_special").value_or(true);
    rights.impersonates_owner = flag_in(row, "impersonate_owner");
    return rights;
}

std::string create_login_line(std::string_view account) {
    return "CREATE LOGIN " + quoted_name(account) + " FROM WINDOWS;";
}

std::string sysadmin_line(std::string_view login) {
    return "ALTER SERVER ROLE [sysadmin] ADD MEMBER " + quoted_name(login) + ';';
}

std::vector<std::string> server_grant_lines(const ServerRights& rights, const ServerFacts& facts) {
    std::vector<std::string> lines;
    if (rights.is_sysadmin)
        return lines;
    const std::string login = quoted_name(rights.login);
    if (!rights.is_dbcreator)
        lines.push_back("ALTER SERVER ROLE [dbcreator] ADD MEMBER " + login + ';');
    const bool is_split = facts.splits_server_state();
    if (is_lacking(is_split ? rights.views_performance_state : rights.views_server_state))
        lines.push_back(std::string("GRANT VIEW SERVER ") + (is_split ? "PERFORMANCE " : "") +
                        "STATE TO " + login + ';');
    if (is_lacking(rights.views_any_database))
        lines.push_back("GRANT VIEW ANY DATABASE TO " + login + ';');
    if (facts.has_connect_any() && is_lacking(rights.connects_any_database))
        lines.push_back("GRANT CONNECT ANY DATABASE TO " + login + ';');
    if (is_lacking(rights.views_any_definition))
        lines.push_back("GRANT VIEW ANY DEFINITION TO " + login + ';');
    if (is_lacking(rights.ends_connections))
        lines.push_back("GRANT ALTER ANY CONNECTION TO " + login + ';');
    if (is_lacking(rights.reads_backup_history) || is_lacking(rights.reads_restore_history))
        lines.push_back("USE [msdb]; " + user_line(rights.login) +
                        " GRANT SELECT ON [dbo].[backupset] TO " + login +
                        "; GRANT SELECT ON [dbo].[restorehistory] TO " + login + ';');
    return lines;
}

std::vector<std::string> database_grant_lines(const DatabaseRights& rights,
                                              std::string_view database, std::string_view login,
                                              const ServerFacts& facts) {
    std::vector<std::string> lines;
    const bool lacks_backup = !rights.backs_up.value_or(false);
    const bool lacks_definition = !rights.views_definition.value_or(false);
    const bool lacks_state = !rights.views_database_state.value_or(false);
    const std::string name = quoted_name(login);
    // NULL for the owner: it is a login of a Windows group, or none that may be seen.
    if (!rights.is_owner_special && !rights.owner.empty() &&
        !rights.impersonates_owner.value_or(false))
        lines.push_back("USE [master]; GRANT IMPERSONATE ON LOGIN::" + quoted_name(rights.owner) +
                        " TO " + name + ';');
    if (rights.has_access && !lacks_backup && !lacks_definition && !lacks_state)
        return lines;
    lines.push_back("USE " + quoted_name(database) + ';');
    // A right inside a database needs a user there, also where the login may enter without one.
    lines.push_back(user_line(std::string(login)));
    if (lacks_backup)
        lines.push_back("ALTER ROLE [db_backupoperator] ADD MEMBER " + name + ';');
    if (lacks_definition)
        lines.push_back("GRANT VIEW DEFINITION TO " + name + ';');
    if (lacks_state)
        lines.push_back(std::string("GRANT VIEW DATABASE ") +
                        (facts.splits_server_state() ? "PERFORMANCE " : "") + "STATE TO " + name +
                        ';');
    return lines;
}

std::vector<sdk::Finding> server_findings(const ServerRights& rights, const ServerFacts& facts) {
    if (rights.is_sysadmin)
        return {{STSYNC_FINDING_OK, "sqlserver.permissions",
                 "The login " + rights.login + " is a member of sysadmin.", ""}};
    const std::vector<std::string> lines = server_grant_lines(rights, facts);
    if (!lines.empty())
        return {{STSYNC_FINDING_ERROR, "sqlserver.permissions",
                 "The login " + rights.login + " lacks rights in SQL Server.",
                 "Let an administrator run: " + joined(lines) +
                     " Or, simpler and recommended for a "
                     "login of this service alone: " +
                     sysadmin_line(rights.login)}};
    return {{STSYNC_FINDING_OK, "sqlserver.permissions",
             "The login " + rights.login + " has the rights that it needs on the server.", ""},
            {STSYNC_FINDING_WARNING, "sqlserver.permissions_travel",
             "Rights within a database are part of its backups: after each restore the service "
             "makes its login " +
                 rights.login +
                 " a user again, which needs IMPERSONATE on the owner of the database.",
             "Grant that for the owner of each database, or run: " + sysadmin_line(rights.login)}};
}

sdk::Finding database_finding(const DatabaseRights& rights, std::string_view database,
                              const ServerRights& server, const ServerFacts& facts) {
    const std::string name(database);
    if (server.is_sysadmin)
        return {STSYNC_FINDING_OK, "sqlserver.database_permissions",
                "The database " + name + " may be backed up.", ""};
    const std::vector<std::string> lines =
        database_grant_lines(rights, database, server.login, facts);
    if (lines.empty())
        return {STSYNC_FINDING_OK, "sqlserver.database_permissions",
                "The database " + name + " may be backed up.", ""};
    const char* const what =
        !rights.has_access                 ? " may not enter the database "
        : !rights.backs_up.value_or(false) ? " may not back up the database "
        : !rights.views_definition.value_or(false) || !rights.views_database_state.value_or(false)
            ? " may not see all of the database "
            : " could not give its owner back, after a restore, the database ";
    return {STSYNC_FINDING_ERROR, "sqlserver.database_permissions",
            "The login " + server.login + what + name + ".",
            "Let an administrator run: " + joined(lines)};
}

std::vector<sdk::Finding> check_permissions(SqlSession& session, const ServerFacts& facts,
                                            const std::vector<std::string>& databases,
                                            const sdk::Op* op) {
    const Answer answer = ask(session, server_rights_statement(), op);
    require_complete(answer, op);
    const ServerRights server = parse_server_rights(answer.row());
    std::vector<sdk::Finding> findings = server_findings(server, facts);
    for (const std::string& database : databases) {
        const Answer each = ask(session, database_rights_statement(database), op);
        if (each.is_complete()) {
            findings.push_back(
                database_finding(parse_database_rights(each.row()), database, server, facts));
            continue;
        }
        if (op != nullptr)
            op->check();
        const Problem problem =
            problem_of(each.messages, each.ending, Phase::running, {{"database", database}});
        findings.push_back({STSYNC_FINDING_ERROR, "sqlserver.database_permissions",
                            problem.sentence, problem.remedy});
        if (each.ending == Ending::lost)
            break;
    }
    return findings;
}

} // namespace stationsync::sqlserver
