// The server that is away, refuses, lacks rights, or is asked by two calls at once.
#include "component/sqlserver/sqlserver_station.hpp"

#include "database_evidence.hpp"

#include <atomic>
#include <thread>

namespace stationsync::test {
namespace {

using Server = SqlServerPlugin;

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

bool has_finding(const std::vector<sdk::Finding>& findings, const std::string& part) {
    for (const sdk::Finding& each : findings)
        if (each.severity == STSYNC_FINDING_ERROR &&
            (each.text + ' ' + each.remedy).find(part) != std::string::npos)
            return true;
    return false;
}

TEST_F(Server, TellsItsVersionAndAnotherReleaseIsRefused) {
    SqlStation& station = this->station("2022");
    station.start();
    std::vector<sdk::Token> tokens = station.plugin().compat();
    ASSERT_FALSE(tokens.empty());
    EXPECT_EQ(tokens[0].name, "sqlserver.version");
    EXPECT_EQ(tokens[0].value, "16.0");
    EXPECT_TRUE(station.plugin().check_compat(tokens).empty());
    for (sdk::Token& token : tokens)
        if (token.name == "sqlserver.build")
            token.value = "16.0.1000.6";
    EXPECT_TRUE(station.plugin().check_compat(tokens).empty()) << "another build is a warning";
    EXPECT_EQ(station.host().count_log("sqlserver.difference"), 1u);
    tokens[0].value = "15.0";
    for (sdk::Token& token : tokens)
        if (token.name == "sqlserver.build")
            token.value = "15.0.2000.5";
    const std::vector<std::string> reasons = station.plugin().check_compat(tokens);
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_NE(reasons[0].find("2022"), std::string::npos) << reasons[0];
    EXPECT_NE(reasons[0].find("2019"), std::string::npos) << reasons[0];
}

TEST_F(Server, ThatIsAwayAtTheStartIsFoundLater) {
    SqlStation& station = this->station();
    station.make_database();
    station.server().tell(R"("do":"stop")");
    station.start();
    EXPECT_EQ(station.plugin().scan().status, STSYNC_BUSY);
    EXPECT_TRUE(station.plugin().compat().empty());
    const FindingsOutcome findings = station.plugin().self_test();
    EXPECT_EQ(findings.status, STSYNC_OK);
    EXPECT_TRUE(has_finding(findings.findings, "does not answer"));
    station.server().tell(R"("do":"start")");
    station.object();
    station.server().tell(R"("do":"stop")");
    EXPECT_NE(station.plugin().scan().status, STSYNC_OK);
    station.server().tell(R"("do":"start")");
    station.object();
}

TEST_F(Server, ThatRefusesTheLoginIsAskedOnceAMinute) {
    SqlStation& station = this->station();
    station.make_database();
    station.host().secrets["password"] = "wrong";
    station.start();
    for (int i = 0; i < 20; ++i) {
        const ScanOutcome outcome = station.plugin().scan();
        EXPECT_EQ(outcome.status, STSYNC_DENIED) << outcome.text;
    }
    const std::string logins = station.server().tell(R"("do":"logins")");
    EXPECT_EQ(count_of(logins, "StationSync look"), 1u) << logins;
    station.host().set_secret("password", "secret"); // another password: at once
    station.object();
}

TEST_F(Server, EachMissingRightIsNamedAndNothingBreaks) {
    SqlStation& station = this->station("2019");
    station.make_database();
    SqlClient admin = station.client();
    admin.run("CREATE LOGIN poor WITH PASSWORD = N'secret'");
    station.host().config["user"] = {"poor"};
    station.start();
    const ScanOutcome outcome = station.plugin().scan();
    EXPECT_EQ(outcome.status, STSYNC_DENIED) << outcome.text;
    EXPECT_NE(outcome.text.find("VIEW SERVER STATE"), std::string::npos) << outcome.text;
    FindingsOutcome findings = station.plugin().self_test();
    EXPECT_EQ(findings.status, STSYNC_OK);
    for (const std::string right : {"dbcreator", "VIEW SERVER STATE"})
        EXPECT_TRUE(has_finding(findings.findings, right)) << right;
    admin.run("GRANT VIEW SERVER STATE TO poor");
    findings = station.plugin().self_test();
    EXPECT_TRUE(has_finding(findings.findings, "plant"));
    const ScanOutcome blind = station.plugin().scan();
    ASSERT_EQ(blind.status, STSYNC_OK) << blind.text;
    EXPECT_EQ(blind.faults.count("plant"), 1u) << "it may not be entered";
    EXPECT_FALSE(has_finding(findings.findings, "secret"));
    admin.run("ALTER SERVER ROLE sysadmin ADD MEMBER poor");
    station.object();
    for (const sdk::Finding& each : station.plugin().self_test().findings)
        EXPECT_NE(each.severity, STSYNC_FINDING_ERROR) << each.text;
}

TEST_F(Server, WithoutADriverThePluginSaysSoAndStays) {
    SqlStation& station = this->station();
    station.host().config["driver"] = {"ODBC Driver 18 for SQL Server"};
    station.start();
    const ScanOutcome outcome = station.plugin().scan();
    EXPECT_EQ(outcome.status, STSYNC_DENIED) << outcome.text;
    EXPECT_NE(outcome.text.find("ODBC Driver 18"), std::string::npos) << outcome.text;
    EXPECT_TRUE(has_finding(station.plugin().self_test().findings, "ODBC Driver 18"));
}

TEST_F(Server, ThatHangsUpNeverSeesAnOlderProtocol) {
    SqlStation& station = this->station();
    station.start();
    station.server().tell(R"("do":"hang_up","at":"prelogin","times":3)");
    EXPECT_NE(station.plugin().scan().status, STSYNC_OK);
    // TDS 5.0, with the password in clear, would be a sin; see ~SqlServerPlugin.
    EXPECT_EQ(station.server().problems(), "");
}

TEST_F(Server, TwoDatabasesAreBackedUpAtOnce) {
    SqlStation& station = this->station();
    station.host().config["databases"] = {"plant*"};
    station.make_database("plant1");
    station.make_database("plant2");
    station.start();
    station.object("plant1");
    station.server().tell(R"("do":"fault","match":"^BACKUP","stage":"data","percent":40,)"
                          R"("action":"hang","times":2)");
    std::thread one([&] { station.export_to("1", "plant1"); });
    std::thread two([&] { station.export_to("2", "plant2"); });
    while (count_of(station.server().tell(R"("do":"sessions")"), "BACKUP DATABASE") < 2)
        std::this_thread::yield();
    EXPECT_EQ(station.object("plant1").key, "plant1") << "looks go on meanwhile";
    station.server().tell(R"("do":"release","id":1)");
    one.join();
    two.join();
}

TEST_F(Server, EveryStateThatCannotBeToldIsAFault) {
    SqlStation& station = this->station();
    station.host().config["databases"] = {"*"};
    station.make_database();
    station.make_database("other");
    station.start();
    SqlClient admin = station.client();
    admin.run("ALTER DATABASE other SET OFFLINE");
    const ScanOutcome outcome = station.plugin().scan();
    EXPECT_EQ(outcome.objects.count("plant"), 1u);
    EXPECT_EQ(outcome.objects.size(), 1u) << "those of the system are none of ours";
    ASSERT_EQ(outcome.faults.count("other"), 1u);
    EXPECT_EQ(outcome.faults.at("other").code, STSYNC_DENIED);
    admin.run("ALTER DATABASE other SET ONLINE");
    EXPECT_EQ(station.plugin().scan().objects.count("other"), 1u);
    admin.run("DROP DATABASE other");
    const ScanOutcome dropped = station.plugin().scan();
    EXPECT_EQ(dropped.objects.count("other") + dropped.faults.count("other"), 0u) << "absent";
}

TEST_F(Server, HintsComeWithoutAScan) {
    SqlStation& station = this->station();
    station.host().config["poll_seconds"] = {"1"};
    station.make_database();
    station.start();
    station.object();
    Hints hints;
    ASSERT_EQ(station.plugin().start_watch(hints).status, STSYNC_OK);
    ASSERT_TRUE(hints.wait_for("plant", std::chrono::seconds(20))) << "the first look";
    station.object();
    hints.clear();
    station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
    EXPECT_TRUE(hints.wait_for("plant", std::chrono::seconds(20)));
    station.object();
    hints.clear();
    station.client().run("DROP DATABASE plant");
    EXPECT_TRUE(hints.wait_for("plant", std::chrono::seconds(20)));
    station.plugin().stop_watch();
}

TEST_F(Server, ConstantWritingDoesNotKeepABackupFromBeingMade) {
    SqlStation& station = this->station();
    station.make_database();
    station.start();
    std::atomic<bool> is_done{false};
    std::thread writer([&] {
        SqlClient client = station.client();
        for (int i = 0; !is_done; ++i)
            client.run("UPDATE plant.dbo.recipe SET amount = " + std::to_string(i) +
                       " WHERE id = 1");
    });
    for (const std::string name : {"1", "2", "3"}) {
        station.object();
        station.export_to(name);
    }
    is_done = true;
    writer.join();
}

} // namespace
} // namespace stationsync::test
