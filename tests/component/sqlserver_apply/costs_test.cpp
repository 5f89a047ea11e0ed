// What an apply may cost the users of a database: nothing twice for nothing.
#include "component/sqlserver_apply/apply_fixture.hpp"

#include "restore_journal.hpp"

namespace stationsync::test {
namespace {

class SqlServerApplyCosts : public SqlServerApply {
protected:
    // How often users were put out since the last begin().
    int outages() const { return count("SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE"); }
    int count(const std::string& part) const {
        int found = 0;
        for (const std::string& text : station_->server->statements)
            found += text.find(part) != std::string::npos ? 1 : 0;
        return found;
    }
    void expect_told_before(const Ended& again, const std::string& cause) {
        EXPECT_EQ(again.status, STSYNC_BUSY) << again.text;
        EXPECT_NE(again.text.find("users had been disconnected"), std::string::npos) << again.text;
        EXPECT_NE(again.text.find(cause), std::string::npos) << again.text;
        EXPECT_NE(again.text.find("UTC"), std::string::npos) << again.text;
    }
    void mark(const std::string& fields) {
        stand_in_->tell(R"("do":"mark","database":"plant",)" + fields);
    }
};

TEST_F(SqlServerApplyCosts, TwoFailuresInARowPutTheUsersOutOnce) {
    start();
    make_two_states();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        station_->begin();
        const bool is_in_place = mode == sql::RestoreMode::in_place;
        stand_in_->tell(
            is_in_place ? R"("do":"fault","match":"^RESTORE DATABASE.*fresh","stage":"data",)"
                          R"("percent":40,"action":"error","errors":[3257,3119,3013],"times":-1)"
                        : R"("do":"fault","match":"MODIFY NAME = .~syncold","action":"error",)"
                          R"("errors":[5030],"times":-1)");
        const Ended first = station_->apply("plant", fresh_, sql::mark_of(old_.content), 1);
        EXPECT_FALSE(first.mark);
        expect_whole("plant", "old");
        EXPECT_EQ(outages(), 1);
        const std::size_t statements = station_->server->statements.size();
        const Ended again = station_->apply("plant", fresh_, sql::mark_of(old_.content), 2);
        expect_told_before(again, first.text);
        EXPECT_EQ(station_->server->statements.size(), statements) << "nothing was touched";
        // The same content in another file has to be read to be known.
        Package copied = fresh_;
        copied.file = folder_ / "copied.bak";
        std::filesystem::copy_file(fresh_.file, copied.file,
                                   std::filesystem::copy_options::overwrite_existing);
        expect_told_before(station_->apply("plant", copied, sql::mark_of(old_.content), 3),
                           first.text);
        EXPECT_EQ(outages(), 1);
        stand_in_->tell(R"("do":"clear_faults")");
        // A new order of a person is a revision of another time.
        const Ended ordered =
            station_->apply("plant", fresh_, sql::mark_of(old_.content), 4, 1'700'000'000'000'001);
        ASSERT_TRUE(ordered.mark) << ordered.text;
        ASSERT_TRUE(station_->apply("plant", old_, sql::mark_of(fresh_.content), 5).mark);
    }
}

TEST_F(SqlServerApplyCosts, ARestartOfTheServiceBeginsAnew) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE.*fresh","stage":"data",)"
                    R"("percent":40,"action":"error","errors":[3257,3119,3013])");
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    station_->begin();
    EXPECT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content), 2).mark);
}

TEST_F(SqlServerApplyCosts, WithoutRoomForTheCopyNobodyIsPutOut) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    // Told by SQL Server, where the copy lies beside the database.
    stand_in_->tell(R"("do":"volume","path":")" + server_folder().string() + R"(","free":1000)");
    Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(ended.status, STSYNC_NO_SPACE) << ended.text;
    EXPECT_NE(ended.text.find("copy"), std::string::npos) << ended.text;
    EXPECT_EQ(outages(), 0);
    stand_in_->tell(R"("do":"volume","path":")" + server_folder().string() + R"(","free":null)");
    // Told by this computer, where it is on a disk without any database.
    station_->settings.is_server_here = true;
    station_->host.free_bytes = 1000;
    ended = station_->apply("plant", fresh_, sql::mark_of(old_.content), 2);
    EXPECT_EQ(ended.status, STSYNC_NO_SPACE) << ended.text;
    EXPECT_EQ(outages(), 0);
    expect_whole("plant", "old");
    station_->host.free_bytes.reset();
    EXPECT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content), 3).mark);
    expect_whole("plant", "fresh");
}

TEST_F(SqlServerApplyCosts, WhatTheServerDoesNotAllowIsKnownBeforehand) {
    start({"--version", "2019", "--edition", "developer"});
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    mark(R"("containment":1)");
    const Package contained = pack("plant", "contained");
    mark(R"("containment":0)");
    station_->know("plant", old_.content, sql::Origin::backup);
    const Ended ended = station_->apply("plant", contained, sql::mark_of(old_.content));
    EXPECT_EQ(ended.status, STSYNC_INCOMPATIBLE) << ended.text;
    EXPECT_NE(ended.text.find("contained database authentication"), std::string::npos);
    EXPECT_EQ(outages(), 0);
    expect_whole("plant", "old");
}

// The list of files does not tell FILESTREAM from tables in memory; what is here does.
TEST_F(SqlServerApplyCosts, AFilestreamPackageIsKnownBeforehandAndTablesInMemoryComeIn) {
    start({"--version", "2019", "--edition", "developer"});
    make("plant", "fresh");
    const std::string data = (server_folder() / "data").string();
    station_->sql("ALTER DATABASE plant ADD FILEGROUP held CONTAINS MEMORY_OPTIMIZED_DATA");
    station_->sql("ALTER DATABASE plant ADD FILE (NAME = held, FILENAME = N'" + data +
                  "/held') TO FILEGROUP held");
    fresh_ = pack("plant", "fresh");
    station_->sql("UPDATE plant.dbo.recipe SET note = N'old'");
    old_ = pack("plant", "old");
    station_->know("plant", old_.content, sql::Origin::backup);
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_EQ(note_in("plant"), "fresh");
    EXPECT_EQ(outages(), 1);
    // A database of the same name that has none.
    station_->sql("DROP DATABASE plant");
    station_->begin();
    make("plant", "plain");
    station_->know("plant", old_.content, sql::Origin::backup);
    station_->settings.accepts_foreign_family = true;
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    const Ended refused = station_->apply("plant", fresh_, sql::mark_of(old_.content), 2);
    EXPECT_EQ(refused.status, STSYNC_INCOMPATIBLE) << refused.text;
    EXPECT_NE(refused.text.find("'held'"), std::string::npos) << refused.text;
    EXPECT_EQ(outages(), 0);
    EXPECT_EQ(note_in("plant"), "plain");
}

// A folder as somebody wrote it, which the server stores in its own form.
TEST_F(SqlServerApplyCosts, TheNewDatabaseIsKnownHoweverItsPathIsWritten) {
    start();
    make_two_states();
    station_->settings.data_folder = (server_folder() / "data").string() + "//";
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    expect_whole("plant", "fresh");
}

TEST_F(SqlServerApplyCosts, InPlaceACheckThatWasBrokenOffIsRepeatedBeforeUsersGetIn) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    station_->settings.checks_database = true;
    bool was_lost = false;
    station_->server->loses_answer = [&](int, const std::string& text) {
        return text.find("CHECKDB") != std::string::npos && !std::exchange(was_lost, true);
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_EQ(count("CHECKDB"), 2);
    expect_whole("plant", "fresh");
    // The service dies at it, and what came in is damaged.
    bool is_dead = false;
    station_->server->refuses = [&](int, const std::string& text) {
        return is_dead = is_dead || text.find("CHECKDB") != std::string::npos;
    };
    EXPECT_FALSE(station_->apply("plant", old_, sql::mark_of(fresh_.content), 2).mark);
    stand_in_->tell(R"("do":"fault","match":"CHECKDB","action":"error","errors":[8928])");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "fresh");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content));
}

TEST_F(SqlServerApplyCosts, InPlaceKilledJustAfterOfflineItIsNoChange) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    station_->settings.sum_bytes_max = 0; // no sum of rows helps
    bool is_dead = false;
    station_->server->refuses = [&](int, const std::string&) { return is_dead; };
    station_->server->before = [&](int, const std::string& text) {
        // What was stored then, as if the process had ended after it.
        if (text.find("SET OFFLINE") != std::string::npos)
            std::filesystem::copy_file(folder_ / "values", folder_ / "then");
    };
    station_->server->after = [&](int, const std::string& text) {
        is_dead = is_dead || text.find("SET OFFLINE") != std::string::npos;
    };
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    std::filesystem::rename(folder_ / "then", folder_ / "values");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "old");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(old_.content));
}

TEST_F(SqlServerApplyCosts, InPlaceWhatAPersonTookOfflineStaysSo) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    station_->server->before = [&](int, const std::string& text) {
        if (text.starts_with("BACKUP DATABASE [plant]"))
            station_->sql("ALTER DATABASE plant SET OFFLINE WITH ROLLBACK IMMEDIATE");
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_FALSE(ended.mark);
    EXPECT_NE(ended.text.find("taken offline by somebody"), std::string::npos) << ended.text;
    EXPECT_EQ(standing("plant").substr(0, 7), "OFFLINE");
    station_->server->before = nullptr;
    station_->sql("ALTER DATABASE plant SET ONLINE");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "old");
}

// The values of the host are lost after the content was.
TEST_F(SqlServerApplyCosts, InPlaceWithoutAnyRecordTheCopyIsNamed) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE .plant.*fresh","stage":"data",)"
                    R"("percent":40,"action":"error","errors":[3203,3013])");
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE.*safety","stage":"open",)"
                    R"("action":"error","errors":[1222],"times":-1)");
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    std::filesystem::remove(folder_ / "values");
    stand_in_->tell(R"("do":"clear_faults")");
    station_->begin();
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content), 2);
    EXPECT_EQ(ended.status, STSYNC_DENIED) << ended.text;
    const std::size_t begin = ended.text.find("RESTORE DATABASE [plant]");
    ASSERT_NE(begin, std::string::npos) << ended.text;
    // What it says works.
    const std::size_t end = ended.text.find("; ALTER", begin);
    station_->sql(ended.text.substr(begin, end - begin));
    station_->sql("ALTER DATABASE plant SET MULTI_USER");
    EXPECT_EQ(note_in("plant"), "old");
}

} // namespace
} // namespace stationsync::test
