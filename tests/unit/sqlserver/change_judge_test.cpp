#include "change_judge.hpp"

#include "package_label.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

constexpr stsync_time second = 1'000'000;
constexpr stsync_time hour = 3600 * second;
constexpr stsync_time start_of_2026 = 1'767'225'600 * second;
constexpr stsync_time clean = start_of_2026 + 100 * hour;

// A database as it was at `clean`, and the same one 15 s later; local time is UTC + 1 h.
class ChangeJudge : public ::testing::Test {
protected:
    ChangeJudge() {
        look_.moment = {clean, clean, 60};
        look_.started = start_of_2026;
        look_.entry.name = "plant";
        look_.entry.state = "ONLINE";
        look_.entry.collation = "Latin1_General_CI_AS";
        look_.entry.options = "SIMPLE|150|";
        look_.entry.created = start_of_2026;
        Gate gate;
        gate.log_end = Lsn{45, 166, 190};
        gate.log_min = Lsn{45, 100, 1};
        gate.log_writes = 10;
        gate.log_bytes = 5120;
        look_.gate = gate;
        look_.usage = {4, local(clean - hour)};
        look_.knows_history = true;
        look_.restore = RestoreRow{7, local(clean - 50 * hour), "OLD-SET", std::nullopt, ""};
        Fingerprint inside;
        inside.parts = {{"objects", "12"}, {"rows", "100"}};
        inside.modifications = 5;
        inside.newest_object = local(clean - 20 * hour);
        inside.database_guid = "GUID";
        inside.family_guid = "FAMILY";
        inside.fork_guid = "FORK";
        look_.fingerprint = inside;

        baseline_.content.bytes[0] = 1;
        baseline_.clean_at = clean;
        baseline_.changed_at = clean - 30 * hour;
        baseline_.evidence = evidence_of(look_, {});
        now(clean + 15 * second);
    }

    static LocalTime local(stsync_time utc) { return utc + hour; }
    void now(stsync_time at) { look_.moment.at = look_.moment.server_utc = at; }
    void move_gate() {
        look_.gate->log_end->block += 8;
        *look_.gate->log_writes += 1;
        *look_.gate->log_bytes += 512;
    }
    void restart() {
        look_.started = local(clean + 5 * second);
        look_.usage = {};
        look_.gate->log_writes = 1;
        look_.gate->log_bytes = 512;
        look_.gate->log_end->block += 8;
    }
    Verdict verdict() const { return judge(baseline_, look_); }

    Baseline baseline_;
    DatabaseLook look_;
};

TEST_F(ChangeJudge, AnEqualGateNeedsNothingElse) {
    look_.fingerprint.reset();
    EXPECT_EQ(verdict().change, Change::unchanged);
    EXPECT_EQ(verdict().needs, Needs::nothing);
    EXPECT_EQ(same_state(verdict()), SameState::yes);
}

TEST_F(ChangeJudge, CountersOfTheLogAreAGateWhereThereAreNoPositions) {
    baseline_.evidence.gate->log_end.reset();
    look_.gate->log_end.reset();
    EXPECT_EQ(verdict().change, Change::unchanged);
    restart();
    look_.gate->log_end.reset();
    look_.gate->log_writes = baseline_.evidence.gate->log_writes;
    look_.gate->log_bytes = baseline_.evidence.gate->log_bytes;
    EXPECT_EQ(verdict().change, Change::uncertain) << "they have begun anew";
}

TEST_F(ChangeJudge, CountersThatAutoCloseMayHaveEmptiedAreNoGate) {
    baseline_.evidence.gate->log_end.reset();
    look_.gate->log_end.reset();
    look_.entry.is_auto_close = true;
    baseline_.evidence.usage = look_.usage = {};
    EXPECT_NE(verdict().change, Change::unchanged);
}

TEST_F(ChangeJudge, AMovedGateAsksForTheFingerprint) {
    move_gate();
    look_.fingerprint.reset();
    EXPECT_EQ(verdict().needs, Needs::fingerprint);
    EXPECT_EQ(same_state(verdict()), SameState::cannot_tell);
}

TEST_F(ChangeJudge, AMovedGateWithoutEvidenceIsTheSystem) {
    move_gate();
    EXPECT_EQ(verdict().change, Change::system_activity);
    EXPECT_EQ(same_state(verdict()), SameState::yes);
}

TEST_F(ChangeJudge, MoreUpdatesAreAChangeAtTheirTime) {
    move_gate();
    look_.usage = {5, local(clean + 7 * second)};
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_EQ(verdict().changed_at, clean + 7 * second);
    EXPECT_EQ(verdict().changed_not_before, clean);
    EXPECT_EQ(verdict().flags, 0u);
    EXPECT_EQ(same_state(verdict()), SameState::no);
}

TEST_F(ChangeJudge, ARebuiltIndexLosesCountsButNotTheNewerTime) {
    move_gate();
    look_.usage = {1, local(clean + 7 * second)};
    EXPECT_EQ(verdict().change, Change::changed);
    look_.usage = {1, local(clean - 2 * hour)};
    EXPECT_EQ(verdict().change, Change::uncertain) << "the counts went back";
}

TEST_F(ChangeJudge, OtherObjectsAreAChangeAtTheirTime) {
    move_gate();
    look_.fingerprint->parts["objects"] = "13";
    look_.fingerprint->newest_object = local(clean + 3 * second);
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_EQ(verdict().changed_at, clean + 3 * second);
}

TEST_F(ChangeJudge, OtherRowsOrOptionsAreAChangeBeforeThisLook) {
    move_gate();
    look_.fingerprint->parts["rows"] = "101";
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_EQ(verdict().changed_at, look_.moment.at);
    look_.fingerprint->parts["rows"] = "100";
    look_.entry.options = "FULL|150|";
    EXPECT_EQ(verdict().change, Change::changed);
}

TEST_F(ChangeJudge, ModificationCountersTellAndTheirResetDoesNot) {
    move_gate();
    look_.fingerprint->modifications = 6;
    EXPECT_EQ(verdict().change, Change::changed);
    look_.fingerprint->modifications = 0;
    look_.fingerprint->statistics_updated = local(clean + second);
    EXPECT_EQ(verdict().change, Change::system_activity);
}

TEST_F(ChangeJudge, AfterARestartEqualFingerprintsLeaveADoubtWithTheOldestTime) {
    restart();
    EXPECT_EQ(verdict().change, Change::uncertain);
    EXPECT_EQ(verdict().changed_at, clean + 1000);
    EXPECT_EQ(verdict().flags, STSYNC_OBJECT_TIME_UNCERTAIN);
    EXPECT_TRUE(verdict().may_be_settled_by_rows);
    EXPECT_EQ(same_state(verdict()), SameState::cannot_tell);
}

TEST_F(ChangeJudge, ChangesBeforeARestartWereBeforeIt) {
    restart();
    look_.fingerprint->parts["rows"] = "99";
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_EQ(verdict().changed_at, clean + 5 * second);
}

TEST_F(ChangeJudge, UpdatesSinceARestartAreAChange) {
    restart();
    look_.usage = {1, local(clean + 9 * second)};
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_EQ(verdict().changed_at, clean + 9 * second);
}

TEST_F(ChangeJudge, AClosedDatabaseWaitsUntilItIsOpened) {
    look_.entry.collation.reset();
    look_.gate.reset();
    EXPECT_EQ(verdict().needs, Needs::wake);
    baseline_.was_closed = true;
    look_.entry.collation = "Latin1_General_CI_AS";
    look_.gate = baseline_.evidence.gate;
    look_.usage = {};
    move_gate();
    EXPECT_EQ(verdict().change, Change::uncertain) << "whatever was done while it was open before";
}

TEST_F(ChangeJudge, WhatIsNotCountedCountsAsChangedAtTheOldestTime) {
    move_gate();
    look_.fingerprint->has_memory_tables = true;
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_EQ(verdict().changed_at, clean + 1000);
    EXPECT_TRUE(verdict().is_not_counted);
    EXPECT_TRUE(verdict().may_be_settled_by_rows);
    baseline_.evidence.fingerprint.memory_writes = look_.fingerprint->memory_writes = 4;
    EXPECT_EQ(verdict().change, Change::system_activity) << "they are counted, and not written";
    look_.fingerprint->memory_writes = 5;
    EXPECT_EQ(verdict().changed_at, look_.moment.at);
    look_.fingerprint->has_memory_tables = false;
    look_.counts_usage = false;
    EXPECT_EQ(verdict().change, Change::changed);
    EXPECT_TRUE(verdict().is_not_counted);
    EXPECT_TRUE(verdict().may_be_settled_by_rows);
    look_.fingerprint->parts["rows"] = "101";
    EXPECT_FALSE(verdict().is_not_counted) << "this one is known";
}

TEST_F(ChangeJudge, CountersGoOnWhileTheDatabaseIsKeptOpen) {
    move_gate();
    look_.entry.is_auto_close = true;
    baseline_.evidence.usage = look_.usage = {};
    EXPECT_EQ(verdict().change, Change::uncertain);
    look_.was_kept_open = true;
    EXPECT_EQ(verdict().change, Change::system_activity);
    baseline_.was_closed = true; // before that
    EXPECT_EQ(verdict().change, Change::uncertain);
}

TEST_F(ChangeJudge, AForeignRestoreHasTheTimeOfItsBackup) {
    move_gate();
    look_.usage = {};
    look_.restore = RestoreRow{8, local(clean + 4 * second), "SET", local(clean - 9 * hour), "x"};
    EXPECT_EQ(verdict().change, Change::restored);
    EXPECT_EQ(verdict().flags, STSYNC_OBJECT_RESTORED);
    EXPECT_EQ(verdict().changed_at, clean - 9 * hour);
    EXPECT_TRUE(verdict().content.is_none());
}

// A package of ours, brought back by hand to what it was made of, with nothing done to it since.
class RestoredPackage : public ChangeJudge {
protected:
    RestoredPackage() {
        baseline_.remember_backup("SET");
        package_ = baseline_.content;
        baseline_.content.bytes[0] = 2; // another state since
        look_.usage = {};
        look_.restore = RestoreRow{8, local(clean + second), "SET", local(clean - hour), ""};
    }
    ContentId package_;
};

TEST_F(RestoredPackage, IsKnownByItsSetOrItsLabel) {
    EXPECT_EQ(verdict().content, package_);
    EXPECT_EQ(verdict().changed_at, clean - 30 * hour);
    look_.restore->backup_set = "OTHER-SET";
    EXPECT_TRUE(verdict().content.is_none());
    look_.restore->description = to_text(PackageLabel{package_, clean - 30 * hour, "S"});
    EXPECT_EQ(verdict().content, package_);
    EXPECT_EQ(verdict().flags, STSYNC_OBJECT_RESTORED);
    look_.fingerprint.reset();
    EXPECT_EQ(verdict().needs, Needs::fingerprint);
}

TEST_F(RestoredPackage, IsAnotherStateOnceAnythingWasDoneToIt) {
    const DatabaseLook as_restored = look_;
    const auto expect_new = [&](const char* what) {
        EXPECT_EQ(verdict().change, Change::restored) << what;
        EXPECT_NE(verdict().flags & STSYNC_OBJECT_RESTORED, 0u) << what;
        EXPECT_TRUE(verdict().content.is_none()) << what;
        look_ = as_restored;
    };
    look_.usage = {1, local(clean + 2 * second)};
    expect_new("rows");
    look_.usage.updates = 1;
    expect_new("rows, at a time that is not told");
    look_.fingerprint->parts["objects"] = "13";
    expect_new("objects");
    look_.entry.options = "FULL|150|";
    expect_new("options");
    look_.counts_usage = false;
    expect_new("not counted");
    look_.fingerprint->has_memory_tables = true;
    expect_new("tables in memory");
    look_.started = local(clean + 3 * second);
    expect_new("the counters began anew by a restart");
    look_.entry.is_auto_close = true;
    expect_new("the counters may have begun anew by AUTO_CLOSE");
    EXPECT_EQ(verdict().content, package_);
}

TEST_F(RestoredPackage, OfAStateThatWasWrittenMeanwhileIsNotKnown) {
    baseline_.past.clear();
    baseline_.remember_backup("SET", false);
    EXPECT_TRUE(verdict().content.is_none());
}

TEST_F(RestoredPackage, OfAnotherStationGivesItsTimeOnly) {
    baseline_.past.clear();
    ContentId content;
    content.bytes[3] = 9;
    look_.restore->description = to_text(PackageLabel{content, clean - 12 * hour, "S"});
    EXPECT_TRUE(verdict().content.is_none());
    EXPECT_EQ(verdict().changed_at, clean - 12 * hour);
}

TEST_F(RestoredPackage, OfThePresentStateIsNoChange) {
    baseline_.content = package_;
    EXPECT_EQ(verdict().change, Change::system_activity);
    look_.fingerprint->parts["rows"] = "101";
    EXPECT_EQ(verdict().change, Change::restored);
    EXPECT_TRUE(verdict().content.is_none());
}

TEST_F(ChangeJudge, AnOlderLogMeansThatFilesWerePutBack) {
    look_.gate->log_end->file -= 1;
    EXPECT_EQ(verdict().change, Change::restored);
    EXPECT_NE(verdict().flags & STSYNC_OBJECT_RESTORED, 0u);
}

TEST_F(ChangeJudge, ARenamedDatabaseIsTheSame) {
    look_.entry.created += hour;
    EXPECT_EQ(verdict().change, Change::unchanged);
    look_.fingerprint->fork_guid = "OTHER";
    EXPECT_EQ(verdict().change, Change::restored) << "another incarnation";
    look_.fingerprint->family_guid = look_.fingerprint->database_guid = "OTHER";
    EXPECT_EQ(verdict().change, Change::changed) << "another database";
}

TEST_F(ChangeJudge, TheFirstLookNeverSaysNow) {
    look_.usage.last_update.reset();
    look_.restore.reset();
    EXPECT_EQ(judge_first(look_).changed_at, clean - 20 * hour) << "the newest object";
    look_.restore = RestoreRow{1, local(clean), "S", local(clean - 2 * hour), ""};
    look_.entry.created = local(clean);
    EXPECT_EQ(judge_first(look_).changed_at, clean - 2 * hour) << "not the day of the restore";
    look_.usage.last_update = local(clean - hour);
    EXPECT_EQ(judge_first(look_).changed_at, clean - hour);
}

TEST_F(ChangeJudge, TimesAreTakenIntoTheInterval) {
    move_gate();
    // Daylight saving ended between the write and the look: its local time is an hour ahead.
    look_.usage = {5, local(clean + 7 * second) + hour};
    EXPECT_EQ(verdict().changed_at, clean + 7 * second);
    // A clock that was a day off.
    look_.usage.last_update = local(clean) + 24 * hour;
    EXPECT_EQ(verdict().changed_at, look_.moment.at);
    look_.usage.last_update = local(clean) - 24 * hour;
    EXPECT_EQ(verdict().changed_at, clean + 1);
}

TEST_F(ChangeJudge, TimesAreThoseOfThisStation) {
    move_gate();
    look_.moment.server_utc = look_.moment.at - 100 * second; // its clock is behind
    look_.usage = {5, local(clean + 7 * second) - 100 * second};
    EXPECT_EQ(verdict().changed_at, clean + 7 * second);
}

} // namespace
} // namespace stationsync::sqlserver
