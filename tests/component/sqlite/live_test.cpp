// Other programs keep the database open while it is scanned, exported and replaced.
#include "component/sqlite/plugin_test.hpp"

#include <thread>

namespace stationsync::test {
namespace {

class LiveDatabase : public SqlitePlugin, public ::testing::WithParamInterface<const char*> {
protected:
    std::string mode() const { return GetParam(); }
    std::string mode_name() const { return mode() == "WAL" ? "wal" : "delete"; }
};

INSTANTIATE_TEST_SUITE_P(JournalModes, LiveDatabase, ::testing::Values("DELETE", "WAL"));

TEST_P(LiveDatabase, ProgramsThatKeepItOpenSeeTheNewContent) {
    const auto package = package_with("second", 2000);
    b_.sql("r.db", recipes(1000, mode(), "first"));
    OtherProgram reader(b_.path("r.db"));
    OtherProgram writer(b_.path("r.db"));
    EXPECT_EQ(reader.sql(note_of_first), "ok first");
    EXPECT_EQ(writer.sql("UPDATE recipe SET note='mine' WHERE id=7"), "ok ");
    const sdk::Object before = b_.object("r.db");

    const ApplyOutcome applied = b_.plugin().apply("r.db", package, before.mark);
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;

    EXPECT_EQ(reader.sql(note_of_first), "ok second");
    EXPECT_EQ(reader.sql("SELECT count(*) FROM recipe"), "ok 2000");
    EXPECT_EQ(writer.sql("UPDATE recipe SET note='third' WHERE id=1"), "ok ");
    EXPECT_EQ(reader.sql(note_of_first), "ok third");
    EXPECT_EQ(reader.sql("PRAGMA integrity_check"), "ok ok");
    EXPECT_EQ(writer.sql("PRAGMA journal_mode"), "ok " + mode_name());
}

TEST_P(LiveDatabase, ProgramsAtWorkOnlyWaitWhileItIsReplacedAgainAndAgain) {
    const auto one = package_with("one", 3000);
    const auto two = package_with("two", 1500);
    b_.sql("r.db", recipes(10, mode(), "first"));
    OtherProgram reader(b_.path("r.db"));
    OtherProgram second_reader(b_.path("r.db"));
    reader.send("count SELECT sum(length(body)) FROM recipe");
    second_reader.send("count SELECT count(*) FROM recipe WHERE note = 'one'");
    for (std::uint8_t round = 1; round <= 6; ++round) {
        const auto expected = b_.object("r.db").mark;
        const ApplyOutcome applied =
            b_.plugin().apply("r.db", round % 2 == 1 ? one : two, expected, round);
        ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
        EXPECT_EQ(b_.object("r.db").mark, applied.mark);
    }
    EXPECT_EQ(reader.tell("release").substr(0, 3), "ok ");
    EXPECT_EQ(second_reader.tell("release").substr(0, 3), "ok ");
    EXPECT_EQ(b_.sql("r.db", note_of_first), "two");
}

TEST_P(LiveDatabase, WriterAtWorkIsNeverOverwrittenUnseen) {
    const auto package = package_with("theirs", 500);
    b_.sql("r.db", recipes(500, mode(), "first") + ";CREATE TABLE log(entry)");
    OtherProgram writer(b_.path("r.db"));
    const sdk::Mark seen = b_.object("r.db").mark;
    writer.send("count INSERT INTO log VALUES(1)");
    // The first row may not be in yet.
    while (b_.object("r.db").mark == seen)
        std::this_thread::yield();
    for (std::uint8_t round = 1; round <= 5; ++round) {
        const ApplyOutcome applied = b_.plugin().apply("r.db", package, seen, round);
        EXPECT_EQ(applied.status, STSYNC_CONFLICT) << applied.text;
    }
    const std::string counted = writer.tell("release");
    ASSERT_EQ(counted.substr(0, 3), "ok ") << counted;
    EXPECT_EQ("ok " + b_.sql("r.db", "SELECT count(*) FROM log"),
              counted.substr(0, counted.find(' ', 3)));
}

TEST_P(LiveDatabase, ExportUnderAWriterIsOneConsistentState) {
    // Both tables always have the same number of rows.
    b_.sql("r.db", recipes(3000, mode()) + ";CREATE TABLE x(a); CREATE TABLE y(a)");
    OtherProgram writer(b_.path("r.db"));
    writer.send("count BEGIN IMMEDIATE; INSERT INTO x VALUES(randomblob(2000)); INSERT INTO y "
                "VALUES(randomblob(2000)); COMMIT");
    for (int round = 0; round < 5; ++round) {
        const auto package = folder_ / ("round" + std::to_string(round));
        const ExportOutcome exported = b_.plugin().export_object("r.db", package);
        ASSERT_EQ(exported.status, STSYNC_OK) << exported.text;
        EXPECT_EQ(run_sql(package, "PRAGMA integrity_check"), "ok");
        EXPECT_EQ(run_sql(package, "SELECT (SELECT count(*) FROM x) = (SELECT count(*) FROM y)"),
                  "1");
        const VerifyOutcome verified = b_.plugin().verify("r.db", package);
        ASSERT_EQ(verified.status, STSYNC_OK) << verified.text;
        EXPECT_EQ(verified.digest, exported.digest);
    }
    EXPECT_EQ(writer.tell("release").substr(0, 3), "ok ");
}

TEST_P(LiveDatabase, EveryWriteIsSeenHoweverSoonItComesAfterAScan) {
    b_.sql("r.db", recipes(10, mode()));
    OtherProgram writer(b_.path("r.db"));
    sdk::Mark last = b_.object("r.db").mark;
    for (int round = 0; round < 100; ++round) {
        writer.sql("UPDATE recipe SET note='" + std::to_string(round) + "' WHERE id=1");
        const sdk::Mark now = b_.object("r.db").mark;
        ASSERT_NE(now, last) << round;
        last = now;
    }
}

TEST_P(LiveDatabase, UnchangedContentKeepsItsMark) {
    b_.sql("r.db", recipes(500, mode()) + ";DELETE FROM recipe WHERE id % 3 = 0");
    const sdk::Object before = b_.object("r.db");
    const std::vector<std::string> harmless = {"SELECT count(*) FROM recipe",
                                               "VACUUM",
                                               "PRAGMA wal_checkpoint(TRUNCATE)",
                                               "ANALYZE",
                                               "REINDEX",
                                               "BEGIN IMMEDIATE; DELETE FROM recipe; ROLLBACK",
                                               "UPDATE recipe SET note = note",
                                               "PRAGMA journal_mode=DELETE",
                                               "PRAGMA journal_mode=WAL",
                                               "PRAGMA journal_mode=" + mode(),
                                               "PRAGMA optimize",
                                               "PRAGMA incremental_vacuum"};
    for (const std::string& sql : harmless) {
        b_.sql("r.db", sql);
        const sdk::Object now = b_.object("r.db");
        EXPECT_EQ(now.mark, before.mark) << sql;
        EXPECT_EQ(now.changed_at, before.changed_at) << sql;
        EXPECT_EQ(now.flags, 0u) << sql;
    }
    std::filesystem::last_write_time(b_.path("r.db"),
                                     std::filesystem::file_time_type::clock::now());
    EXPECT_EQ(b_.object("r.db").mark, before.mark);
    b_.start();
    EXPECT_EQ(b_.object("r.db").mark, before.mark);
}

TEST_P(LiveDatabase, ContentIsReadOnlyWhenTheFilesHaveMoved) {
    b_.sql("r.db", recipes(500, mode()));
    OtherProgram keeps_it_open(b_.path("r.db"));
    keeps_it_open.sql(note_of_first);
    FakeOp first;
    b_.plugin().scan(first);
    EXPECT_GT(first.progress_calls() + first.polls(), 2u);
    const std::uint64_t reading = first.polls();
    for (int round = 0; round < 3; ++round) {
        FakeOp again;
        b_.plugin().scan(again);
        EXPECT_LT(again.polls(), reading);
        EXPECT_EQ(again.progress_calls(), 0u);
    }
    b_.start();
    FakeOp after_restart;
    b_.plugin().scan(after_restart);
    EXPECT_EQ(after_restart.progress_calls(), 0u);
    FakeOp reread;
    b_.plugin().scan(reread, STSYNC_SCAN_REREAD);
    EXPECT_EQ(reread.polls(), reading);
    keeps_it_open.sql("UPDATE recipe SET note='x' WHERE id=3");
    FakeOp changed;
    b_.plugin().scan(changed);
    EXPECT_EQ(changed.polls(), reading);
}

TEST_P(LiveDatabase, SideFilesAreLeftAsTheyWere) {
    b_.sql("r.db", recipes(10, mode()));
    const auto before = b_.names();
    b_.object("r.db");
    b_.export_to("r.db", folder_ / "package");
    EXPECT_EQ(b_.names(), before);
}

TEST_P(LiveDatabase, ReaderWithAnOpenStatementDelaysAnApplyButLosesNothing) {
    const auto package = package_with("second", 50);
    b_.sql("r.db", recipes(50, mode(), "first"));
    OtherProgram reader(b_.path("r.db"));
    ASSERT_EQ(reader.tell("hold SELECT note FROM recipe ORDER BY id"), "ok first");
    const sdk::Mark expected = b_.object("r.db").mark;
    ApplyOutcome applied = b_.plugin().apply("r.db", package, expected);
    if (mode() == "WAL") {
        // A reader of a log keeps its own view.
        EXPECT_EQ(applied.status, STSYNC_OK) << applied.text;
    } else {
        EXPECT_EQ(applied.status, STSYNC_BUSY);
        EXPECT_FALSE(applied.text.empty());
        EXPECT_EQ(b_.sql("r.db", note_of_first), "first");
    }
    reader.tell("release");
    applied = b_.plugin().apply("r.db", package, expected);
    EXPECT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(reader.sql(note_of_first), "ok second");
}

TEST_P(LiveDatabase, WaitingForALockEndsWhenTheCallIsCancelled) {
    const auto package = package_with("second", 50);
    b_.sql("r.db", recipes(50, mode(), "first"));
    const sdk::Mark expected = b_.object("r.db").mark;
    OtherProgram writer(b_.path("r.db"));
    writer.sql("BEGIN IMMEDIATE; DELETE FROM recipe");
    FakeOp op;
    op.cancel_at_poll(20);
    EXPECT_EQ(b_.plugin().apply(op, "r.db", package, expected).status, STSYNC_CANCELLED);
    writer.sql("COMMIT");
    EXPECT_EQ(b_.sql("r.db", "SELECT count(*) FROM recipe"), "0");
}

TEST_P(LiveDatabase, AnotherPageSizeIsBroughtIn) {
    for (const char* size : {"1024", "16384"}) {
        std::filesystem::remove(a_.path("r.db"));
        a_.sql("r.db", "PRAGMA page_size=" + std::string(size) + ";" +
                           recipes(300, "DELETE", std::string("of ") + size));
        const auto package = folder_ / size;
        a_.export_to("r.db", package);
        for (const char* suffix : {"", "-wal", "-shm"})
            std::filesystem::remove(b_.path("r.db" + std::string(suffix)));
        b_.sql("r.db", recipes(40, mode(), "first"));
        OtherProgram reader(b_.path("r.db"));
        EXPECT_EQ(reader.sql(note_of_first), "ok first");
        const ApplyOutcome applied = b_.plugin().apply("r.db", package, b_.object("r.db").mark,
                                                       static_cast<std::uint8_t>(size[1]));
        ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
        EXPECT_EQ(b_.object("r.db").mark, applied.mark);
        EXPECT_EQ(reader.sql(note_of_first), "ok of " + std::string(size));
        EXPECT_EQ(reader.sql("PRAGMA integrity_check"), "ok ok");
        EXPECT_EQ(reader.sql("PRAGMA journal_mode"), "ok " + mode_name());
        EXPECT_TRUE(std::filesystem::is_empty(b_.host().scratch));
    }
}

TEST_P(LiveDatabase, ProgramThatCrashedLeavesNothingInTheWay) {
    const auto package = package_with("second", 50);
    b_.sql("r.db", recipes(2000, mode(), "first"));
    OtherProgram writer(b_.path("r.db"));
    // Spills into the file before it is committed: a hot journal, or frames without commit.
    writer.sql("PRAGMA cache_size=5");
    writer.sql("BEGIN IMMEDIATE; UPDATE recipe SET note='lost', body=randomblob(300)");
    writer.kill();
    EXPECT_EQ(b_.plugin().recover().status, STSYNC_OK);
    const sdk::Object object = b_.object("r.db");
    EXPECT_EQ(b_.sql("r.db", note_of_first), "first");
    EXPECT_EQ(b_.plugin().apply("r.db", package, object.mark).status, STSYNC_OK);
    EXPECT_EQ(b_.sql("r.db", note_of_first + "; PRAGMA integrity_check"), "second\nok");
}

TEST_P(LiveDatabase, WatchHintsAWrite) {
    b_.sql("r.db", recipes(10, mode()));
    OtherProgram writer(b_.path("r.db"));
    writer.sql(note_of_first);
    Hints hints;
    ASSERT_EQ(b_.plugin().start_watch(hints).status, STSYNC_OK);
    writer.sql("UPDATE recipe SET note='new'");
    EXPECT_TRUE(hints.wait_for("r.db", std::chrono::seconds(10)));
    b_.plugin().stop_watch();
    hints.clear();
    writer.sql("UPDATE recipe SET note='newer'");
    EXPECT_EQ(hints.count(), 0u);
}

} // namespace
} // namespace stationsync::test
