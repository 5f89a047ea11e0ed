// Packages into databases, with users in them.
#include "component/sqlserver_apply/apply_fixture.hpp"

#include "quoting.hpp"

#include <set>

namespace stationsync::test {
namespace {

TEST_F(SqlServerApply, SideBySideExchangesTheContentAndReportsItsMark) {
    start();
    make_two_states();
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_EQ(*ended.mark, sql::mark_of(fresh_.content));
    EXPECT_EQ(ended.changed_at, 1'700'000'000'000'000);
    expect_whole("plant", "fresh");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content)) << "an echo";
}

TEST_F(SqlServerApply, InPlaceExchangesTheContentAndReportsItsMark) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_EQ(*ended.mark, sql::mark_of(fresh_.content));
    expect_whole("plant", "fresh");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content)) << "an echo";
    EXPECT_TRUE(std::filesystem::is_empty(server_folder() / "backup")) << "the copy is gone";
}

// 16
TEST_F(SqlServerApply, NothingIsSeenAsAChangeAfterwardsAlsoOverRestarts) {
    start();
    make_two_states();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        const bool is_first = mode == sql::RestoreMode::side_by_side;
        const Package& next = is_first ? fresh_ : old_;
        const Package& before = is_first ? old_ : fresh_;
        const Ended ended = station_->apply("plant", next, sql::mark_of(before.content),
                                            is_first ? std::uint8_t{1} : std::uint8_t{2});
        ASSERT_TRUE(ended.mark) << ended.text;
        for (int look = 0; look < 10; ++look)
            ASSERT_EQ(station_->mark_of("plant"), ended.mark) << look;
        station_->begin();
        EXPECT_EQ(station_->mark_of("plant"), ended.mark) << "after a restart of the service";
        stand_in_->tell(R"("do":"restart")");
        station_->disconnect();
        EXPECT_EQ(station_->mark_of("plant"), ended.mark) << "after a restart of the server";
    }
}

// 18
TEST_F(SqlServerApply, AChangeDirectlyAfterwardsIsSeen) {
    start();
    make_two_states();
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    write("plant", "changed");
    EXPECT_NE(station_->mark_of("plant"), sql::mark_of(fresh_.content));
}

TEST_F(SqlServerApply, TheSameApplyTwiceHasOneEffect) {
    start();
    make_two_states();
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    const std::string restores = "SELECT COUNT(*) FROM msdb.dbo.restorehistory";
    EXPECT_EQ(station_->sql(restores), "1");
    station_->begin();
    const Ended again = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(again.mark, sql::mark_of(fresh_.content)) << again.text;
    EXPECT_EQ(again.changed_at, 1'700'000'000'000'000);
    EXPECT_EQ(station_->sql(restores), "1");
    // Another id, but what the package holds is there already.
    EXPECT_EQ(station_->apply("plant", fresh_, sql::mark_of(old_.content), 2).mark,
              sql::mark_of(fresh_.content));
    EXPECT_EQ(station_->sql(restores), "1");
}

TEST_F(SqlServerApply, AChangeBeforeItIsAConflictAndNothingIsTouched) {
    start();
    make_two_states();
    write("plant", "work of a user");
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(ended.status, STSYNC_CONFLICT) << ended.text;
    expect_whole("plant", "work of a user");
    EXPECT_EQ(station_->sql("SELECT COUNT(*) FROM msdb.dbo.restorehistory"), "0");
    EXPECT_EQ(station_->apply("plant", fresh_, {}, 2).status, STSYNC_CONFLICT)
        << "expected to be absent";
    EXPECT_EQ(station_->apply("other", fresh_, sql::mark_of(old_.content), 3).status,
              STSYNC_CONFLICT)
        << "expected to be there";
}

TEST_F(SqlServerApply, AChangeWhileItIsPreparedIsAConflictAndTheDatabaseIsOpenedAgain) {
    start();
    make_two_states();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        station_->begin();
        bool was_done = false;
        station_->server->before = [&](int, const std::string& text) {
            if (text.find("RESTRICTED_USER WITH ROLLBACK") != std::string::npos && !was_done) {
                was_done = true;
                write("plant", "work of a user");
            }
        };
        const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
        EXPECT_TRUE(was_done);
        EXPECT_EQ(ended.status, STSYNC_CONFLICT) << ended.text;
        expect_whole("plant", "work of a user");
        write("plant", "old");
        station_->know("plant", old_.content, sql::Origin::backup);
    }
}

// 27
TEST_F(SqlServerApply, AnAbsentDatabaseIsMadeInTheDefaultFolder) {
    start();
    make_two_states();
    station_->sql("DROP DATABASE plant");
    const Ended ended = station_->apply("plant", fresh_, {});
    ASSERT_TRUE(ended.mark) << ended.text;
    expect_whole("plant", "fresh");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content));
    EXPECT_EQ(station_->sql("SELECT SUSER_SNAME(owner_sid) FROM sys.databases "
                            "WHERE name = N'plant'"),
              "sa");
}

// 45: dropped here, it comes back.
TEST_F(SqlServerApply, ADroppedDatabaseComesBackUnderItsOldBaseline) {
    start();
    make_two_states();
    station_->sql("DROP DATABASE plant");
    EXPECT_EQ(station_->mark_of("plant"), sdk::Mark());
    EXPECT_EQ(station_->apply("plant", old_, {}).mark, sql::mark_of(old_.content));
    expect_whole("plant", "old");
}

// 27
TEST_F(SqlServerApply, AFileOfOthersIsNeverOverwritten) {
    start();
    make_two_states();
    // Whatever name is chosen first is taken.
    std::vector<std::string> taken;
    station_->server->before = [&](int, const std::string& text) {
        if (!text.starts_with("RESTORE DATABASE") || !taken.empty())
            return;
        const std::size_t begin = text.find("TO N'") + 5;
        taken.push_back(text.substr(begin, text.find('\'', begin) - begin));
        write_file(taken.back(), "a file of somebody else");
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(read_file(taken.front()), "a file of somebody else");
    std::filesystem::remove(taken.front());
    expect_whole("plant", "fresh");
}

// 22
TEST_F(SqlServerApply, UsersAreNamedAndDisconnectedAndFindTheNewContent) {
    start();
    make_two_states();
    stand_in_->tell(R"("do":"enter","database":"plant","program":"HMI")");
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    expect_whole("plant", "fresh");
    bool was_named = false;
    for (const LogLine& line : station_->host.log())
        was_named = was_named || (line.code == "sqlserver.sessions" &&
                                  line.text.find("HMI") != std::string::npos);
    EXPECT_TRUE(was_named);
}

// 25
TEST_F(SqlServerApply, WhoeverGrabsTheOnlyPlaceIsPutOutAgain) {
    start();
    make_two_states();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        const bool is_first = mode == sql::RestoreMode::side_by_side;
        station_->settings.restore_mode = mode;
        stand_in_->tell(
            R"("do":"intruder","database":"plant","login":"sa","times":3,"when":"after")");
        const Ended ended = station_->apply("plant", is_first ? fresh_ : old_,
                                            sql::mark_of((is_first ? old_ : fresh_).content),
                                            is_first ? std::uint8_t{1} : std::uint8_t{2});
        stand_in_->tell(R"("do":"clear_faults")");
        EXPECT_TRUE(ended.mark) << ended.text;
        expect_whole("plant", is_first ? "fresh" : "old");
    }
}

// 25
TEST_F(SqlServerApply, WhoeverNeverGivesThePlaceUpEndsItCleanly) {
    start();
    make_two_states();
    stand_in_->tell(R"("do":"intruder","database":"plant","login":"sa","times":1000,)"
                    R"("when":"after","access":"SINGLE_USER","program":"HMI loop")");
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(ended.status, STSYNC_BUSY) << ended.text;
    EXPECT_NE(ended.text.find("HMI loop"), std::string::npos) << ended.text;
    stand_in_->tell(R"("do":"clear_faults")");
    expect_whole("plant", "old");
}

// Counted at the server: what comes to it in one piece is one, whoever sends it.
TEST_F(SqlServerApply, TheOutageIsAtMostEightBatchesThatTouchNoData) {
    start();
    make_two_states();
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    const std::string journal = stand_in_->tell(R"("do":"journal")");
    const std::size_t begin = journal.find("ALTER DATABASE [plant] SET RESTRICTED_USER WITH");
    const std::size_t end = journal.find("ALTER DATABASE [plant] SET MULTI_USER", begin);
    ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
    const std::string outage = journal.substr(begin, end - begin);
    std::set<std::string> batches = {"that which lets users in"};
    for (std::size_t at = outage.find("\"batch\": "); at != std::string::npos;
         at = outage.find("\"batch\": ", at + 1))
        batches.insert(outage.substr(at, outage.find(',', at) - at));
    EXPECT_LE(batches.size(), 8u) << outage;
    EXPECT_GE(batches.size(), 5u) << outage;
    for (const char* const touching :
         {"dbo.recipe", "RESTORE", "BACKUP", "INSERT", "UPDATE ", "DELETE", "CHECKDB", "DROP"})
        EXPECT_EQ(outage.find(touching), std::string::npos) << touching;
}

// 34
TEST_F(SqlServerApply, OwnerUsersAndOptionsFitTheStationAfterwards) {
    start();
    station_->sql("CREATE LOGIN boss WITH PASSWORD = 'x', CHECK_POLICY = OFF");
    station_->sql("CREATE LOGIN operator1 WITH PASSWORD = 'x', CHECK_POLICY = OFF");
    make("plant", "fresh");
    station_->sql("ALTER DATABASE plant SET RECOVERY FULL");
    station_->sql("EXEC plant.sys.sp_executesql N'CREATE USER operator1 FOR LOGIN operator1'");
    fresh_ = pack("plant", "fresh");
    write("plant", "old");
    station_->sql("ALTER DATABASE plant SET RECOVERY SIMPLE");
    station_->sql("ALTER AUTHORIZATION ON DATABASE::plant TO boss");
    station_->sql("ALTER DATABASE plant SET TRUSTWORTHY ON");
    old_ = pack("plant", "old");
    station_->know("plant", old_.content, sql::Origin::backup);
    // On this server the login has another identity than where the package was made.
    station_->sql("DROP LOGIN operator1");
    station_->sql("CREATE LOGIN operator1 WITH PASSWORD = 'y', CHECK_POLICY = OFF, SID = "
                  "0x0123456789ABCDEF0123456789ABCDEF");
    station_->know("plant", old_.content, sql::Origin::backup);
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    const std::string one = " FROM sys.databases WHERE name = N'plant'";
    EXPECT_EQ(station_->sql("SELECT SUSER_SNAME(owner_sid)" + one), "boss");
    EXPECT_EQ(station_->sql("SELECT is_trustworthy_on" + one), "0");
    EXPECT_EQ(station_->sql("SELECT recovery_model_desc" + one), "FULL");
    EXPECT_EQ(station_->sql("SELECT COUNT(*) FROM plant.sys.database_principals dp "
                            "JOIN sys.server_principals sp ON sp.sid = dp.sid "
                            "WHERE dp.name = N'operator1' AND sp.name = N'operator1'"),
              "1");
    EXPECT_GE(station_->host.count_log("sqlserver.restore"), 1u) << "TRUSTWORTHY, FULL";
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content))
        << "the repairs are no change";
}

// 34
TEST_F(SqlServerApply, OptionsAreKeptWhereThatIsWanted) {
    start();
    make_two_states();
    station_->sql("ALTER DATABASE plant SET TRUSTWORTHY ON");
    station_->sql("ALTER DATABASE plant SET ENABLE_BROKER");
    station_->know("plant", old_.content, sql::Origin::backup);
    station_->settings.preserves_trustworthy = true;
    station_->settings.preserves_broker = true;
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    const std::string one = " FROM sys.databases WHERE name = N'plant'";
    EXPECT_EQ(station_->sql("SELECT is_trustworthy_on" + one), "1");
    EXPECT_EQ(station_->sql("SELECT is_broker_enabled" + one), "1");
    expect_whole("plant", "fresh");
    EXPECT_EQ(station_->mark_of("plant"), ended.mark);
}

// 29
TEST_F(SqlServerApply, AnotherDatabaseOfTheSameNameIsHeldUnlessItIsTheFirstTime) {
    start();
    make_two_states();
    const Package foreign = fresh_;
    station_->sql("DROP DATABASE plant");
    make("plant", "other");
    const Package other = pack("plant", "other");
    station_->know("plant", other.content, sql::Origin::restore);
    const Ended held = station_->apply("plant", foreign, sql::mark_of(other.content));
    EXPECT_EQ(held.status, STSYNC_INCOMPATIBLE) << held.text;
    EXPECT_NE(held.text.find("accept_foreign_family"), std::string::npos) << held.text;
    expect_whole("plant", "other");

    station_->know("plant", other.content, sql::Origin::initial);
    const Ended first = station_->apply("plant", foreign, sql::mark_of(other.content), 2);
    ASSERT_TRUE(first.mark) << first.text;
    EXPECT_EQ(note_in("plant"), "fresh");
    const std::vector<std::string> names = databases();
    ASSERT_EQ(names.size(), 2u) << "the other one is kept";
    const std::string& kept = names[names[0] == "plant" ? 1 : 0];
    EXPECT_TRUE(kept.starts_with("~synckept_plant (before ")) << kept;
    EXPECT_EQ(standing(kept).substr(0, 7), "OFFLINE");
    EXPECT_TRUE(station_->open_intents().empty());
}

// Express closes databases that nobody uses, and forgets their counters.
TEST_F(SqlServerApply, ADatabaseWithAutoCloseIsReplacedAsAnyOther) {
    start();
    make_two_states();
    station_->sql("ALTER DATABASE plant SET AUTO_CLOSE ON");
    station_->know("plant", old_.content, sql::Origin::backup);
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        const bool is_first = mode == sql::RestoreMode::side_by_side;
        station_->settings.restore_mode = mode;
        stand_in_->tell(R"("do":"enter","database":"plant","program":"HMI")");
        station_->mark_of("plant");
        const sdk::Mark before = station_->mark_of("plant"); // the second scan sums up the rows
        const Ended ended = station_->apply("plant", is_first ? fresh_ : old_, before,
                                            is_first ? std::uint8_t{1} : std::uint8_t{2});
        ASSERT_TRUE(ended.mark) << ended.text;
        expect_whole("plant", is_first ? "fresh" : "old");
        EXPECT_EQ(station_->mark_of("plant"), ended.mark);
        station_->sql("ALTER DATABASE plant SET AUTO_CLOSE ON");
    }
}

} // namespace
} // namespace stationsync::test
