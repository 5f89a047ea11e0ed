#include "content_digest.hpp"

#include "component/sqlite/database.hpp"
#include "support/fake_host.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <stationsync/op.hpp>

namespace stationsync::sqlite {
namespace {

using test::run_sql;

class ContentDigest : public ::testing::Test {
protected:
    // The digest of a fresh database made by `sql`.
    sdk::Digest digest_of(const std::string& sql) {
        const auto path = folder_ / ("made" + std::to_string(++made_) + ".db");
        run_sql(path, sql);
        return digest(path);
    }
    sdk::Digest digest(const std::filesystem::path& path) {
        test::FakeOp op;
        const sdk::Op running(op.abi());
        Connection connection =
            Connection::open_live(path, running, std::chrono::milliseconds(1000));
        ReadTransaction transaction(connection);
        const auto content = read_content(connection, transaction, running, Pause::for_writers);
        EXPECT_TRUE(content.has_value());
        return content->digest;
    }

    test::TempFolder folder_;
    int made_ = 0;
};

constexpr const char* table = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);";

TEST_F(ContentDigest, OrderOfRowsDoesNotCount) {
    const std::string keyless = "CREATE TABLE t(a, b);";
    EXPECT_EQ(digest_of(keyless + "INSERT INTO t VALUES(1,2),(3,4),(5,6)"),
              digest_of(keyless + "INSERT INTO t VALUES(5,6),(1,2),(3,4)"));
}

TEST_F(ContentDigest, NumberOfEqualRowsCounts) {
    const std::string keyless = "CREATE TABLE t(a, b);";
    const auto once = digest_of(keyless + "INSERT INTO t VALUES(1,2)");
    const auto twice = digest_of(keyless + "INSERT INTO t VALUES(1,2),(1,2)");
    const auto thrice = digest_of(keyless + "INSERT INTO t VALUES(1,2),(1,2),(1,2)");
    EXPECT_NE(once, twice);
    EXPECT_NE(once, thrice);
}

TEST_F(ContentDigest, RowidCountsOnlyAsAPrimaryKey) {
    const std::string keyless = "CREATE TABLE t(a);";
    EXPECT_EQ(digest_of(keyless + "INSERT INTO t(rowid, a) VALUES(1, 'x')"),
              digest_of(keyless + "INSERT INTO t(rowid, a) VALUES(7, 'x')"));
    EXPECT_NE(digest_of(std::string(table) + "INSERT INTO t VALUES(1, 'x', NULL)"),
              digest_of(std::string(table) + "INSERT INTO t VALUES(7, 'x', NULL)"));
}

TEST_F(ContentDigest, TypeOfAValueCounts) {
    const std::string insert = std::string(table) + "INSERT INTO t VALUES(1, ";
    std::vector<sdk::Digest> digests;
    for (const char* value : {"1", "1.0", "'1'", "x'31'", "NULL", "''", "x''", "0", "0.0"})
        digests.push_back(digest_of(insert + value + ", 2)"));
    for (std::size_t i = 0; i < digests.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_NE(digests[i], digests[j]) << i << ' ' << j;
}

TEST_F(ContentDigest, ValuesOfNeighbouringColumnsDoNotRunTogether) {
    const std::string insert = std::string(table) + "INSERT INTO t VALUES(1, ";
    EXPECT_NE(digest_of(insert + "'ab', 'c')"), digest_of(insert + "'a', 'bc')"));
    EXPECT_NE(digest_of(insert + "'a' || char(0) || 'b', '')"), digest_of(insert + "'a', '')"));
}

TEST_F(ContentDigest, NotANumberIsNullAndMinusZeroIsZero) {
    const std::string insert = std::string(table) + "INSERT INTO t VALUES(1, ";
    EXPECT_EQ(digest_of(insert + "9e999 - 9e999, 0)"), digest_of(insert + "NULL, 0)"));
    EXPECT_EQ(digest_of(insert + "-0.0, 0)"), digest_of(insert + "0.0, 0)"));
    EXPECT_NE(digest_of(insert + "9e999, 0)"), digest_of(insert + "-9e999, 0)"));
}

TEST_F(ContentDigest, LayoutDoesNotCount) {
    const auto path = folder_ / "a.db";
    run_sql(path, std::string(table) +
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) "
                      "INSERT INTO t SELECT i, 'value ' || i, randomblob(50) FROM n;"
                      "CREATE INDEX t_a ON t(a); CREATE TABLE gone(x);"
                      "INSERT INTO gone VALUES(zeroblob(100000)); DROP TABLE gone");
    const auto before = digest(path);
    run_sql(path, "VACUUM");
    EXPECT_EQ(digest(path), before);
    run_sql(path, "PRAGMA page_size=1024; VACUUM");
    EXPECT_EQ(digest(path), before);
    run_sql(path, "PRAGMA journal_mode=WAL");
    EXPECT_EQ(digest(path), before);
    run_sql(path, "ANALYZE; REINDEX; PRAGMA auto_vacuum=FULL; VACUUM");
    EXPECT_EQ(digest(path), before);
    run_sql(path, "UPDATE t SET b = x'00' WHERE id = 4711");
    EXPECT_NE(digest(path), before);
}

TEST_F(ContentDigest, SchemaAndNumbersOfTheApplicationCount) {
    const auto plain = digest_of(table);
    EXPECT_NE(digest_of(std::string(table) + "CREATE INDEX i ON t(a)"), plain);
    EXPECT_NE(digest_of(std::string(table) + "CREATE VIEW v AS SELECT a FROM t"), plain);
    EXPECT_NE(digest_of(std::string(table) +
                        "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END"),
              plain);
    EXPECT_NE(digest_of(std::string(table) + "PRAGMA user_version=3"), plain);
    EXPECT_NE(digest_of(std::string(table) + "PRAGMA application_id=3"), plain);
    EXPECT_EQ(digest_of(std::string(table) + "ANALYZE"), plain);
}

TEST_F(ContentDigest, SequenceOfAutoincrementCounts) {
    const std::string made = "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a);"
                             "INSERT INTO t(a) VALUES('x');";
    const auto before = digest_of(made);
    EXPECT_NE(digest_of(made + "INSERT INTO t(a) VALUES('y'); DELETE FROM t WHERE a = 'y'"),
              before);
}

TEST_F(ContentDigest, TableWithoutRowidIsRead) {
    const std::string made = "CREATE TABLE t(k TEXT PRIMARY KEY, v) WITHOUT ROWID;";
    const auto before = digest_of(made + "INSERT INTO t VALUES('a', 1), ('b', 2)");
    EXPECT_EQ(digest_of(made + "INSERT INTO t VALUES('b', 2), ('a', 1)"), before);
    EXPECT_NE(digest_of(made + "INSERT INTO t VALUES('b', 2), ('a', 2)"), before);
}

TEST_F(ContentDigest, ColumnsNamedLikeTheRowidDoNotMislead) {
    const std::string made = "CREATE TABLE t(rowid TEXT, _rowid_ TEXT, oid TEXT);";
    const auto before = digest_of(made + "INSERT INTO t VALUES('a', 'b', 'c'), ('d', 'e', 'f')");
    EXPECT_NE(digest_of(made + "INSERT INTO t VALUES('a', 'b', 'c'), ('d', 'e', 'g')"), before);
    EXPECT_EQ(digest_of(made + "INSERT INTO t VALUES('d', 'e', 'f'), ('a', 'b', 'c')"), before);
}

TEST_F(ContentDigest, GeneratedColumnsAreToldByTheOthers) {
    const std::string made = "CREATE TABLE t(a INT, twice INT AS (a*2), kept INT AS (a*3) STORED);";
    EXPECT_NE(digest_of(made + "INSERT INTO t VALUES(1)"),
              digest_of(made + "INSERT INTO t VALUES(2)"));
}

TEST_F(ContentDigest, ContentOfAVirtualTableCounts) {
    const std::string made = "CREATE VIRTUAL TABLE f USING fts5(text);";
    EXPECT_NE(digest_of(made + "INSERT INTO f VALUES('one')"),
              digest_of(made + "INSERT INTO f VALUES('two')"));
    const std::string tree = "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1);";
    EXPECT_NE(digest_of(tree + "INSERT INTO r VALUES(1, 2, 3)"),
              digest_of(tree + "INSERT INTO r VALUES(1, 2, 4)"));
}

TEST_F(ContentDigest, StrangeNamesAreQuoted) {
    const std::string made = "CREATE TABLE \"a\"\"b'c]\"(\"x\"\"y\", \"select\");";
    EXPECT_NE(digest_of(made + "INSERT INTO \"a\"\"b'c]\" VALUES(1, 2)"),
              digest_of(made + "INSERT INTO \"a\"\"b'c]\" VALUES(1, 3)"));
}

TEST_F(ContentDigest, CollationsAndFunctionsOfTheApplicationAreNotNeeded) {
    const auto path = folder_ / "own.db";
    {
        test::Database database(path);
        const auto compare = [](void*, int, const void*, int, const void*) { return 0; };
        sqlite3_create_collation(database.raw(), "plant", SQLITE_UTF8, nullptr, compare);
        const auto function = [](sqlite3_context* context, int, sqlite3_value**) {
            sqlite3_result_int(context, 1);
        };
        sqlite3_create_function(database.raw(), "plant_ok", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                nullptr, function, nullptr, nullptr);
        database.run("CREATE TABLE t(a TEXT COLLATE plant CHECK (plant_ok(a)));"
                     "CREATE INDEX i ON t(plant_ok(a));"
                     "CREATE TABLE w(k TEXT COLLATE plant PRIMARY KEY) WITHOUT ROWID;"
                     "INSERT INTO t VALUES('x'); INSERT INTO w VALUES('y')");
    }
    const auto before = digest(path);
    EXPECT_EQ(digest(path), before);
}

// The memory of SQLite and of the plugin together, while values of 20 MB are hashed.
TEST_F(ContentDigest, LongValuesAreReadInPieces) {
    const auto path = folder_ / "long.db";
    run_sql(path, std::string(table) +
                      "INSERT INTO t VALUES(1, 'short', 2), (2, 'x', randomblob(20000000)),"
                      "(3, CAST(randomblob(9000000) AS TEXT), zeroblob(20000000)),(4, 'end', 3);"
                      "ALTER TABLE t ADD COLUMN c DEFAULT 'default'");
    sqlite3_int64 before = 0;
    sqlite3_int64 most = 0;
    sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &before, &most, 1);
    const auto first = digest(path);
    sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &before, &most, 0);
    EXPECT_LT(most - before, 8 << 20);
    EXPECT_EQ(digest(path), first);
    run_sql(path, "VACUUM");
    EXPECT_EQ(digest(path), first);
    {
        test::Database database(path);
        sqlite3_blob* blob = nullptr;
        ASSERT_EQ(sqlite3_blob_open(database.raw(), "main", "t", "b", 3, 1, &blob), SQLITE_OK);
        ASSERT_EQ(sqlite3_blob_write(blob, "y", 1, 19999999), SQLITE_OK);
        sqlite3_blob_close(blob);
    }
    EXPECT_NE(digest(path), first);
}

} // namespace
} // namespace stationsync::sqlite
