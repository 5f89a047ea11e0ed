#include "folder_access.hpp"

#include "scripted_session.hpp"

namespace stationsync::sqlserver {
namespace {

using Lines = std::vector<std::string>;

Answer services(const std::vector<std::pair<std::string, std::string>>& rows) {
    Answer answer = test::one_row({{"servicename", ""}, {"service_account", ""}});
    ResultSet& set = answer.results.front();
    set.rows.clear();
    for (const auto& [name, account] : rows)
        set.rows.push_back({Value::of_text(name), Value::of_text(account)});
    return answer;
}

TEST(FolderLines, GiveTheAccountOfSqlServerTheRight) {
    EXPECT_EQ(grant_access_lines("C:\\ProgramData\\StationSync\\exchange",
                                 "NT SERVICE\\MSSQL$SQLEXPRESS", "", false),
              Lines{"icacls \"C:\\ProgramData\\StationSync\\exchange\" /grant "
                    "\"NT SERVICE\\MSSQL$SQLEXPRESS:(OI)(CI)M\""});
    // A backslash before a quote would belong to the name.
    EXPECT_EQ(grant_access_lines("D:\\x\\", "NT SERVICE\\MSSQLSERVER", "", false)[0],
              "icacls \"D:\\x\" /grant \"NT SERVICE\\MSSQLSERVER:(OI)(CI)M\"");
    EXPECT_EQ(grant_access_lines("D:\\", "A\\b", "", false)[0],
              "icacls \"D:\\.\" /grant \"A\\b:(OI)(CI)M\"");
}

TEST(FolderLines, OnLinuxOpenTheWayToTheFolderToo) {
    EXPECT_EQ(grant_access_lines("/srv/o'neil/exchange", "mssql", "stationsync", true),
              (Lines{"setfacl -R -m u:mssql:rwX,d:u:mssql:rwx,d:u:stationsync:rwx "
                     "'/srv/o'\\''neil/exchange'",
                     "setfacl -m u:mssql:x '/srv' '/srv/o'\\''neil'"}));
    EXPECT_EQ(grant_access_lines("/exchange/", "mssql", "root", true),
              Lines{"setfacl -R -m u:mssql:rwX,d:u:mssql:rwx '/exchange'"});
}

TEST(ServiceAccount, IsThatOfTheEngineNotOfItsHelpers) {
    ServerFacts facts;
    facts.instance = "SQLEXPRESS";
    facts.machine = "PLANT";
    EXPECT_EQ(service_account(services({{"SQL Server Agent (X)", "agent"},
                                        {"SQL Server (SQLEXPRESS)", "DOMAIN\\sql"}}),
                              facts),
              "DOMAIN\\sql");
    EXPECT_EQ(service_account(services({{"SQL Server (X)", "LocalSystem"}}), facts),
              "NT AUTHORITY\\SYSTEM");
    EXPECT_EQ(service_account(services({{"SQL Server (X)", ".\\sql"}}), facts), "PLANT\\sql");
}

TEST(ServiceAccount, IsTheUsualOneWhenItMayNotBeAsked) {
    ServerFacts facts;
    facts.instance = "SQLEXPRESS";
    const Answer denied = test::failed({test::error(300)});
    EXPECT_EQ(service_account(denied, facts), "NT SERVICE\\MSSQL$SQLEXPRESS");
    facts.instance.clear();
    EXPECT_EQ(service_account(denied, facts), "NT SERVICE\\MSSQLSERVER");
    facts.is_linux = true;
    EXPECT_EQ(service_account(denied, facts), "mssql");
}

Answer refused(std::int32_t system) {
    return test::failed(
        {test::error(3201, "Cannot open backup device 'C:\\x(1)\\probe'. Operating system error " +
                               std::to_string(system) + "(something)."),
         test::error(3013, "RESTORE LABELONLY is terminating abnormally.")});
}

TEST(FolderProbe, ThatIsReadAsNoBackupProvesTheRightToRead) {
    EXPECT_EQ(judge_folder_probe(test::failed({test::error(3241), test::error(3013)})),
              FolderProbe::readable);
    EXPECT_EQ(judge_folder_probe(test::failed({test::error(3013), test::error(3242)})),
              FolderProbe::readable);
    EXPECT_EQ(judge_folder_probe(refused(5)), FolderProbe::denied);
    EXPECT_EQ(judge_folder_probe(refused(2)), FolderProbe::not_there);
    EXPECT_EQ(judge_folder_probe(refused(3)), FolderProbe::not_there);
    EXPECT_EQ(judge_folder_probe(refused(32)), FolderProbe::locked);
    EXPECT_EQ(judge_folder_probe(refused(53)), FolderProbe::unreachable);
    EXPECT_EQ(judge_folder_probe(refused(1326)), FolderProbe::unreachable);
    EXPECT_EQ(judge_folder_probe(refused(21)), FolderProbe::unknown);
    EXPECT_EQ(judge_folder_probe(test::failed({}, Ending::lost)), FolderProbe::unknown);
    EXPECT_EQ(folder_probe_statement("C:\\o'x"), "RESTORE LABELONLY FROM DISK = N'C:\\o''x'");
}

TEST(FolderFinding, NamesTheAccountAndTheLineToType) {
    ServerFacts facts;
    facts.machine = "PLANT";
    const auto finding =
        folder_finding(FolderProbe::denied, "C:\\x", "NT SERVICE\\MSSQL$A", "", facts);
    EXPECT_EQ(finding.severity, STSYNC_FINDING_ERROR);
    EXPECT_NE(finding.text.find("NT SERVICE\\MSSQL$A"), std::string::npos);
    EXPECT_NE(finding.remedy.find("icacls \"C:\\x\" /grant \"NT SERVICE\\MSSQL$A:(OI)(CI)M\""),
              std::string::npos);
    EXPECT_EQ(folder_finding(FolderProbe::readable, "C:\\x", "a", "", facts).severity,
              STSYNC_FINDING_OK);
    EXPECT_NE(folder_finding(FolderProbe::not_there, "Z:\\x", "a", "", facts).text.find("PLANT"),
              std::string::npos);
    for (const auto probe : {FolderProbe::locked, FolderProbe::unreachable, FolderProbe::unknown}) {
        const auto each = folder_finding(probe, "C:\\x", "a", "", facts);
        EXPECT_NE(each.severity, STSYNC_FINDING_OK);
        EXPECT_FALSE(each.text.empty() || each.remedy.empty());
    }
}

} // namespace
} // namespace stationsync::sqlserver
