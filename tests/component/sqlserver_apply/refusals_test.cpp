// What is refused before anything is touched, and what is broken off.
#include "component/sqlserver_apply/apply_fixture.hpp"

#include "quoting.hpp"

#include <atomic>
#include <thread>

namespace stationsync::test {
namespace {

class SqlServerApplyRefuses : public SqlServerApply {
protected:
    // Refused with a sentence of its own, and nothing was restored or changed.
    void expect_refused(stsync_status status, const std::string& part,
                        const std::string& database = "plant") {
        const std::string restores = "SELECT COUNT(*) FROM msdb.dbo.restorehistory";
        const std::string before = station_->sql(restores);
        const auto names = databases();
        const Ended ended =
            station_->apply(database, fresh_, sql::mark_of(old_.content), next_id_++);
        EXPECT_EQ(ended.status, status) << ended.text;
        EXPECT_NE(ended.text.find(part), std::string::npos) << ended.text;
        EXPECT_EQ(station_->sql(restores), before) << part;
        EXPECT_EQ(databases(), names) << part;
        EXPECT_TRUE(station_->open_intents().empty()) << part;
    }

    void mark(const std::string& fields) {
        stand_in_->tell(R"("do":"mark","database":"plant",)" + fields);
    }

    std::uint8_t next_id_ = 1;
};

// 28
TEST_F(SqlServerApplyRefuses, DatabasesThatAreNotToBeReplacedEachWithItsOwnSentence) {
    start({"--version", "2019", "--edition", "developer"});
    make_two_states();
    for (const char* const name : {"master", "MSDB", "tempdb", "model", "distribution"})
        expect_refused(STSYNC_INVALID_ARG, "system database", name);
    mark(R"("replica_id":"6F9619FF-8B86-D011-B42D-00C04FC964FF")");
    expect_refused(STSYNC_INCOMPATIBLE, "availability group");
    mark(R"("replica_id":null,"mirroring_guid":"6F9619FF-8B86-D011-B42D-00C04FC964FF")");
    expect_refused(STSYNC_INCOMPATIBLE, "mirrored");
    mark(R"("mirroring_guid":null,"is_published":true)");
    expect_refused(STSYNC_INCOMPATIBLE, "replication");
    mark(R"("is_published":false,"is_cdc_enabled":true)");
    expect_refused(STSYNC_INCOMPATIBLE, "change data capture");
    mark(R"("is_cdc_enabled":false,"is_in_standby":true)");
    expect_refused(STSYNC_INCOMPATIBLE, "standby");
    mark(R"("is_in_standby":false)");
    station_->sql("ALTER DATABASE plant SET READ_ONLY WITH ROLLBACK IMMEDIATE");
    expect_refused(STSYNC_DENIED, "read-only");
    station_->sql("ALTER DATABASE plant SET READ_WRITE WITH ROLLBACK IMMEDIATE");
    station_->sql("ALTER DATABASE plant SET SINGLE_USER WITH ROLLBACK IMMEDIATE");
    expect_refused(STSYNC_DENIED, "single-user");
    station_->sql("ALTER DATABASE plant SET MULTI_USER");
    station_->sql("ALTER DATABASE plant SET OFFLINE WITH ROLLBACK IMMEDIATE");
    expect_refused(STSYNC_DENIED, "offline");
    station_->sql("ALTER DATABASE plant SET ONLINE");
    station_->sql("CREATE DATABASE plant_snapshot ON (NAME = N'plant', FILENAME = N'" +
                  (server_folder() / "data" / "plant.ss").string() + "') AS SNAPSHOT OF plant");
    expect_refused(STSYNC_INCOMPATIBLE, "plant_snapshot");
    EXPECT_EQ(note_in("plant"), "old");
}

// 30
TEST_F(SqlServerApplyRefuses, ADamagedPackageBeforeTheLiveDatabaseIsTouched) {
    start();
    make_two_states();
    const std::string good = read_file(fresh_.file);
    std::string one_bit = good;
    one_bit[good.size() - 5000] = static_cast<char>(one_bit[good.size() - 5000] ^ 1);
    const std::vector<std::pair<const char*, std::string>> packages = {
        {"one bit", one_bit},
        {"cut", good.substr(0, good.size() - 9000)},
        {"empty", ""},
        {"zip", "PK\3\4" + std::string(4000, 'x')},
    };
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        for (const auto& [what, bytes] : packages) {
            write_file(fresh_.file, bytes);
            bool was_touched = false;
            station_->server->before = [&](int, const std::string& text) {
                was_touched = was_touched || text.find("ALTER DATABASE [plant]") == 0 ||
                              text.find("RESTORE DATABASE [plant]") == 0;
            };
            const Ended ended =
                station_->apply("plant", fresh_, sql::mark_of(old_.content), next_id_++);
            EXPECT_EQ(ended.status, STSYNC_CORRUPT) << what << ": " << ended.text;
            EXPECT_FALSE(was_touched) << what;
            expect_whole("plant", "old", what);
        }
    }
}

// 31
TEST_F(SqlServerApplyRefuses, PackagesOfOtherServersByTheTableOfVersions) {
    start({"--version", "2022", "--edition", "developer"});
    make("plant", "from 2022");
    fresh_ = pack("plant", "newer");
    stand_in_.reset();
    std::filesystem::remove_all(server_folder());
    start({"--version", "2019", "--edition", "express"});
    make("plant", "old");
    old_ = pack("plant", "old");
    station_->know("plant", old_.content, sql::Origin::backup);
    expect_refused(STSYNC_INCOMPATIBLE, "2022");
    expect_whole("plant", "old");
}

// 31
TEST_F(SqlServerApplyRefuses, AnOtherBuildOnlyWhereThatIsWanted) {
    start({"--version", "2019", "--edition", "developer", "--build", "15.0.4100.1"});
    make("plant", "fresh");
    fresh_ = pack("plant", "fresh");
    stand_in_.reset();
    std::filesystem::remove_all(server_folder());
    start({"--version", "2019", "--edition", "developer"});
    station_->settings.is_build_exact = true;
    EXPECT_EQ(station_->apply("plant", fresh_, {}).status, STSYNC_INCOMPATIBLE);
    station_->settings.is_build_exact = false;
    const Ended ended = station_->apply("plant", fresh_, {}, 2);
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_GE(station_->host.count_log("sqlserver.restore"), 1u) << "the other build is told";
}

// 31
TEST_F(SqlServerApplyRefuses, AnEncryptedPackageWithoutItsCertificate) {
    start({"--version", "2019", "--edition", "developer"});
    make_two_states();
    mark(R"("thumbprint":"0102030405060708090A0B0C0D0E0F1011121314")");
    fresh_ = pack("plant", "encrypted");
    station_->know("plant", old_.content, sql::Origin::backup);
    expect_refused(STSYNC_INCOMPATIBLE, "certificate");
    stand_in_->tell(R"("do":"certificate","name":"tde",)"
                    R"("thumbprint":"0102030405060708090A0B0C0D0E0F1011121314")");
    EXPECT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content), 77).mark);
}

// 33
TEST_F(SqlServerApplyRefuses, TooLittleSpaceBeforeAnythingIsTouched) {
    start();
    make_two_states();
    stand_in_->tell(R"("do":"volume","path":")" + (server_folder() / "data").string() +
                    R"(","free":1000000)");
    expect_refused(STSYNC_NO_SPACE, "MiB are needed");
    expect_whole("plant", "old");
    // In place there is room, for the old files go.
    station_->settings.restore_mode = sql::RestoreMode::automatic;
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content), 50);
    ASSERT_TRUE(ended.mark) << ended.text;
    expect_whole("plant", "fresh");
    bool was_in_place = false;
    for (const std::string& text : station_->server->statements)
        was_in_place = was_in_place || text.find("REPLACE") != std::string::npos;
    EXPECT_TRUE(was_in_place);
}

// 33
TEST_F(SqlServerApplyRefuses, ADiskThatFillsUpLeavesTheOldContent) {
    start();
    make_two_states();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE.*fresh","stage":"data",)"
                        R"("percent":40,"action":"error","errors":[3257,3119,3013])");
        const Ended ended =
            station_->apply("plant", fresh_, sql::mark_of(old_.content), next_id_++);
        EXPECT_EQ(ended.status, STSYNC_NO_SPACE) << ended.text;
        expect_whole("plant", "old");
        EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(old_.content));
    }
}

// 20 and 21
TEST_F(SqlServerApplyRefuses, HostileNamesAndTextsGoThroughAWholeCycle) {
    start({"--version", "2019", "--edition", "developer"});
    for (const std::string& name :
         {std::string("a]b"), std::string("x'y"), std::string("Žluť😀"), std::string("a;b--"),
          std::string("con"), std::string(128, 'n')}) {
        for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
            station_->settings.restore_mode = mode;
            make(name, "fresh'; DROP DATABASE model;--");
            station_->sql("ALTER DATABASE " + sql::quoted_name(name) +
                          " MODIFY FILE (NAME = " + sql::quoted_name(name) +
                          ", NEWNAME = [it's]] N'x'; DROP DATABASE model--])");
            fresh_ = pack(name, "fresh");
            write(name, "old");
            old_ = pack(name, "old");
            station_->know(name, old_.content, sql::Origin::backup);
            const Ended ended =
                station_->apply(name, fresh_, sql::mark_of(old_.content), next_id_++);
            ASSERT_TRUE(ended.mark) << name << ended.text;
            expect_whole(name, "fresh'; DROP DATABASE model;--");
            station_->sql("DROP DATABASE " + sql::quoted_name(name));
            const Ended made = station_->apply(name, fresh_, {}, next_id_++);
            ASSERT_TRUE(made.mark) << name << made.text;
            expect_whole(name, "fresh'; DROP DATABASE model;--");
            station_->sql("DROP DATABASE " + sql::quoted_name(name));
        }
    }
    EXPECT_EQ(station_->apply(std::string(129, 'n'), fresh_, {}).status, STSYNC_INVALID_ARG);
}

// 37
TEST_F(SqlServerApplyRefuses, ACancelledRestoreEndsSoonAndLeavesNothing) {
    start();
    make_two_states();
    stand_in_->tell(R"("do":"allow_attentions","count":20)");
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE","stage":"data","percent":40,)"
                    R"("action":"hang")");
    station_->op.cancel_at_poll(12);
    const auto begin = std::chrono::steady_clock::now();
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
    EXPECT_EQ(ended.status, STSYNC_CANCELLED) << ended.text;
    stand_in_->tell(R"("do":"clear_faults")");
    expect_whole("plant", "old");
}

// The server is gone in the middle, and comes back.
TEST_F(SqlServerApplyRefuses, AServerThatStopsInTheMiddleIsSettledWhenItIsBack) {
    start();
    make_two_states();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        // A scan has summed up the rows, by which it is known again after the restart.
        ASSERT_EQ(station_->mark_of("plant"), sql::mark_of(old_.content));
        bool has_stopped = false;
        station_->server->before = [&](int, const std::string& text) {
            if (text.starts_with("RESTORE DATABASE") && !has_stopped) {
                has_stopped = true;
                stand_in_->tell(R"("do":"stop")");
            }
        };
        const Ended ended =
            station_->apply("plant", fresh_, sql::mark_of(old_.content), next_id_++);
        EXPECT_EQ(ended.status, STSYNC_BUSY) << ended.text;
        EXPECT_EQ(station_->recover().status, STSYNC_BUSY) << "it cannot be asked";
        stand_in_->tell(R"("do":"start")");
        station_->disconnect();
        station_->begin();
        const Ended recovered = station_->recover();
        EXPECT_EQ(recovered.status, STSYNC_OK) << recovered.text;
        expect_whole("plant", "old");
    }
}

// The values of the host are lost: the names alone tell.
TEST_F(SqlServerApplyRefuses, WhatAKilledApplyLeftIsFoundWithoutAnyRecord) {
    start();
    make_two_states();
    station_->server->refuses = [](int, const std::string& text) {
        return text.find("MODIFY NAME = [plant]") != std::string::npos ||
               text.find("DROP DATABASE") != std::string::npos;
    };
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    EXPECT_EQ(standing("plant"), "none");
    std::filesystem::remove(folder_ / "values");
    station_->begin();
    // The host believes it absent, and the plugin finds it again: that is a conflict, not a loss.
    EXPECT_EQ(station_->apply("plant", fresh_, {}, 2).status, STSYNC_CONFLICT);
    expect_whole("plant", "old");
}

} // namespace
} // namespace stationsync::test
