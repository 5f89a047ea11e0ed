// The station list over ODBC: unixODBC with the driver of SQLite, and with one that hangs, refuses
// and repeats passwords when a test says so.
#include "component/discovery_static/discovery_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace stationsync::test {
namespace {

using std::filesystem::path;

class OdbcList : public DiscoveryStatic {
protected:
    OdbcList() {
        // Drivers of this test alone; unixODBC looks here instead of in /etc.
        write_file(folder_ / "odbcinst.ini", "[Test SQLite]\nDriver=" STATIONSYNC_SQLITE_ODBC
                                             "\n[Puppet]\nDriver=" STATIONSYNC_PUPPET_ODBC "\n");
        write_file(folder_ / "odbc.ini", "[Plant list]\nDriver=Test SQLite\nDatabase=" +
                                             list().string() + "\nTimeout=500\n");
        ::setenv("ODBCSYSINI", folder_.path().c_str(), 1);
        ::setenv("ODBCINI", (folder_ / "odbc.ini").c_str(), 1);
        host_.config["interval"] = {"1"};
        host_.config["@project"] = {"Plant"};
    }

    path list() const { return folder_ / "list.db"; }
    void make_list(const std::string& rows) {
        run_sql(list(), read_file(STATIONSYNC_STATIONS_SQL));
        run_sql(list(), "INSERT INTO stations VALUES" + rows);
    }
    void use_sqlite() {
        host_.config["odbc"] = {"Driver={Test SQLite};NoCreat=1;Timeout=500;Database=" +
                                list().string()};
    }
    void use_puppet(const std::string& keys) {
        host_.config["odbc"] = {"Driver={Puppet};Log=" + (folder_ / "attempts").string() +
                                ";Release=" + (folder_ / "release").string() + ";" + keys};
    }
    std::size_t attempts() const {
        std::ifstream log(folder_ / "attempts");
        return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(log),
                                                   std::istreambuf_iterator<char>(), '\n'));
    }
    // Everything that the plugin has said to anybody.
    std::string all_said() {
        std::string text = finds_.note();
        for (const LogLine& line : host_.log())
            text += '\n' + line.text;
        return text;
    }
};

TEST_F(OdbcList, IsReadAgainWhileRunning) {
    make_list("('A','10.0.0.1'),('Füllung 🏭','10.0.0.2:9000')");
    use_sqlite();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2:9000"));
    EXPECT_TRUE(finds_.has_name("Füllung 🏭"));
    run_sql(list(), "INSERT INTO stations VALUES('C','[fd00::3]'); "
                    "DELETE FROM stations WHERE name='A'");
    EXPECT_TRUE(finds_.wait_for("[fd00::3] 10.0.0.2:9000"));
    EXPECT_EQ(finds_.note(), "");
    EXPECT_TRUE(host_.log().empty());
}

TEST_F(OdbcList, IsFoundByTheNameOfADataSource) {
    make_list("('A','10.0.0.1')");
    host_.config["odbc"] = {"DSN=Plant list"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
}

TEST_F(OdbcList, WholeConnectionStringMayBeASecret) {
    make_list("('A','10.0.0.1')");
    host_.secrets["odbc"] = "Driver={Test SQLite};PWD=geheim47;Database=" + list().string();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
}

TEST_F(OdbcList, AnotherSecretConnectionStringBeginsWithNoListAndAnotherPasswordDoesNot) {
    make_list("('A','10.0.0.1')");
    host_.secrets["odbc"] = "Driver={Test SQLite};PWD=geheim47;Database=" + list().string();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    end();
    std::filesystem::remove(list());
    const auto begun_with = [&](const std::string& where) {
        Finds anew;
        host_.secrets["odbc"] = where;
        EXPECT_EQ(make(), "");
        FakeOp op;
        EXPECT_EQ(table_->start(instance_, op.abi(), anew.sink()), STSYNC_OK);
        EXPECT_TRUE(anew.wait_for_note("list"));
        const std::string addresses = anew.addresses();
        end();
        return addresses;
    };
    EXPECT_EQ(begun_with("Driver={Test SQLite};PWD=another;Database=" + list().string()),
              "10.0.0.1");
    EXPECT_EQ(begun_with("Driver={Test SQLite};NoCreat=1;Database=/nowhere/other.db"), "");
}

TEST_F(OdbcList, OwnQueryGivesTheColumnsByNameInAnyOrder) {
    run_sql(list(),
            "CREATE TABLE node(ip, port, label CHAR(12), active);"
            "INSERT INTO node VALUES('10.1.1.1', 8883, 'A           ', 1), ('x', 1, 'B', 0)");
    use_sqlite();
    host_.config["query"] = {
        "SELECT 1 AS other, ip || ':' || port AS Address, label AS NAME FROM node WHERE active"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.1.1.1:8883"));
    EXPECT_TRUE(finds_.has_name("A"));
}

TEST_F(OdbcList, BadRowsAreLeftOutAndToldOnce) {
    run_sql(list(), "CREATE TABLE stations(name, address); INSERT INTO stations VALUES('A','ok'),"
                    "('B','fe80::1'),('C',NULL),('D','host:99999'),(NULL,'nameless')");
    use_sqlite();
    start();
    EXPECT_TRUE(finds_.wait_for("ok nameless"));
    EXPECT_EQ(host_.count_log("discovery-static.row"), 3u);
    run_sql(list(), "INSERT INTO stations VALUES('E','e')");
    EXPECT_TRUE(finds_.wait_for("ok e nameless"));
    EXPECT_EQ(host_.count_log("discovery-static.row"), 3u);
}

TEST_F(OdbcList, MissingTableKeepsTheLastListUntilItIsBack) {
    make_list("('A','10.0.0.1')");
    use_sqlite();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    run_sql(list(), "ALTER TABLE stations RENAME TO aside");
    EXPECT_TRUE(finds_.wait_for_note("no such table: stations"));
    EXPECT_TRUE(finds_.wait_for_note("last known list"));
    EXPECT_EQ(finds_.addresses(), "10.0.0.1");
    run_sql(list(), "ALTER TABLE aside RENAME TO stations; "
                    "INSERT INTO stations VALUES('B','10.0.0.2')");
    probe();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(OdbcList, DatabaseThatIsAwayKeepsTheLastListAlsoOverARestart) {
    make_list("('A','10.0.0.1')");
    use_sqlite();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    std::filesystem::rename(list(), folder_ / "moved.db");
    EXPECT_TRUE(finds_.wait_for_note("cannot be reached"));
    EXPECT_EQ(finds_.addresses(), "10.0.0.1");
    end();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    EXPECT_TRUE(finds_.wait_for_note("last known list"));
    std::filesystem::rename(folder_ / "moved.db", list());
    run_sql(list(), "INSERT INTO stations VALUES('B','10.0.0.2')");
    probe();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(OdbcList, RowsOfAnotherDatabaseAreNoLastKnownList) {
    make_list("('A','10.0.0.1')");
    use_sqlite();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    end();
    Finds anew;
    host_.config["odbc"] = {"Driver={Test SQLite};NoCreat=1;Database=/nowhere/other.db"};
    ASSERT_EQ(make(), "");
    FakeOp op;
    ASSERT_EQ(table_->start(instance_, op.abi(), anew.sink()), STSYNC_OK);
    EXPECT_TRUE(anew.wait_for_note("No list is known"));
    EXPECT_EQ(anew.addresses(), "");
    end();
}

TEST_F(OdbcList, LockedDatabaseIsWaitedFor) {
    make_list("('A','10.0.0.1')");
    use_sqlite();
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    {
        Database writer(list());
        writer.run("BEGIN EXCLUSIVE; INSERT INTO stations VALUES('B','10.0.0.2')");
        EXPECT_TRUE(finds_.wait_for_note("locked"));
        EXPECT_EQ(finds_.addresses(), "10.0.0.1");
        writer.run("COMMIT");
    }
    probe();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(OdbcList, QueryCannotWrite) {
    make_list("('A','10.0.0.1')");
    use_sqlite();
    host_.config["query"] = {"DELETE FROM stations"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("no columns name and address"));
    end();
    EXPECT_EQ(run_sql(list(), "SELECT count(*) FROM stations"), "1");
}

TEST_F(OdbcList, WrongDriverNameIsToldWithThoseThatThereAre) {
    host_.config["odbc"] = {"Driver={No Such Driver};Server=x"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("installed are"));
    EXPECT_NE(finds_.note().find("Test SQLite"), std::string::npos) << finds_.note();
    EXPECT_NE(finds_.note().find("No Such Driver"), std::string::npos) << finds_.note();
}

TEST_F(OdbcList, UnknownDataSourceIsTold) {
    host_.config["odbc"] = {"DSN=nobody"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("data source"));
    EXPECT_TRUE(finds_.wait_for_note("IM002"));
}

TEST_F(OdbcList, RefusedLoginIsTriedAgainWithAnotherPasswordOnlyAndNeverSaid) {
    use_puppet("RightToken=right}one");
    host_.secrets["password"] = "wrong;PWD=47}geheim";
    start();
    EXPECT_TRUE(finds_.wait_for_note("refuses the login"));
    EXPECT_NE(finds_.note().find("18456"), std::string::npos) << finds_.note();
    EXPECT_NE(finds_.note().find("***"), std::string::npos) << finds_.note();
    const std::string said = all_said();
    EXPECT_EQ(said.find("geheim"), std::string::npos) << said;
    EXPECT_EQ(said.find("wrong"), std::string::npos) << said;
    for (int i = 0; i < 5; ++i)
        probe();
    host_.set_secret("password", "right}one");
    EXPECT_TRUE(finds_.wait_for("10.9.9.9"));
    EXPECT_TRUE(finds_.wait_for_note(""));
    end();
    EXPECT_GE(attempts(), 2u);
    EXPECT_EQ(all_said().find("right}one"), std::string::npos);
}

TEST_F(OdbcList, RefusedLoginIsNotTriedAgainBecauseSomebodyAsks) {
    use_puppet("RightToken=x");
    host_.secrets["password"] = "y";
    host_.config["stations"] = {"10.0.0.7", "10.0.0.8"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("refuses the login"));
    // The plugin's thread has passed the database when it has noticed which one is itself.
    announce("A", "10.0.0.7:8883");
    EXPECT_TRUE(finds_.wait_for("10.0.0.8"));
    announce("A", "10.0.0.8:8883");
    EXPECT_TRUE(finds_.wait_for("10.0.0.7"));
    end();
    EXPECT_EQ(attempts(), 1u);
}

TEST_F(OdbcList, DatabaseBeingRestoredIsNoRefusedLogin) {
    use_puppet("Mode=restoring");
    start();
    EXPECT_TRUE(finds_.wait_for_note("cannot be reached"));
    EXPECT_TRUE(finds_.wait_for_note("4060"));
}

TEST_F(OdbcList, MissingSecretIsToldAndUsedOnceItIsSet) {
    use_puppet("RightToken=x");
    host_.secrets["password"] = "";
    start();
    EXPECT_TRUE(finds_.wait_for_note("secret set"));
    EXPECT_EQ(attempts(), 0u);
    host_.set_secret("password", "x");
    probe();
    EXPECT_TRUE(finds_.wait_for("10.9.9.9"));
}

TEST_F(OdbcList, StopCancelsAQueryThatHangs) {
    use_puppet("Mode=hang_query");
    start();
    EXPECT_TRUE(wait_until([&] { return attempts() == 1; }));
    end(); // expects less than 2 s
}

TEST_F(OdbcList, StopLeavesADriverBehindThatDoesNotListen) {
    for (const char* mode : {"Mode=hang_connect", "Mode=deaf_query"}) {
        std::filesystem::remove(folder_ / "attempts");
        use_puppet(mode);
        start();
        EXPECT_TRUE(wait_until([&] { return attempts() == 1; })) << mode;
        end();
    }
    write_file(folder_ / "release", "");
}

TEST_F(OdbcList, WhatIsKnownIsToldBeforeADriverThatHangsIsAsked) {
    use_puppet("Mode=hang_connect");
    host_.config["stations"] = {"10.0.0.7"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.7"));
    end();
    write_file(folder_ / "release", "");
}

TEST_F(OdbcList, ErrorOfALaterResultIsAnError) {
    use_puppet("Mode=late_error");
    start();
    EXPECT_TRUE(finds_.wait_for_note("The error of the second result (42000, 3201)"))
        << finds_.note();
    EXPECT_EQ(finds_.addresses(), "");
}

TEST_F(OdbcList, LongValueComesInPiecesAndIsJudgedAsARow) {
    use_puppet("Mode=pieces");
    start();
    EXPECT_TRUE(wait_until([&] { return host_.count_log("discovery-static.row") == 1; }));
    EXPECT_NE(host_.log().front().text.find("48 bytes"), std::string::npos);
}

TEST_F(OdbcList, ProjectOfAnotherNameIsToldAndCarriedByTheFinds) {
    make_list("('A','10.0.0.1')");
    run_sql(list(), "INSERT INTO settings VALUES('project','Other')");
    use_sqlite();
    host_.config["project_query"] = {"SELECT value FROM settings WHERE name = 'project'"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("project \"Other\", but this station works for \"Plant\""));
    EXPECT_TRUE(finds_.wait_for_projects("Other"));
    run_sql(list(), "UPDATE settings SET value = 'Plant'");
    EXPECT_TRUE(finds_.wait_for_projects("Plant"));
    EXPECT_TRUE(finds_.wait_for_note(""));
    run_sql(list(), "DELETE FROM settings");
    EXPECT_TRUE(finds_.wait_for_note("gives nothing"));
    EXPECT_TRUE(finds_.wait_for_projects(""));
}

} // namespace
} // namespace stationsync::test
