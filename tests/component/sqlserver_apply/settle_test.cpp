// What an apply leaves behind when it is broken off or somebody interferes, and what is made of it.
#include "component/sqlserver_apply/apply_fixture.hpp"

#include "restore_journal.hpp"
#include "restore_plan.hpp"

#include <thread>

namespace stationsync::test {
namespace {

class SqlServerApplySettles : public SqlServerApply {
protected:
    std::string outgoing() { return beginning("~syncold_"); }
    std::string kept() { return beginning("~synckept_"); }
    std::size_t told(const std::string& part) {
        std::size_t count = 0;
        for (const LogLine& line : station_->host.log())
            count += line.text.find(part) != std::string::npos ? 1 : 0;
        return count;
    }
    std::string beginning(const std::string& prefix) {
        for (const std::string& name : databases())
            if (name.starts_with(prefix))
                return name;
        return "";
    }
    // An apply whose old database cannot be dropped.
    void apply_without_drop() {
        station_->server->refuses = [](int, const std::string& text) {
            return text.find("DROP DATABASE") != std::string::npos;
        };
        const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
        ASSERT_TRUE(ended.mark) << ended.text;
        EXPECT_TRUE(station_->open_intents().empty());
        EXPECT_EQ(station_->leftovers(), std::vector<std::string>{outgoing()});
        station_->server->refuses = nullptr;
    }
    int wakes_of(const std::string& database) {
        const std::string answer = stand_in_->tell(R"("do":"database","name":")" + database + "\"");
        const std::string field = "\"wakes\": ";
        return std::stoi(answer.substr(answer.find(field) + field.size()));
    }
};

TEST_F(SqlServerApplySettles, AKeptDatabaseNeverComesBackUnderTheNameOfTheNewContent) {
    start();
    make_two_states();
    station_->settings.keeps_previous = true;
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    EXPECT_EQ(standing(outgoing()).substr(0, 7), "OFFLINE");
    station_->sql("DROP DATABASE plant");
    const Ended again = station_->apply("plant", fresh_, {}, 2);
    ASSERT_TRUE(again.mark) << again.text;
    EXPECT_EQ(note_in("plant"), "fresh");
    EXPECT_EQ(standing(outgoing()).substr(0, 7), "OFFLINE") << "the last one of it is kept";
    // The next one makes room.
    ASSERT_TRUE(station_->apply("plant", old_, sql::mark_of(fresh_.content), 3).mark);
    EXPECT_EQ(databases().size(), 2u);
    EXPECT_EQ(note_in("plant"), "old");
}

TEST_F(SqlServerApplySettles, AfterTheExchangeADroppedDatabaseStaysDropped) {
    start();
    make_two_states();
    apply_without_drop();
    station_->sql("DROP DATABASE plant");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    EXPECT_EQ(standing("plant"), "none");
    EXPECT_TRUE(station_->open_intents().empty());
    EXPECT_TRUE(station_->leftovers().empty());
    // It may be the last one, and what was told to be kept is kept when the other comes back.
    EXPECT_EQ(standing(kept()), "OFFLINE MULTI_USER");
    ASSERT_TRUE(station_->apply("plant", fresh_, {}, 2).mark);
    ASSERT_TRUE(station_->apply("plant", old_, sql::mark_of(fresh_.content), 3).mark);
    EXPECT_EQ(standing(kept()), "OFFLINE MULTI_USER");
    EXPECT_EQ(databases().size(), 2u);
}

TEST_F(SqlServerApplySettles, ADatabaseThatWasKeptOutlivesAnApplyThatFails) {
    start();
    make_two_states();
    station_->settings.keeps_previous = true;
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    const std::string first = outgoing();
    EXPECT_EQ(standing(first), "OFFLINE MULTI_USER");
    EXPECT_EQ(station_->apply("plant", old_, sql::mark_of(old_.content), 2).status,
              STSYNC_CONFLICT);
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE","stage":"data","percent":40,)"
                    R"("action":"error","errors":[3257,3119,3013])");
    EXPECT_FALSE(station_->apply("plant", old_, sql::mark_of(fresh_.content), 3).mark);
    EXPECT_EQ(standing(first), "OFFLINE MULTI_USER");
    ASSERT_TRUE(station_->apply("plant", old_, sql::mark_of(fresh_.content), 4).mark);
    EXPECT_EQ(standing(first), "none");
    EXPECT_EQ(standing(outgoing()), "OFFLINE MULTI_USER");
    EXPECT_EQ(databases().size(), 2u);
}

TEST_F(SqlServerApplySettles, ADatabaseThatCannotBeDroppedHoldsUpNothing) {
    start();
    make_two_states();
    const std::string no_drop =
        R"("do":"fault","match":"DROP DATABASE","action":"error","errors":[3724],"times":-1)";
    stand_in_->tell(no_drop);
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    const std::string first = outgoing();
    const std::size_t warnings = station_->host.count_log("sqlserver.restore");
    EXPECT_EQ(told("could not be dropped"), 1u);
    for (int scan = 0; scan < 3; ++scan)
        EXPECT_TRUE(station_->settle().empty()) << "no fault of the database";
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content));
    EXPECT_EQ(station_->host.count_log("sqlserver.recovered"), 0u);
    EXPECT_EQ(station_->host.count_log("sqlserver.restore"), warnings) << "told once";
    // The next one has other names.
    write("plant", "edited");
    const Package edited = pack("plant", "edited");
    station_->know("plant", edited.content, sql::Origin::backup);
    const Ended next = station_->apply("plant", old_, sql::mark_of(edited.content), 2);
    ASSERT_TRUE(next.mark) << next.text;
    EXPECT_EQ(note_in("plant"), "old");
    EXPECT_EQ(station_->leftovers().size(), 2u);
    EXPECT_EQ(standing(first), "ONLINE SINGLE_USER");
    stand_in_->tell(R"("do":"clear_faults")");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "old");
}

TEST_F(SqlServerApplySettles, APackageThatCannotBeDroppedHoldsUpNothing) {
    start();
    make_two_states();
    stand_in_->tell(
        R"("do":"fault","match":"DROP DATABASE","action":"error","errors":[1222],"times":-1)");
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE","stage":"data","percent":40,)"
                    R"("action":"error","errors":[3257,3119,3013])");
    const Ended failed = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(failed.status, STSYNC_NO_SPACE) << failed.text;
    EXPECT_TRUE(station_->open_intents().empty());
    EXPECT_TRUE(station_->settle().empty());
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content), 2).mark);
    stand_in_->tell(R"("do":"clear_faults")");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "fresh");
}

// A RESTORE whose connection was lost goes on for a while.
TEST_F(SqlServerApplySettles, APackageThatIsStillBeingRestoredIsDroppedAfterThat) {
    start();
    make_two_states();
    const auto answer = stand_in_->tell(
        R"("do":"fault","match":"^RESTORE DATABASE","stage":"data","percent":40,"action":"hang")");
    const std::string rule =
        answer.substr(answer.find(':') + 1, answer.find('}') - answer.find(':') - 1);
    auto opened = station_->server->open(sql::SessionRole::monitor, nullptr);
    ASSERT_TRUE(opened.session);
    const auto names = sql::work_names_of("instance-a", "plant", "0a1b2c3d");
    sql::Intent intent;
    intent.key = intent.database = "plant";
    intent.was_there = true;
    intent.access = "MULTI_USER";
    intent.incoming = names.incoming;
    intent.outgoing = names.outgoing;
    intent.primary = (server_folder() / "data" / "plant.0a1b2c3d.mdf").string();
    intent.session = opened.session->id();
    sql::RestoreJournal(sdk::Host(station_->host.abi())).put(intent);
    std::thread restoring([&] {
        sql::RunOptions options;
        options.limit = std::chrono::milliseconds(0);
        opened.session->run("RESTORE DATABASE [" + names.incoming + "] FROM DISK = N'" +
                                fresh_.file.string() + "' WITH MOVE N'plant' TO N'" +
                                intent.primary + "', MOVE N'plant_log' TO N'" + intent.primary +
                                ".ldf'",
                            options);
    });
    while (stand_in_->tell(R"("do":"fault_state","id":)" + rule).find("\"held\": true") ==
           std::string::npos)
        std::this_thread::yield();
    EXPECT_TRUE(station_->settle().empty());
    EXPECT_EQ(station_->leftovers(), std::vector<std::string>{names.incoming});
    for (const std::string& text : station_->server->statements)
        EXPECT_EQ(text.find("DROP DATABASE"), std::string::npos) << "it is not fought";
    EXPECT_EQ(standing("plant"), "ONLINE MULTI_USER");
    EXPECT_EQ(station_->host.count_log("sqlserver.restore"), 0u);
    stand_in_->tell(R"("do":"release","id":)" + rule);
    restoring.join();
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "old");
}

// Killed between the two names, and what would tell of writes cannot be read.
TEST_F(SqlServerApplySettles, ANameIsGivenBackWhateverCannotBeRead) {
    start();
    make_two_states();
    bool is_dead = false;
    station_->server->refuses = [&](int, const std::string&) { return is_dead; };
    station_->server->after = [&](int, const std::string& text) {
        is_dead = is_dead || text.find("MODIFY NAME = [~syncold_") != std::string::npos;
    };
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    EXPECT_EQ(standing("plant"), "none");
    station_->begin();
    station_->server->refuses = [](int, const std::string& text) {
        return text.starts_with("SELECT SUM(user_updates)");
    };
    const Ended recovered = station_->recover();
    EXPECT_EQ(recovered.status, STSYNC_OK) << recovered.text;
    expect_whole("plant", "old");
}

TEST_F(SqlServerApplySettles, UsersGetInWhateverCannotBeReadAndNothingIsLost) {
    start();
    make_two_states();
    // The exchange goes through, its answer with the traces of writes is lost.
    station_->server->refuses = [](int, const std::string& text) {
        return text.starts_with("SELECT SUM(user_updates)");
    };
    station_->server->loses_answer = [](int, const std::string& text) {
        return text.find("MODIFY NAME = [plant]") != std::string::npos;
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_EQ(standing("plant"), "ONLINE MULTI_USER");
    EXPECT_EQ(note_in("plant"), "fresh");
    EXPECT_EQ(standing(kept()), "OFFLINE MULTI_USER");
    EXPECT_TRUE(station_->open_intents().empty());
    EXPECT_GE(station_->host.count_log("sqlserver.restore"), 1u);
    station_->sql("ALTER DATABASE [" + kept() + "] SET ONLINE");
    EXPECT_EQ(note_in(kept()), "old");
}

TEST_F(SqlServerApplySettles, ARecordThatCannotBeReadIsToldOnceAndHoldsUpNothing) {
    start();
    make_two_states();
    sql::Intent intent;
    intent.key = intent.database = "plant";
    sql::RestoreJournal(sdk::Host(station_->host.abi())).put(intent);
    station_->host.spoil_kv("restore:");
    for (int scan = 0; scan < 3; ++scan)
        EXPECT_TRUE(station_->settle().empty());
    EXPECT_EQ(station_->host.count_log("sqlserver.journal"), 1u);
    EXPECT_FALSE(sql::RestoreJournal(sdk::Host(station_->host.abi())).has_open());
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    expect_whole("plant", "fresh");
}

TEST_F(SqlServerApplySettles, ADatabaseFoundWithoutAnyRecordHasNoNameThatItMayNotHave) {
    start();
    make_two_states();
    station_->server->refuses = [](int, const std::string& text) {
        return text.find("MODIFY NAME = [plant]") != std::string::npos ||
               text.find("DROP DATABASE") != std::string::npos;
    };
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    std::filesystem::remove(folder_ / "values");
    station_->begin();
    // What is stored speaks of another content.
    station_->sql("ALTER DATABASE [" + outgoing() + "] SET MULTI_USER");
    station_->sql("ALTER DATABASE [" + outgoing() + "] MODIFY NAME = plant");
    station_->know("plant", fresh_.content, sql::Origin::restore);
    const auto names = sql::work_names_of("instance-a", "plant");
    station_->sql("ALTER DATABASE plant MODIFY NAME = [" + names.outgoing + "]");
    EXPECT_EQ(station_->apply("plant", fresh_, {}, 2).status, STSYNC_CONFLICT);
    expect_whole("plant", "old");
    EXPECT_NE(station_->mark_of("plant"), sql::mark_of(fresh_.content));
}

TEST_F(SqlServerApplySettles, AMaintenanceModeOfAPersonIsRespectedAtEachStep) {
    start();
    make_two_states();
    // While the package comes up.
    bool was_done = false;
    station_->server->before = [&](int, const std::string& text) {
        if (text.starts_with("RESTORE DATABASE") && !was_done) {
            was_done = true;
            station_->sql("ALTER DATABASE plant SET SINGLE_USER");
        }
    };
    const Ended refused = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(refused.status, STSYNC_DENIED) << refused.text;
    EXPECT_NE(refused.text.find("single-user"), std::string::npos) << refused.text;
    EXPECT_EQ(standing("plant"), "ONLINE SINGLE_USER");
    station_->sql("ALTER DATABASE plant SET MULTI_USER");
    // And it fails then.
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE","stage":"data","percent":40,)"
                    R"("action":"error","errors":[3257,3119,3013])");
    station_->server->before = [&](int, const std::string& text) {
        if (text.starts_with("RESTORE DATABASE"))
            station_->sql("ALTER DATABASE plant SET RESTRICTED_USER");
    };
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content), 2).mark);
    EXPECT_EQ(standing("plant"), "ONLINE RESTRICTED_USER");
    station_->sql("ALTER DATABASE plant SET MULTI_USER");
    station_->server->before = nullptr;
    // After the exchange, as long as the old one cannot be dropped.
    apply_without_drop();
    station_->sql("ALTER DATABASE plant SET RESTRICTED_USER");
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    EXPECT_EQ(standing("plant"), "ONLINE RESTRICTED_USER");
    EXPECT_TRUE(station_->open_intents().empty());
    EXPECT_EQ(note_in("plant"), "fresh");
}

TEST_F(SqlServerApplySettles, WhatAnAdministratorWritesAfterTheLastLookIsNotLost) {
    start();
    make_two_states();
    bool was_done = false;
    station_->server->before = [&](int, const std::string& text) {
        if (text.find("SET SINGLE_USER WITH ROLLBACK IMMEDIATE; ") != std::string::npos &&
            !was_done) {
            was_done = true;
            write("plant", "work of an administrator");
        }
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_TRUE(was_done);
    EXPECT_EQ(ended.status, STSYNC_CONFLICT) << ended.text;
    expect_whole("plant", "work of an administrator");
    EXPECT_NE(station_->mark_of("plant"), sql::mark_of(old_.content)) << "it is a change";
}

TEST_F(SqlServerApplySettles, ItIsNotLostEitherWhenTheProcessDiesInBetween) {
    start();
    make_two_states();
    station_->server->before = [&](int, const std::string& text) {
        if (text.find("SET SINGLE_USER WITH ROLLBACK IMMEDIATE; ") != std::string::npos &&
            note_in("plant") == "old")
            write("plant", "work of an administrator");
    };
    // From the exchange on nothing gets through any more.
    bool is_dead = false;
    station_->server->refuses = [&](int, const std::string&) { return is_dead; };
    station_->server->after = [&](int, const std::string& text) {
        is_dead = is_dead || text.find("MODIFY NAME = [plant]") != std::string::npos;
    };
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    station_->begin();
    EXPECT_EQ(station_->recover().status, STSYNC_OK);
    expect_whole("plant", "work of an administrator");
}

TEST_F(SqlServerApplySettles, InPlaceTheEvidenceIsLookedAtBeforeEachFurtherAttempt) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    bool was_done = false;
    station_->server->refuses = [&](int, const std::string& text) {
        if (text.find("SET OFFLINE") == std::string::npos || was_done)
            return false;
        was_done = true;
        write("plant", "work of an administrator");
        return true;
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_TRUE(was_done);
    EXPECT_EQ(ended.status, STSYNC_CONFLICT) << ended.text;
    expect_whole("plant", "work of an administrator");
    EXPECT_NE(station_->mark_of("plant"), sql::mark_of(old_.content)) << "it is a change";
}

TEST_F(SqlServerApplySettles, InPlaceWithoutTheHistoryOfRestoresIsRefusedBeforeAnythingIsTouched) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    stand_in_->tell(R"("do":"fault","match":"MAX.restore_history_id","action":"error",)"
                    R"("errors":[229])");
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(ended.status, STSYNC_DENIED) << ended.text;
    EXPECT_NE(ended.text.find("GRANT SELECT"), std::string::npos) << ended.text;
    expect_whole("plant", "old");
    EXPECT_EQ(station_->sql("SELECT COUNT(*) FROM msdb.dbo.restorehistory"), "0");
}

TEST_F(SqlServerApplySettles, InPlaceWhatTheServerCalledCompleteIsNotAskedForAgain) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    // The fix-ups fail for a while, and msdb cannot be read any more.
    bool is_bad = false;
    station_->server->refuses = [&](int, const std::string& text) {
        return is_bad && (text.find("r.restore_history_id >") != std::string::npos ||
                          text.find("recovery_fork_guid FROM sys.database") != std::string::npos);
    };
    station_->server->after = [&](int, const std::string& text) {
        is_bad = is_bad || text.starts_with("RESTORE DATABASE [plant]");
    };
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    expect_whole("plant", "fresh");
}

TEST_F(SqlServerApplySettles, AnInPlaceRestoreThatCannotBeginIsNoChange) {
    start();
    make_two_states();
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    station_->settings.sum_bytes_max = 0; // no sum of rows helps
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE .plant.*fresh","stage":"header",)"
                    R"("action":"error","errors":[3201,3013])");
    EXPECT_FALSE(station_->apply("plant", fresh_, sql::mark_of(old_.content)).mark);
    expect_whole("plant", "old");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(old_.content));
}

// Dropped while it is half restored, it comes back from its copy; what somebody has put in the
// place of its files meanwhile is no file of it, and REPLACE would write over it.
TEST_F(SqlServerApplySettles, InPlaceTheCopyOfADroppedDatabaseOverwritesNoFileOfOthers) {
    start();
    make_two_states();
    const std::filesystem::path place = server_folder() / "data" / "plant.mdf";
    ASSERT_TRUE(std::filesystem::exists(place));
    station_->settings.restore_mode = sql::RestoreMode::in_place;
    bool was_dropped = false;
    station_->server->loses_answer = [&](int, const std::string& text) {
        if (was_dropped || !text.starts_with("RESTORE DATABASE [plant]"))
            return false;
        was_dropped = true;
        station_->sql("DROP DATABASE plant");
        write_file(place, "a file of somebody else");
        return true;
    };
    stand_in_->tell(R"("do":"fault","match":"^RESTORE DATABASE .plant.*fresh","stage":"data",)"
                    R"("action":"error","errors":[3203,3013])");
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    EXPECT_EQ(ended.status, STSYNC_DENIED) << ended.text;
    EXPECT_NE(ended.text.find("Move those files away"), std::string::npos) << ended.text;
    EXPECT_EQ(read_file(place), "a file of somebody else");
    station_->begin();
    station_->recover();
    EXPECT_EQ(station_->open_intents(), std::vector<std::string>{"plant"});
    EXPECT_EQ(read_file(place), "a file of somebody else");
    std::filesystem::remove(place);
    station_->begin();
    const Ended recovered = station_->recover();
    EXPECT_EQ(recovered.status, STSYNC_OK) << recovered.text;
    expect_whole("plant", "old");
    EXPECT_TRUE(std::filesystem::is_empty(server_folder() / "backup")) << "the copy is gone";
}

TEST_F(SqlServerApplySettles, ARestoreThatRunsOnWithoutItsConnectionIsAwaited) {
    start();
    make_two_states();
    const auto answer = stand_in_->tell(
        R"("do":"fault","match":"^RESTORE DATABASE","stage":"data","percent":40,"action":"hang")");
    const std::string rule =
        answer.substr(answer.find(':') + 1, answer.find('}') - answer.find(':') - 1);
    auto opened = station_->server->open(sql::SessionRole::monitor, nullptr);
    ASSERT_TRUE(opened.session);
    sql::Intent intent;
    intent.key = intent.database = "plant";
    intent.step = sql::RestoreStep::replacing;
    intent.was_there = true;
    intent.access = "MULTI_USER";
    intent.backup_set = fresh_.set_guid;
    intent.content = to_text(fresh_.content);
    intent.apply_id = std::string(32, '0');
    intent.safety_file = intent.safety_here = old_.file.string();
    intent.session = opened.session->id();
    sql::RestoreJournal(sdk::Host(station_->host.abi())).put(intent);
    station_->sql("ALTER DATABASE plant SET OFFLINE WITH ROLLBACK IMMEDIATE");
    sql::Answer done;
    std::thread restoring([&] {
        sql::RunOptions options;
        options.limit = std::chrono::milliseconds(0);
        done = opened.session->run("RESTORE DATABASE plant FROM DISK = N'" + fresh_.file.string() +
                                       "' WITH REPLACE, RESTRICTED_USER",
                                   options);
    });
    while (stand_in_->tell(R"("do":"fault_state","id":)" + rule).find("\"held\": true") ==
           std::string::npos)
        std::this_thread::yield();
    station_->begin();
    const Ended early = station_->recover();
    EXPECT_EQ(early.status, STSYNC_BUSY) << early.text;
    EXPECT_NE(early.text.find("still being restored"), std::string::npos) << early.text;
    stand_in_->tell(R"("do":"release","id":)" + rule);
    restoring.join();
    EXPECT_TRUE(done.is_complete()) << sql::to_text(done.messages);
    const Ended recovered = station_->recover();
    EXPECT_EQ(recovered.status, STSYNC_OK) << recovered.text;
    expect_whole("plant", "fresh");
}

TEST_F(SqlServerApplySettles, ADamagedDatabaseIsFoundByItsCheckAndNeverUsed) {
    start();
    make_two_states();
    station_->settings.checks_database = true;
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        station_->settings.restore_mode = mode;
        station_->begin();
        stand_in_->tell(R"("do":"fault","match":"CHECKDB","action":"error","errors":[8928])");
        const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
        EXPECT_EQ(ended.status, STSYNC_UNSUPPORTED) << ended.text;
        EXPECT_NE(ended.text.find("damaged"), std::string::npos) << ended.text;
        expect_whole("plant", "old");
        EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(old_.content));
    }
    // What would fail again is held back.
    EXPECT_EQ(station_->apply("plant", fresh_, sql::mark_of(old_.content), 2).status, STSYNC_BUSY);
    station_->begin();
    ASSERT_TRUE(station_->apply("plant", fresh_, sql::mark_of(old_.content), 3).mark);
    expect_whole("plant", "fresh");
}

TEST_F(SqlServerApplySettles, NoOtherDatabaseIsWokenByAnApply) {
    start();
    make_two_states();
    make("other", "sleeping");
    station_->sql("ALTER DATABASE other SET AUTO_CLOSE ON");
    station_->disconnect();
    for (const auto mode : {sql::RestoreMode::side_by_side, sql::RestoreMode::in_place}) {
        const bool is_first = mode == sql::RestoreMode::side_by_side;
        station_->settings.restore_mode = mode;
        const int before = wakes_of("other");
        const Ended ended = station_->apply("plant", is_first ? fresh_ : old_,
                                            sql::mark_of((is_first ? old_ : fresh_).content),
                                            is_first ? std::uint8_t{1} : std::uint8_t{2});
        ASSERT_TRUE(ended.mark) << ended.text;
        EXPECT_EQ(wakes_of("other"), before);
    }
}

} // namespace
} // namespace stationsync::test
