// What a scan finds: which statements of users are changes, and when they were.
#include "component/sqlserver/sqlserver_station.hpp"

namespace stationsync::test {
namespace {

// Scans before and after `statements`; whether the second one finds another content.
bool is_change(SqlStation& station, const std::vector<std::string>& statements) {
    const sdk::Mark before = station.object().mark;
    SqlClient client = station.client();
    for (const std::string& statement : statements)
        client.run(statement);
    return station.object().mark != before;
}

class SqlServerLook : public SqlServerPlugin {
protected:
    SqlStation& begin(const std::string& version = "2019", bool is_auto_close = false) {
        SqlStation& made = station(version);
        made.make_database("plant", is_auto_close);
        made.start();
        return made;
    }
};

TEST_F(SqlServerLook, AnUnchangedDatabaseIsNeverEnteredAgain) {
    SqlStation& station = begin();
    const sdk::Object first = station.object();
    station.object(); // sums up the rows, once
    const std::size_t since = station.journal_length();
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ(station.object().mark, first.mark);
    const std::string journal = station.journal(since);
    EXPECT_EQ(journal.find("[plant]"), std::string::npos) << journal.substr(0, 2000);
    EXPECT_EQ(journal.find("BACKUP"), std::string::npos);
    EXPECT_NE(journal.find("sys.databases"), std::string::npos);
}

TEST_F(SqlServerLook, WhatUsersWriteIsAChange) {
    for (const std::string version : {"2012", "2019", "2022"}) {
        SqlStation station(folder_ / version, version);
        station.make_database();
        station.start();
        for (const std::string statement :
             {"INSERT INTO plant.dbo.recipe VALUES (3, N'jam', 1)",
              "UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1",
              "DELETE FROM plant.dbo.recipe WHERE id = 3",
              "MERGE plant.dbo.recipe AS t USING (SELECT 9 AS id) AS s ON t.id = s.id WHEN NOT "
              "MATCHED THEN INSERT (id, name, amount) VALUES (9, N'x', 1);",
              "CREATE TABLE plant.dbo.other (id int)", "ALTER TABLE plant.dbo.other ADD n int",
              "DROP TABLE plant.dbo.other"})
            EXPECT_TRUE(is_change(station, {statement})) << version << ": " << statement;
        EXPECT_TRUE(is_change(station, {"USE plant", "CREATE PROCEDURE p AS SELECT 1"})) << version;
        station.stop();
        EXPECT_EQ(station.server().problems(), "");
    }
}

TEST_F(SqlServerLook, WhatTheServerWritesIsNoChange) {
    SqlStation& station = begin();
    const std::string backup = (station.folder() / "server" / "x.bak").string();
    for (const std::vector<std::string>& statements :
         {std::vector<std::string>{"USE plant", "CHECKPOINT"},
          {"BACKUP DATABASE plant TO DISK = N'" + backup + "' WITH INIT, FORMAT"},
          {"DBCC CHECKDB (plant) WITH NO_INFOMSGS"},
          {"USE plant", "UPDATE STATISTICS dbo.recipe"}})
        EXPECT_FALSE(is_change(station, statements)) << statements.back();
}

TEST_F(SqlServerLook, TablesInMemoryAreWatchedByTheirOwnCounters) {
    SqlStation& station = begin();
    SqlClient client = station.client();
    client.run("ALTER DATABASE plant ADD FILEGROUP fast CONTAINS MEMORY_OPTIMIZED_DATA");
    client.run("USE plant");
    client.run("CREATE TABLE dbo.quick (id int PRIMARY KEY NONCLUSTERED) "
               "WITH (MEMORY_OPTIMIZED = ON)");
    station.object();
    EXPECT_FALSE(is_change(station, {"USE plant", "CHECKPOINT"}));
    EXPECT_TRUE(is_change(station, {"INSERT INTO plant.dbo.quick VALUES (1)"}));
    EXPECT_FALSE(is_change(station, {"USE plant", "CHECKPOINT"}));
}

TEST_F(SqlServerLook, TheTimeOfAChangeIsWithinItsInterval) {
    SqlStation& station = begin();
    station.object();
    const stsync_time before = station.now();
    station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
    const stsync_time after = station.now();
    const sdk::Object changed = station.object();
    constexpr stsync_time tick = 10'000; // datetime counts in thirds of 10 ms
    EXPECT_GE(changed.changed_at, before - tick);
    EXPECT_LE(changed.changed_at, after + tick);
    EXPECT_LE(changed.changed_not_before, before);
    EXPECT_EQ(changed.flags, 0u);
}

} // namespace
} // namespace stationsync::test
