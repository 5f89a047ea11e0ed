// Packages: made, checked, brought in, refused.
#include "component/sqlite/plugin_test.hpp"

#include <random>

namespace stationsync::test {
namespace {

using ApplySqlite = SqlitePlugin;
using PackageSqlite = SqlitePlugin;

TEST_F(PackageSqlite, PagesStandWhereTheyStandInTheDatabase) {
    for (const char* mode : {"DELETE", "WAL"}) {
        const auto package = package_with(mode, 3000, mode);
        a_.sql("r.db", "PRAGMA wal_checkpoint(TRUNCATE)");
        const std::string database = read_file(a_.path("r.db"));
        const std::string packed = read_file(package);
        ASSERT_EQ(packed.size(), database.size());
        EXPECT_EQ(packed.substr(4096), database.substr(4096));
        // Rollback journal: a package is one file.
        EXPECT_EQ(packed[18], 1);
        EXPECT_EQ(packed[19], 1);
        for (const char* suffix : {"-wal", "-shm", "-journal"})
            EXPECT_FALSE(std::filesystem::exists(package.string() + suffix));
    }
}

TEST_F(PackageSqlite, DigestIsThatOfTheContentOnBothStations) {
    const auto package = package_with("first");
    const sdk::Object source = a_.object("r.db");
    const VerifyOutcome verified = b_.plugin().verify("r.db", package);
    ASSERT_EQ(verified.status, STSYNC_OK) << verified.text;
    EXPECT_EQ(verified.digest, source.content_digest);
    ASSERT_EQ(b_.plugin().apply("r.db", package, {}).status, STSYNC_OK);
    const sdk::Object target = b_.object("r.db");
    EXPECT_EQ(target.content_digest, source.content_digest);
    EXPECT_EQ(target.mark, source.mark);
}

TEST_F(PackageSqlite, CheckingAndApplyingLeavesItAlone) {
    const auto package = package_with("first");
    const std::string before = read_file(package);
    const auto modified = std::filesystem::last_write_time(package);
    b_.plugin().verify("r.db", package);
    b_.plugin().apply("r.db", package, {});
    EXPECT_EQ(read_file(package), before);
    EXPECT_EQ(std::filesystem::last_write_time(package), modified);
}

TEST_F(PackageSqlite, TruncatedOneIsRefused) {
    const auto package = package_with("first", 2000);
    const std::string bytes = read_file(package);
    const sdk::Mark before = (b_.sql("r.db", recipes(5)), b_.object("r.db").mark);
    for (std::size_t part = 0; part < 16; ++part) {
        const auto broken = folder_ / "broken";
        write_file(broken, bytes.substr(0, bytes.size() * part / 16));
        const VerifyOutcome verified = b_.plugin().verify("r.db", broken);
        EXPECT_EQ(verified.status, STSYNC_CORRUPT) << part;
        EXPECT_FALSE(verified.text.empty());
        EXPECT_EQ(b_.plugin().apply("r.db", broken, before).status, STSYNC_CORRUPT) << part;
    }
    EXPECT_EQ(b_.object("r.db").mark, before);
}

TEST_F(PackageSqlite, FlippedBitsAreRefusedOrDoNoHarm) {
    const auto package = package_with("first", 300);
    const std::string bytes = read_file(package);
    std::mt19937 random(4711);
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
        std::string broken = bytes;
        // Every other flip hits the parts that tell of structure.
        const std::size_t at = round % 2 == 0
                                   ? random() % broken.size()
                                   : (random() % (broken.size() / 4096)) * 4096 + random() % 120;
        broken[at] = static_cast<char>(broken[at] ^ (1 << (random() % 8)));
        write_file(folder_ / "broken", broken);
        const VerifyOutcome verified = b_.plugin().verify("r.db", folder_ / "broken");
        EXPECT_TRUE(verified.status == STSYNC_OK || verified.status == STSYNC_CORRUPT ||
                    verified.status == STSYNC_INCOMPATIBLE)
            << at << ' ' << verified.status << ' ' << verified.text;
        if (verified.status != STSYNC_OK)
            ++refused;
    }
    EXPECT_GT(refused, 50);
}

TEST_F(PackageSqlite, ForeignFilesAreRefused) {
    const auto package = folder_ / "package";
    for (const std::string& bytes :
         {std::string(), std::string("SQLite format 3"), std::string(8192, '\0'),
          std::string("SQLite format 3\0", 16) + std::string(8192 - 16, 'x')}) {
        write_file(package, bytes);
        const VerifyOutcome verified = b_.plugin().verify("r.db", package);
        EXPECT_EQ(verified.status, STSYNC_CORRUPT) << bytes.size();
        EXPECT_FALSE(verified.text.empty());
    }
    // A database that expects a log beside it is not one of ours.
    run_sql(folder_ / "wal.db", recipes(5, "WAL"));
    EXPECT_EQ(b_.plugin().verify("r.db", folder_ / "wal.db").status, STSYNC_CORRUPT);
}

TEST_F(PackageSqlite, FeaturesOfALaterSqliteAreNoDamage) {
    const auto package = package_with("first");
    std::string bytes = read_file(package);
    const std::size_t at = bytes.find("CREATE TABLE recipe");
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, 12, "CREATE FABLE");
    write_file(package, bytes);
    EXPECT_EQ(b_.plugin().verify("r.db", package).status, STSYNC_CORRUPT);
    bytes[96] = 0x10; // the version of the library that wrote it
    write_file(package, bytes);
    const VerifyOutcome verified = b_.plugin().verify("r.db", package);
    EXPECT_EQ(verified.status, STSYNC_INCOMPATIBLE);
    EXPECT_NE(verified.text.find("later SQLite"), std::string::npos) << verified.text;
}

TEST_F(PackageSqlite, SchemaOfAPackageIsNeverCarriedOut) {
    a_.sql("r.db", recipes(20) +
                       ";CREATE VIEW v AS SELECT load_extension('/tmp/x.so');"
                       "CREATE TRIGGER g AFTER INSERT ON recipe BEGIN DELETE FROM recipe; END;"
                       "CREATE VIRTUAL TABLE f USING fts5(text);"
                       "PRAGMA writable_schema=ON;"
                       "UPDATE sqlite_schema SET sql='CREATE VIRTUAL TABLE f USING unknown(x)' "
                       "WHERE name='f'");
    const auto package = folder_ / "package";
    const ExportOutcome exported = a_.export_to("r.db", package);
    const VerifyOutcome verified = b_.plugin().verify("r.db", package);
    ASSERT_EQ(verified.status, STSYNC_OK) << verified.text;
    EXPECT_EQ(verified.digest, exported.digest);
    b_.sql("r.db", recipes(3));
    const ApplyOutcome applied = b_.plugin().apply("r.db", package, b_.object("r.db").mark);
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(b_.sql("r.db", "SELECT count(*) FROM recipe"), "20");
}

TEST_F(PackageSqlite, ExportThatIsCancelledLeavesNoFile) {
    a_.sql("r.db", recipes(5000));
    for (std::uint64_t poll = 1;; ++poll) {
        FakeOp op;
        op.cancel_at_poll(poll);
        const ExportOutcome exported = a_.plugin().export_object(op, "r.db", folder_ / "package");
        if (exported.status == STSYNC_OK)
            break;
        EXPECT_EQ(exported.status, STSYNC_CANCELLED);
        EXPECT_FALSE(std::filesystem::exists(folder_ / "package")) << poll;
        ASSERT_LT(poll, 1000u);
    }
}

TEST_F(ApplySqlite, NewDatabaseIsMadeWhereThereIsNone) {
    const auto package = package_with("first");
    const ApplyOutcome applied = b_.plugin().apply("r.db", package, {});
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    const sdk::Object object = b_.object("r.db");
    EXPECT_EQ(object.mark, applied.mark);
    EXPECT_EQ(object.changed_at, applied.changed_at);
    EXPECT_EQ(b_.sql("r.db", note_of_first), "first");
    EXPECT_EQ(b_.names(), std::set<std::string>{"r.db"});
}

TEST_F(ApplySqlite, DeletedDatabaseIsAbsentAndComesBack) {
    const auto package = package_with("first");
    b_.plugin().apply("r.db", package, {}, 1);
    const sdk::Mark mark = b_.object("r.db").mark;
    std::filesystem::remove(b_.path("r.db"));
    // What a program that crashed left beside it would be played into the new file.
    run_sql(folder_ / "other.db", recipes(50, "WAL", "foreign"));
    {
        Database keeps_log(folder_ / "other.db");
        keeps_log.run("UPDATE recipe SET note='poison'");
        std::filesystem::copy_file(folder_ / "other.db-wal", b_.path("r.db-wal"));
        std::filesystem::copy_file(folder_ / "other.db-shm", b_.path("r.db-shm"));
    }
    EXPECT_TRUE(b_.plugin().scan().objects.empty());
    EXPECT_TRUE(b_.plugin().scan().faults.empty());
    EXPECT_EQ(b_.plugin().apply("r.db", package, mark, 2).status, STSYNC_CONFLICT);
    const ApplyOutcome applied = b_.plugin().apply("r.db", package, {}, 3);
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(b_.sql("r.db", note_of_first + "; PRAGMA integrity_check"), "first\nok");
    EXPECT_EQ(b_.object("r.db").mark, mark);
}

TEST_F(ApplySqlite, DatabaseThatAppearsMeanwhileIsKept) {
    const auto package = package_with("theirs");
    FakeOp op;
    op.at_commit([this] { b_.sql("r.db", recipes(3, "DELETE", "mine")); });
    const ApplyOutcome applied = b_.plugin().apply(op, "r.db", package, {});
    EXPECT_EQ(applied.status, STSYNC_CONFLICT) << applied.text;
    EXPECT_EQ(b_.sql("r.db", note_of_first), "mine");
    EXPECT_EQ(b_.names(), std::set<std::string>{"r.db"});
}

TEST_F(ApplySqlite, EmptyFileCountsAsAbsentAndIsFilled) {
    const auto package = package_with("first");
    write_file(b_.path("r.db"), "");
    OtherProgram opened(b_.path("r.db"));
    EXPECT_TRUE(b_.plugin().scan().objects.empty());
    EXPECT_TRUE(b_.plugin().scan().faults.empty());
    const ApplyOutcome applied = b_.plugin().apply("r.db", package, {});
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(opened.sql(note_of_first), "ok first");
}

TEST_F(ApplySqlite, UnexpectedContentIsKept) {
    const auto package = package_with("theirs");
    b_.sql("r.db", recipes(5, "DELETE", "old"));
    const sdk::Mark old = b_.object("r.db").mark;
    b_.sql("r.db", "UPDATE recipe SET note='mine'");
    EXPECT_EQ(b_.plugin().apply("r.db", package, old, 1).status, STSYNC_CONFLICT);
    EXPECT_EQ(b_.plugin().apply("r.db", package, {}, 2).status, STSYNC_CONFLICT);
    EXPECT_EQ(b_.sql("r.db", note_of_first), "mine");
}

// At every moment at which the plugin asks whether to go on, somebody writes.
TEST_F(ApplySqlite, WriteAtAnyMomentBeforeTheLockIsKept) {
    const auto package = package_with("theirs", 300);
    for (const char* mode : {"DELETE", "WAL"}) {
        std::uint64_t wrote = 0;
        for (std::uint64_t poll = 1; poll <= 12; ++poll) {
            for (const char* suffix : {"", "-wal", "-shm"})
                std::filesystem::remove(b_.path("r.db" + std::string(suffix)));
            b_.sql("r.db", recipes(300, mode, "old"));
            b_.start();
            const sdk::Mark old = b_.object("r.db").mark;
            OtherProgram writer(b_.path("r.db"));
            bool has_written = false;
            FakeOp op;
            op.at_poll(poll, [&] {
                has_written =
                    writer.tell("hasty UPDATE recipe SET note='mine'").substr(0, 2) == "ok";
            });
            const ApplyOutcome applied =
                b_.plugin().apply(op, "r.db", package, old, static_cast<std::uint8_t>(poll));
            if (has_written) {
                ++wrote;
                EXPECT_EQ(applied.status, STSYNC_CONFLICT) << mode << poll << applied.text;
                EXPECT_EQ(b_.sql("r.db", note_of_first), "mine") << mode << poll;
            } else {
                EXPECT_EQ(applied.status, STSYNC_OK) << mode << poll << applied.text;
                EXPECT_EQ(b_.sql("r.db", note_of_first), "theirs") << mode << poll;
            }
        }
        EXPECT_GT(wrote, 0u) << mode;
        EXPECT_LT(wrote, 12u) << mode;
    }
}

TEST_F(ApplySqlite, SameContentIsNoConflictAndMovesNothing) {
    const auto package = package_with("same");
    ASSERT_EQ(b_.plugin().apply("r.db", package, {}, 1).status, STSYNC_OK);
    const auto modified = std::filesystem::last_write_time(b_.path("r.db"));
    const ApplyOutcome again = b_.plugin().apply("r.db", package, {}, 2);
    EXPECT_EQ(again.status, STSYNC_OK) << again.text;
    EXPECT_EQ(again.mark, b_.object("r.db").mark);
    EXPECT_EQ(std::filesystem::last_write_time(b_.path("r.db")), modified);
}

TEST_F(ApplySqlite, SameIdTwiceHasOneEffectAlsoAfterAnEdit) {
    const auto package = package_with("theirs");
    b_.sql("r.db", recipes(5, "DELETE", "old"));
    const sdk::Mark old = b_.object("r.db").mark;
    const ApplyOutcome first = b_.plugin().apply("r.db", package, old, 9);
    ASSERT_EQ(first.status, STSYNC_OK) << first.text;
    b_.sql("r.db", "UPDATE recipe SET note='mine'");
    b_.start();
    const ApplyOutcome second = b_.plugin().apply("r.db", package, old, 9);
    EXPECT_EQ(second.status, STSYNC_OK);
    EXPECT_EQ(second.mark, first.mark);
    EXPECT_EQ(b_.sql("r.db", note_of_first), "mine");
}

TEST_F(ApplySqlite, WhatWasAppliedIsNoChange) {
    for (const char* mode : {"DELETE", "WAL"}) {
        const auto package = package_with(mode, 200);
        for (const char* suffix : {"", "-wal", "-shm"})
            std::filesystem::remove(b_.path("r.db" + std::string(suffix)));
        b_.sql("r.db", recipes(10, mode, "old"));
        const ApplyOutcome applied = b_.plugin().apply("r.db", package, b_.object("r.db").mark,
                                                       static_cast<std::uint8_t>(mode[0]));
        ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
        for (int scan = 0; scan < 3; ++scan) {
            const sdk::Object object = b_.object("r.db");
            EXPECT_EQ(object.mark, applied.mark);
            EXPECT_EQ(object.changed_at, applied.changed_at);
            EXPECT_EQ(object.flags, 0u);
        }
        // The content need not be read to know that.
        FakeOp op;
        b_.plugin().scan(op);
        EXPECT_EQ(op.progress_calls(), 0u);
    }
}

TEST_F(ApplySqlite, CancelledAtAnyMomentKeepsTheOldState) {
    const auto package = package_with("theirs", 8000);
    b_.sql("r.db", recipes(5000, "DELETE", "old"));
    const sdk::Mark old = b_.object("r.db").mark;
    const auto names = b_.names();
    for (std::uint64_t poll = 1;; ++poll) {
        FakeOp op;
        op.cancel_at_poll(poll);
        const ApplyOutcome applied = b_.plugin().apply(op, "r.db", package, old);
        if (applied.status == STSYNC_OK)
            break;
        ASSERT_EQ(applied.status, STSYNC_CANCELLED) << applied.text;
        ASSERT_EQ(b_.object("r.db").mark, old) << poll;
        ASSERT_EQ(b_.names(), names) << poll;
        ASSERT_LT(poll, 1000u);
    }
    EXPECT_EQ(b_.sql("r.db", note_of_first), "theirs");
}

TEST_F(ApplySqlite, UnknownOrUnsafeKeysAreRefused) {
    const auto package = package_with("first");
    for (const char* key : {"other.sqlite", "../r.db", "a/r.db", "/etc/r.db", "..", "NUL.db",
                            "r.db-wal", ".~stsync-x.db", "a:b.db", "r.db/"}) {
        EXPECT_EQ(b_.plugin().verify(key, package).status, STSYNC_INVALID_ARG) << key;
        const ApplyOutcome applied = b_.plugin().apply(key, package, {});
        EXPECT_EQ(applied.status, STSYNC_INVALID_ARG) << key;
        EXPECT_FALSE(applied.text.empty());
    }
    EXPECT_TRUE(b_.names().empty());
}

} // namespace
} // namespace stationsync::test
