// What is known of a database after its server was restarted, closed it, or got another one in its
// place, and when the clocks go wrong.
#include "component/sqlserver/sqlserver_station.hpp"

#include "quoting.hpp"

namespace stationsync::test {
namespace {

constexpr stsync_time second = 1'000'000;

class SqlServerRestart : public SqlServerPlugin {
protected:
    SqlStation& begin(bool is_auto_close = false, const std::string& version = "2019") {
        SqlStation& made = station(version);
        made.make_database("plant", is_auto_close);
        made.start();
        return made;
    }
    static void restart_server(SqlStation& station) { station.server().tell(R"("do":"restart")"); }
    static int wakes(SqlStation& station) {
        const std::string answer = station.server().tell(R"("do":"database","name":"plant")");
        const std::string field = "\"wakes\": ";
        return std::stoi(answer.substr(answer.find(field) + field.size()));
    }
    // A backup by the operator, with his own tools.
    static std::string back_up_by_hand(SqlStation& station) {
        std::string file = (station.folder() / "server" / "hand.bak").string();
        station.client().run("BACKUP DATABASE plant TO DISK = " + sql::quoted_path(file) +
                             " WITH FORMAT, INIT, CHECKSUM");
        return file;
    }
    static void restore_by_hand(SqlStation& station, const std::string& file) {
        station.client().run("RESTORE DATABASE plant FROM DISK = " + sql::quoted_path(file) +
                             " WITH REPLACE, RECOVERY");
    }
};

TEST_F(SqlServerRestart, AnUnchangedDatabaseIsCleanAfterARestartOfTheServer) {
    for (const std::string version : {"2012", "2019"}) {
        SqlStation station(folder_ / version, version);
        station.make_database();
        station.start();
        const sdk::Mark mark = station.object().mark;
        station.object();
        station.server().tell(R"("do":"restart")");
        EXPECT_EQ(station.object().mark, mark) << version;
        station.start(); // and of the service
        EXPECT_EQ(station.object().mark, mark) << version;
        station.stop();
        EXPECT_EQ(station.server().problems(), "");
    }
}

TEST_F(SqlServerRestart, AChangeJustBeforeARestartIsFound) {
    SqlStation& station = begin();
    const sdk::Mark mark = station.object().mark;
    station.object();
    const stsync_time before = station.now();
    // Neither the number of rows nor a counter tells of this one.
    station.client().run("UPDATE plant.dbo.recipe SET amount = 77 WHERE id = 1");
    restart_server(station);
    const sdk::Object changed = station.object();
    EXPECT_NE(changed.mark, mark);
    EXPECT_LE(changed.changed_not_before, before);
    EXPECT_LE(changed.changed_at, station.now());
}

TEST_F(SqlServerRestart, WhatMayHaveChangedGetsTheOldestTime) {
    SqlStation& station = this->station();
    station.host().config["sum_below_mb"] = {"0"}; // as with a large database
    station.make_database();
    station.start();
    const sdk::Mark mark = station.object().mark;
    const stsync_time clean = station.now();
    restart_server(station);
    const sdk::Object object = station.object();
    EXPECT_NE(object.mark, mark);
    EXPECT_NE(object.flags & STSYNC_OBJECT_TIME_UNCERTAIN, 0u);
    EXPECT_LE(object.changed_at, clean + 2000) << "it loses to any real change since";
    EXPECT_EQ(station.object().mark, object.mark) << "and only once";
}

TEST_F(SqlServerRestart, UncertainChangesCanBeIgnored) {
    SqlStation& station = this->station();
    station.host().config["sum_below_mb"] = {"0"};
    station.host().config["on_uncertain"] = {"ignore"};
    station.make_database();
    station.start();
    const sdk::Mark mark = station.object().mark;
    restart_server(station);
    EXPECT_EQ(station.object().mark, mark);
}

TEST_F(SqlServerRestart, AClosedDatabaseIsNotWokenByLooks) {
    SqlStation& station = begin(true);
    const sdk::Mark mark = station.object().mark;
    const int before = wakes(station);
    for (int i = 0; i < 20; ++i)
        ASSERT_EQ(station.object().mark, mark);
    EXPECT_EQ(wakes(station), before);
}

TEST_F(SqlServerRestart, AChangeInAShortSessionIsFoundAtTheNextOpening) {
    SqlStation& station = begin(true);
    const sdk::Mark mark = station.object().mark;
    const stsync_time before = station.now();
    {
        SqlClient visitor = station.client();
        visitor.run("USE plant");
        visitor.run("UPDATE dbo.recipe SET amount = 8 WHERE id = 1");
        visitor.run("USE master"); // closes it now, and not when the server sees the session end
    }
    station.object();
    SqlClient reader = station.client();
    reader.run("USE plant");
    const sdk::Object found = station.object();
    EXPECT_NE(found.mark, mark);
    EXPECT_LE(found.changed_not_before, before);
}

TEST_F(SqlServerRestart, AShortSessionThatOnlyReadsIsNoChange) {
    SqlStation& station = begin(true);
    const sdk::Mark mark = station.object().mark;
    for (int i = 0; i < 3; ++i) {
        SqlClient reader = station.client();
        reader.run("USE plant");
        reader.run("SELECT * FROM dbo.recipe");
        EXPECT_EQ(station.object().mark, mark);
        reader.run("USE master");
        EXPECT_EQ(station.object().mark, mark);
    }
}

TEST_F(SqlServerRestart, ABackupOfAClosedDatabaseKeepsItsMark) {
    SqlStation& station = begin(true);
    const sdk::Object object = station.object();
    EXPECT_EQ(station.export_to("1").mark, object.mark);
    EXPECT_EQ(station.object().mark, object.mark);
    SqlClient reader = station.client();
    reader.run("USE plant");
    EXPECT_EQ(station.object().mark, object.mark);
}

TEST_F(SqlServerRestart, AForeignRestoreIsToldWithTheTimeOfItsBackup) {
    for (const bool is_auto_close : {false, true}) {
        SqlStation station(folder_ / (is_auto_close ? "closed" : "open"));
        station.make_database("plant", is_auto_close);
        station.start();
        const sdk::Mark first = station.object().mark;
        const stsync_time before = station.now();
        const std::string file = back_up_by_hand(station);
        const stsync_time backed_up = station.now();
        station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
        if (is_auto_close)
            station.client().run("ALTER DATABASE plant SET AUTO_CLOSE OFF");
        const sdk::Mark second_mark = station.object().mark;
        EXPECT_NE(second_mark, first);
        station.server().tell(R"("do":"clock","offset_s":3600)");
        station.host().set_clock_offset(3600 * second);
        restore_by_hand(station, file);
        const sdk::Object restored = station.object();
        EXPECT_NE(restored.mark, second_mark);
        EXPECT_NE(restored.flags & STSYNC_OBJECT_RESTORED, 0u);
        EXPECT_GE(restored.changed_at, before - second);
        EXPECT_LE(restored.changed_at, backed_up + second);
        EXPECT_EQ(station.object().mark, restored.mark);
        station.stop();
        EXPECT_EQ(station.server().problems(), "");
    }
}

TEST_F(SqlServerRestart, AnEditOnTopOfAForeignRestoreIsStillOne) {
    SqlStation& station = begin();
    const std::string file = back_up_by_hand(station);
    station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
    station.object();
    restore_by_hand(station, file);
    station.client().run("UPDATE plant.dbo.recipe SET amount = 5 WHERE id = 1");
    EXPECT_NE(station.object().flags & STSYNC_OBJECT_RESTORED, 0u);
}

TEST_F(SqlServerRestart, OurOwnPackageRestoredByHandIsKnownAgain) {
    SqlStation& station = begin();
    const sdk::Object object = station.object();
    station.export_to("1");
    station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
    EXPECT_NE(station.object().mark, object.mark);
    restore_by_hand(station, station.package("1").string());
    const sdk::Object again = station.object();
    EXPECT_EQ(again.mark, object.mark);
    EXPECT_EQ(again.changed_at, object.changed_at);
    EXPECT_NE(again.flags & STSYNC_OBJECT_RESTORED, 0u);
}

TEST_F(SqlServerRestart, AnEditOfOurOwnRestoredPackageIsNotTakenForThePackage) {
    SqlStation& station = begin();
    const sdk::Object object = station.object();
    station.export_to("1");
    station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
    const sdk::Mark edited = station.object().mark;
    for (const std::string edit :
         {"CREATE TABLE plant.dbo.other (id int)", "ALTER DATABASE plant SET RECOVERY FULL"}) {
        restore_by_hand(station, station.package("1").string());
        station.client().run(edit);
        const sdk::Object again = station.object();
        EXPECT_NE(again.mark, object.mark) << edit;
        EXPECT_NE(again.mark, edited) << edit;
        EXPECT_NE(again.flags & STSYNC_OBJECT_RESTORED, 0u) << edit;
    }
    // An edit that nothing counts any more.
    restore_by_hand(station, station.package("1").string());
    station.client().run("UPDATE plant.dbo.recipe SET amount = 5 WHERE id = 1");
    restart_server(station);
    EXPECT_NE(station.object().mark, object.mark);
}

TEST_F(SqlServerRestart, ALargeDatabaseIsCleanAfterARestartOfTheService) {
    SqlStation& station = this->station();
    station.host().config["sum_below_mb"] = {"0"};
    station.make_database();
    station.start();
    const sdk::Mark mark = station.object().mark;
    for (int i = 0; i < 3; ++i) {
        station.start();
        station.client().run("USE plant; CHECKPOINT");
        EXPECT_EQ(station.object().mark, mark) << "the counters went on meanwhile";
    }
    station.stop();
    station.client().run("UPDATE plant.dbo.recipe SET amount = 4 WHERE id = 1");
    station.start();
    EXPECT_NE(station.object().mark, mark);
}

TEST_F(SqlServerRestart, DaylightSavingAndClocksNeverLeaveTheInterval) {
    SqlStation& station = begin();
    station.server().tell(R"("do":"timezone","name":"Europe/Berlin")");
    station.object();
    stsync_time clean = station.now();
    int amount = 10;
    for (const int offset_s : {0, -3600, 86400, -200}) {
        station.server().tell("\"do\":\"clock\",\"offset_s\":" + std::to_string(offset_s));
        station.client().run("UPDATE plant.dbo.recipe SET amount = " + std::to_string(++amount) +
                             " WHERE id = 1");
        const sdk::Object changed = station.object();
        EXPECT_GE(changed.changed_at, clean - 20'000) << offset_s;
        EXPECT_LE(changed.changed_at, station.now()) << offset_s;
        clean = station.now();
    }
}

TEST_F(SqlServerRestart, WhatWasKeptAndCannotBeReadIsToldOnce) {
    SqlStation& station = begin();
    station.object();
    station.host().spoil_kv("database:");
    station.start();
    station.object();
    station.object();
    EXPECT_EQ(station.host().count_log("sqlserver.baseline"), 1u);
}

} // namespace
} // namespace stationsync::test
