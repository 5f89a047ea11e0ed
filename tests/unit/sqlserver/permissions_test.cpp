#include "permissions.hpp"

#include "scripted_session.hpp"
#include "support/fake_host.hpp"

#include <stationsync/error.hpp>

namespace stationsync::sqlserver {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

ServerFacts release(int major) {
    ServerFacts facts;
    facts.version = {major, 0, 5000, 0};
    return facts;
}

// As a login of 2019 that may do everything without being sysadmin.
Fields all_rights() {
    return {{"login_name", "PLANT\\sync"},
            {"is_sysadmin", "0"},
            {"is_dbcreator", "1"},
            {"view_server_state", "1"},
            {"view_performance_state", "NULL"},
            {"view_any_database", "1"},
            {"connect_any_database", "1"},
            {"create_any_database", "1"},
            {"view_any_definition", "1"},
            {"alter_any_connection", "1"},
            {"read_backup_history", "1"},
            {"read_restore_history", "1"}};
}

Fields with(Fields fields, const std::string& column, const std::string& value) {
    for (auto& [name, each] : fields)
        if (name == column)
            each = value;
    return fields;
}

std::vector<std::string> lines(const Fields& fields, int major) {
    return server_grant_lines(parse_server_rights(test::one_row(fields).row()), release(major));
}

using Lines = std::vector<std::string>;

TEST(ServerRights, ThatAreThereNeedNoLine) {
    EXPECT_EQ(lines(all_rights(), 15), Lines());
    EXPECT_EQ(lines(with(with(all_rights(), "is_sysadmin", "1"), "is_dbcreator", "0"), 15),
              Lines());
}

TEST(ServerRights, EachThatIsMissingIsNamedByItsOwnLine) {
    EXPECT_EQ(lines(with(all_rights(), "is_dbcreator", "0"), 15),
              Lines{"ALTER SERVER ROLE [dbcreator] ADD MEMBER [PLANT\\sync];"});
    EXPECT_EQ(lines(with(all_rights(), "view_server_state", "0"), 15),
              Lines{"GRANT VIEW SERVER STATE TO [PLANT\\sync];"});
    EXPECT_EQ(lines(with(all_rights(), "view_any_database", "0"), 15),
              Lines{"GRANT VIEW ANY DATABASE TO [PLANT\\sync];"});
    EXPECT_EQ(lines(with(all_rights(), "connect_any_database", "0"), 15),
              Lines{"GRANT CONNECT ANY DATABASE TO [PLANT\\sync];"});
    EXPECT_EQ(lines(with(all_rights(), "view_any_definition", "0"), 15),
              Lines{"GRANT VIEW ANY DEFINITION TO [PLANT\\sync];"});
    EXPECT_EQ(lines(with(all_rights(), "alter_any_connection", "0"), 15),
              Lines{"GRANT ALTER ANY CONNECTION TO [PLANT\\sync];"});
    const Lines history = lines(with(all_rights(), "read_backup_history", "NULL"), 15);
    ASSERT_EQ(history.size(), 1u);
    EXPECT_NE(history[0].find("GRANT SELECT ON [dbo].[backupset] TO [PLANT\\sync];"),
              std::string::npos);
}

TEST(ServerRights, DependOnTheRelease) {
    // 2012 has no CONNECT ANY DATABASE, 2022 splits VIEW SERVER STATE.
    EXPECT_EQ(lines(with(all_rights(), "connect_any_database", "0"), 11), Lines());
    const Fields newer =
        with(with(all_rights(), "view_performance_state", "0"), "view_server_state", "0");
    EXPECT_EQ(lines(newer, 16), Lines{"GRANT VIEW SERVER PERFORMANCE STATE TO [PLANT\\sync];"});
    EXPECT_EQ(lines(with(newer, "view_performance_state", "1"), 16), Lines())
        << "the part is enough";
}

TEST(ServerRights, OfAHostileLoginStayInTheirBrackets) {
    EXPECT_EQ(lines(with(with(all_rights(), "is_dbcreator", "0"), "login_name", "x];--"), 15),
              Lines{"ALTER SERVER ROLE [dbcreator] ADD MEMBER [x]];--];"});
    EXPECT_EQ(create_login_line("NT AUTHORITY\\SYSTEM"),
              "CREATE LOGIN [NT AUTHORITY\\SYSTEM] FROM WINDOWS;");
}

DatabaseRights database_rights(const char* access, const char* backup, const char* definition,
                               const char* state) {
    return parse_database_rights(test::one_row({{"has_access", access},
                                                {"backup_database", backup},
                                                {"view_definition", definition},
                                                {"view_database_state", state}})
                                     .row());
}

TEST(DatabaseRights, EachThatIsMissingIsNamedByItsOwnLine) {
    const auto wanted = [](const DatabaseRights& rights, int major) {
        return database_grant_lines(rights, "Bat]ch", "sync", release(major));
    };
    EXPECT_EQ(wanted(database_rights("1", "1", "1", "1"), 15), Lines());
    const std::string user = "IF NOT EXISTS (SELECT * FROM sys.database_principals WHERE name = "
                             "N'sync') CREATE USER [sync] FOR LOGIN [sync];";
    EXPECT_EQ(wanted(database_rights("1", "0", "1", "1"), 15),
              (Lines{"USE [Bat]]ch];", user, "ALTER ROLE [db_backupoperator] ADD MEMBER [sync];"}));
    EXPECT_EQ(wanted(database_rights("1", "1", "0", "0"), 15),
              (Lines{"USE [Bat]]ch];", user, "GRANT VIEW DEFINITION TO [sync];",
                     "GRANT VIEW DATABASE STATE TO [sync];"}));
    EXPECT_EQ(wanted(database_rights("1", "1", "1", "0"), 16).back(),
              "GRANT VIEW DATABASE PERFORMANCE STATE TO [sync];");
    EXPECT_EQ(wanted(database_rights("0", "NULL", "NULL", "NULL"), 15).size(), 5u);
    EXPECT_EQ(wanted(database_rights("0", "1", "1", "1"), 15), (Lines{"USE [Bat]]ch];", user}));
}

TEST(DatabaseRights, ToGiveTheOwnerItsDatabaseBackAreNamed) {
    DatabaseRights rights = database_rights("1", "1", "1", "1");
    EXPECT_TRUE(rights.is_owner_special) << "not told";
    rights.owner = "pl]ant";
    rights.is_owner_special = false;
    rights.impersonates_owner = false;
    EXPECT_EQ(database_grant_lines(rights, "Batch", "sync", release(15)),
              Lines{"USE [master]; GRANT IMPERSONATE ON LOGIN::[pl]]ant] TO [sync];"});
    ServerRights server;
    server.login = "sync";
    EXPECT_NE(database_finding(rights, "Batch", server, release(15)).text.find("owner"),
              std::string::npos);
    rights.impersonates_owner = true;
    EXPECT_EQ(database_grant_lines(rights, "Batch", "sync", release(15)), Lines());
}

TEST(PermissionsCheck, TellsAllThatIsMissingAndHowToGiveIt) {
    test::ScriptedSession session;
    session.expect("IS_SRVROLEMEMBER('dbcreator')",
                   test::one_row(with(all_rights(), "is_dbcreator", "0")));
    session.expect("HAS_DBACCESS(N'Good')", test::one_row({{"has_access", "1"},
                                                           {"backup_database", "1"},
                                                           {"view_definition", "1"},
                                                           {"view_database_state", "1"}}));
    session.expect("QUOTENAME(N'o''bad')", test::one_row({{"has_access", "1"},
                                                          {"backup_database", "0"},
                                                          {"view_definition", "1"},
                                                          {"view_database_state", "1"}}));
    session.expect("HAS_DBACCESS(N'Locked')", test::failed({test::error(922)}));
    const auto findings =
        check_permissions(session, release(15), {"Good", "o'bad", "Locked"}, nullptr);
    ASSERT_EQ(findings.size(), 4u);
    EXPECT_EQ(findings[0].severity, STSYNC_FINDING_ERROR);
    EXPECT_NE(findings[0].remedy.find("[dbcreator] ADD MEMBER [PLANT\\sync];"), std::string::npos);
    EXPECT_NE(findings[0].remedy.find("[sysadmin] ADD MEMBER [PLANT\\sync];"), std::string::npos);
    EXPECT_EQ(findings[1].severity, STSYNC_FINDING_OK);
    EXPECT_EQ(findings[2].severity, STSYNC_FINDING_ERROR);
    EXPECT_NE(findings[2].text.find("may not back up the database o'bad"), std::string::npos);
    EXPECT_NE(findings[2].remedy.find("[db_backupoperator]"), std::string::npos);
    EXPECT_EQ(findings[3].severity, STSYNC_FINDING_ERROR);
    EXPECT_NE(findings[3].text.find("recovering"), std::string::npos);
}

TEST(PermissionsCheck, WarnsThatRightsInDatabasesTravel) {
    test::ScriptedSession session;
    session.expect("IS_SRVROLEMEMBER", test::one_row(all_rights()));
    const auto findings = check_permissions(session, release(15), {}, nullptr);
    ASSERT_EQ(findings.size(), 2u);
    EXPECT_EQ(findings[1].severity, STSYNC_FINDING_WARNING);
    session.expect("IS_SRVROLEMEMBER", test::one_row(with(all_rights(), "is_sysadmin", "1")));
    EXPECT_EQ(check_permissions(session, release(15), {}, nullptr).size(), 1u);
}

TEST(PermissionsCheck, AServerThatCannotBeAskedIsAFailure) {
    test::ScriptedSession session;
    session.expect("IS_SRVROLEMEMBER",
                   test::failed({test::error(233, "gone", "08S01")}, Ending::lost));
    EXPECT_THROW(check_permissions(session, release(15), {"x"}, nullptr), sdk::Error);
    stationsync::test::FakeOp op;
    op.cancel_at_poll(1);
    const sdk::Op running(op.abi());
    EXPECT_THROW(check_permissions(session, release(15), {"x"}, &running), sdk::Cancelled);
}

} // namespace
} // namespace stationsync::sqlserver
