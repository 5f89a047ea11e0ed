// The plugin as the service loads it, with stations of the configuration and of SQLite databases.
#include "component/discovery_static/discovery_fixture.hpp"

namespace stationsync::test {
namespace {

TEST_F(DiscoveryStatic, StationsOfTheConfigurationAreFound) {
    host_.config["stations"] = {"Station-B:8883", "10.0.0.3", "[fe80::1%2]:9000", " c "};
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.3 [fe80::1%2]:9000 c station-b:8883"));
}

TEST_F(DiscoveryStatic, WrongConfigurationIsToldWithTheElement) {
    const std::vector<std::string> wrong = {"",        "a:b:c", "host:0", "host:65536", "host:",
                                            "[fe80::", "ho st", "[::1]8", "host:12x",   "[host]:1"};
    for (const std::string& element : wrong) {
        host_.config["stations"] = {"good", element};
        EXPECT_NE(make().find('"' + element + '"'), std::string::npos) << element;
    }
    host_.config.clear();
    EXPECT_NE(make().find("Neither"), std::string::npos);
    host_.config["query"] = {"SELECT 1"};
    EXPECT_NE(make().find("database"), std::string::npos);
    host_.config["database"] = {"relative.db"};
    EXPECT_NE(make().find("absolute"), std::string::npos);
    host_.config["odbc"] = {"Driver=X"};
    EXPECT_NE(make().find("Both"), std::string::npos);
    host_.config.erase("database");
    host_.config["interval"] = {"0"};
    EXPECT_NE(make().find("interval"), std::string::npos);
    host_.config.erase("interval");
    host_.config["odbc"] = {"Server=x"};
    EXPECT_NE(make().find("neither Driver nor DSN"), std::string::npos);
    host_.config["odbc"] = {"Driver=x;Pwd=geheim"};
    const std::string told = make();
    EXPECT_NE(told.find("secret set"), std::string::npos) << told;
    EXPECT_EQ(told.find("geheim"), std::string::npos) << told;
    host_.config["odbc"] = {"Driver=x"};
    host_.config["password"] = {"geheim"};
    EXPECT_NE(make().find("must not stand in the file"), std::string::npos);
    host_.config.clear();
    host_.config["stations"] = {"a"};
    host_.config["password"] = {"geheim"};
    EXPECT_NE(make().find("needs \"odbc\""), std::string::npos);
}

TEST_F(DiscoveryStatic, ListIsReadAgainWhileRunning) {
    const auto path = use_database("('A','10.0.0.1'),('B','10.0.0.2:9000')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2:9000"));
    run_sql(path, "INSERT INTO stations VALUES('C','[fd00::3]')");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2:9000 [fd00::3]"));
    run_sql(path, "UPDATE stations SET address='10.0.0.9' WHERE name='B'");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.9 [fd00::3]"));
    EXPECT_EQ(finds_.updates(), 1u);
    run_sql(path, "DELETE FROM stations WHERE name='A'");
    EXPECT_TRUE(finds_.wait_for("10.0.0.9 [fd00::3]"));
    EXPECT_EQ(finds_.note(), "");
}

TEST_F(DiscoveryStatic, SeveralRowsOfOneNameAreAddressesOfOneStation) {
    use_database("('A','10.0.0.1'),('A','a.plant')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1,a.plant"));
}

TEST_F(DiscoveryStatic, OwnQueryGivesTheColumnsByName) {
    const auto path = folder_ / "other.db";
    run_sql(path, "CREATE TABLE node(ip, port, label, active);"
                  "INSERT INTO node VALUES('10.1.1.1', 8883, 'A', 1), ('10.1.1.2', 1, 'B', 0)");
    host_.config["database"] = {path};
    host_.config["query"] = {
        "SELECT ip || ':' || port AS Address, label AS Name FROM node WHERE active"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.1.1.1:8883"));
}

TEST_F(DiscoveryStatic, QueryCannotWrite) {
    const auto path = use_database("('A','10.0.0.1')");
    host_.config["query"] = {"DELETE FROM stations RETURNING name, address"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("readonly"));
    end();
    EXPECT_EQ(run_sql(path, "SELECT count(*) FROM stations"), "1");
}

TEST_F(DiscoveryStatic, BadRowsAreLeftOutAndToldOnce) {
    const auto path = folder_ / "bad.db";
    run_sql(path, "CREATE TABLE stations(name, address); INSERT INTO stations VALUES('A','ok'),"
                  "('B','fe80::1'),('C',NULL),('D','host:99999'),(x'ff','host'),(NULL,'nameless')");
    host_.config["database"] = {path};
    start();
    EXPECT_TRUE(finds_.wait_for("ok nameless"));
    EXPECT_EQ(host_.count_log("discovery-static.row"), 4u);
    run_sql(path, "INSERT INTO stations VALUES('E','e')");
    EXPECT_TRUE(finds_.wait_for("ok e nameless"));
    EXPECT_EQ(host_.count_log("discovery-static.row"), 4u);
    for (const LogLine& line : host_.log())
        EXPECT_NE(line.text.find("Row "), std::string::npos) << line.text;
}

TEST_F(DiscoveryStatic, OwnRowIsSkipped) {
    use_database("('A','10.0.0.1'),('B','10.0.0.2'),('C','10.0.0.3:9000')");
    host_.config["stations"] = {"10.0.0.2:8883"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.2:8883 10.0.0.1 10.0.0.2 10.0.0.3:9000"));
    announce("A", "10.0.0.2:8883");
    EXPECT_TRUE(finds_.wait_for("10.0.0.3:9000"));
}

TEST_F(DiscoveryStatic, LastListStaysWhileTheDatabaseIsAway) {
    const auto path = use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    std::filesystem::rename(path, folder_ / "moved.db");
    EXPECT_TRUE(finds_.wait_for_note("is not there"));
    EXPECT_EQ(finds_.addresses(), "10.0.0.1");
    const std::size_t notes = finds_.notes();
    FakeOp op;
    for (int i = 0; i < 3; ++i)
        table_->probe(instance_, op.abi(), sdk::to_abi(""));
    end();
    EXPECT_EQ(finds_.notes(), notes);
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    std::filesystem::rename(folder_ / "moved.db", path);
    run_sql(path, "INSERT INTO stations VALUES('B','10.0.0.2')");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(DiscoveryStatic, DamagedOrForeignFileKeepsTheLastList) {
    const auto path = use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    write_file(path, std::string(5000, 'x'));
    EXPECT_TRUE(finds_.wait_for_note("cannot be read"));
    EXPECT_EQ(finds_.addresses(), "10.0.0.1");
}

TEST_F(DiscoveryStatic, LockedDatabaseIsWaitedFor) {
    const auto path = use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    {
        Database writer(path);
        writer.run("BEGIN EXCLUSIVE; INSERT INTO stations VALUES('B','10.0.0.2')");
        FakeOp op;
        table_->probe(instance_, op.abi(), sdk::to_abi(""));
        EXPECT_TRUE(finds_.wait_for_note("cannot be read"));
        EXPECT_EQ(finds_.addresses(), "10.0.0.1");
        writer.run("COMMIT");
    }
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(DiscoveryStatic, DatabaseWithALogIsRead) {
    const auto path = use_database("('A','10.0.0.1')");
    Database writer(path);
    writer.run("PRAGMA journal_mode=WAL; INSERT INTO stations VALUES('B','10.0.0.2')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    writer.run("INSERT INTO stations VALUES('C','10.0.0.3')");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2 10.0.0.3"));
}

TEST_F(DiscoveryStatic, StopEndsALongQueryInTime) {
    use_database("('A','10.0.0.1')");
    host_.config["query"] = {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                             "SELECT 'x' AS name, max(i) AS address FROM n"};
    start();
    end();
}

TEST_F(DiscoveryStatic, QuietWhenNothingChanges) {
    use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    const std::size_t calls = finds_.calls();
    FakeOp op;
    for (int i = 0; i < 20; ++i)
        table_->probe(instance_, op.abi(), sdk::to_abi(""));
    end();
    EXPECT_EQ(finds_.calls(), calls);
}

} // namespace
} // namespace stationsync::test
