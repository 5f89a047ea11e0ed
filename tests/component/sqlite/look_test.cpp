// What a scan says: which databases there are, when they changed, whether one was put back.
#include "component/sqlite/plugin_test.hpp"

#include <unistd.h>

namespace stationsync::test {
namespace {

class LookSqlite : public SqlitePlugin {
protected:
    stsync_time now() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
    // As a person does it with a file manager: another file takes the place.
    void put_in_place(const std::filesystem::path& file) {
        const auto beside = a_.path("beside");
        std::filesystem::copy_file(file, beside);
        std::filesystem::rename(beside, a_.path("r.db"));
    }
};

std::string what_create_says(const std::vector<std::string>& files) {
    FakeHost host;
    if (!files.empty())
        host.config["files"] = files;
    FakeProvider plugin(sqlite_library(), host);
    EXPECT_EQ(plugin.created().status,
              files.empty() || !plugin.created().text.empty() ? STSYNC_INVALID_ARG : STSYNC_OK);
    return plugin.created().text;
}

TEST_F(LookSqlite, WrongConfigurationIsToldWithTheElement) {
    EXPECT_NE(what_create_says({}).find("\"files\""), std::string::npos);
    for (const char* element : {"relative.db", "/folder/", "/a*/x.db", "name=relative.db",
                                "name=/x/*.db", "a:b=/x/y.db", "..=/x/y.db", "NUL=/x/y.db", "="})
        EXPECT_NE(what_create_says({element}).find("\"" + std::string(element) + "\""),
                  std::string::npos)
            << element;
    EXPECT_NE(what_create_says({"/a/x.db", "/b/x.db"}).find("second time"), std::string::npos);
    EXPECT_EQ(what_create_says({"/a/x.db", "other=/b/x.db", "/c/*.db", "/c/?.sqlite"}), "");
}

TEST_F(LookSqlite, KeysAreFileNamesOrTheGivenNames) {
    SqliteStation station(folder_ / "c", {"*.db", "sub/x.sqlite"});
    station.host().config["files"].push_back("named=" + station.path("far.db3").string());
    station.start();
    std::filesystem::create_directory(station.path("sub"));
    for (const char* name : {"one.db", "zw\xc3\xb6lf.db", "sub/x.sqlite", "far.db3", "ignored.txt"})
        station.sql(name, recipes(1));
    write_file(station.path("dir.db/file"), "");
    const ScanOutcome scanned = station.plugin().scan();
    EXPECT_EQ(scanned.status, STSYNC_OK) << scanned.text;
    std::set<std::string> keys;
    for (const auto& [key, object] : scanned.objects)
        keys.insert(key);
    EXPECT_EQ(keys, (std::set<std::string>{"named", "one.db", "x.sqlite", "zw\xc3\xb6lf.db"}));
    EXPECT_TRUE(scanned.faults.empty());
}

TEST_F(LookSqlite, OnlyTheKeysInScopeAreLookedAt) {
    a_.sql("one.db", recipes(1));
    a_.sql("two.db", recipes(1));
    const ScanOutcome scanned = a_.plugin().scan_keys({"two.db", "absent.db"});
    ASSERT_EQ(scanned.objects.size(), 1u);
    EXPECT_EQ(scanned.objects.begin()->first, "two.db");
}

TEST_F(LookSqlite, OneBadDatabaseHidesNoOther) {
    a_.sql("good.db", recipes(5));
    write_file(a_.path("bad.db"), std::string(10000, 'x'));
    a_.sql("busy.db", recipes(5));
    Database locks(a_.path("busy.db"));
    locks.run("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
    const ScanOutcome scanned = a_.plugin().scan();
    EXPECT_EQ(scanned.status, STSYNC_OK);
    EXPECT_EQ(scanned.objects.size(), 1u);
    ASSERT_EQ(scanned.faults.count("bad.db"), 1u);
    EXPECT_EQ(scanned.faults.at("bad.db").code, STSYNC_CORRUPT);
    ASSERT_EQ(scanned.faults.count("busy.db"), 1u);
    EXPECT_EQ(scanned.faults.at("busy.db").code, STSYNC_BUSY);
}

TEST_F(LookSqlite, MissingFolderIsNoAbsence) {
    SqliteStation station(folder_ / "c", {"mnt/*.db", "mnt/named.sqlite"});
    const ScanOutcome scanned = station.plugin().scan();
    EXPECT_EQ(scanned.status, STSYNC_OK);
    ASSERT_EQ(scanned.faults.count(""), 1u);
    EXPECT_TRUE(scanned.faults.at("").is_subtree);
    EXPECT_EQ(scanned.faults.count("named.sqlite"), 1u);
}

TEST_F(LookSqlite, TwoDatabasesOfOneNameAreTold) {
    SqliteStation station(folder_ / "c", {"x/*.db", "y/*.db"});
    for (const char* name : {"x", "y"})
        std::filesystem::create_directory(station.path(name));
    station.sql("x/same.db", recipes(1));
    station.sql("y/same.db", recipes(1));
    station.sql("y/other.db", recipes(1));
    const ScanOutcome scanned = station.plugin().scan();
    EXPECT_EQ(scanned.objects.size(), 1u);
    ASSERT_EQ(scanned.faults.count("same.db"), 1u);
    EXPECT_NE(scanned.faults.at("same.db").text.find("NAME=path"), std::string::npos);
}

TEST_F(LookSqlite, ChangeIsDatedByTheFileAndTheLookBefore) {
    a_.sql("r.db", recipes(5));
    const stsync_time before_look = now();
    a_.object("r.db");
    const stsync_time after_look = now();
    a_.sql("r.db", "UPDATE recipe SET note='x'");
    const stsync_time after_change = now();
    const sdk::Object changed = a_.object("r.db");
    EXPECT_GE(changed.changed_at, after_look - 20000); // a tick of the file system's clock
    EXPECT_LE(changed.changed_at, after_change);
    EXPECT_GE(changed.changed_not_before, before_look - 20000);
    EXPECT_LE(changed.changed_not_before, after_look);
    EXPECT_EQ(changed.flags, 0u);
    // Later looks, and writing that changes nothing, do not move it.
    a_.sql("r.db", "VACUUM");
    const sdk::Object later = a_.object("r.db");
    EXPECT_EQ(later.changed_at, changed.changed_at);
    EXPECT_EQ(later.changed_not_before, changed.changed_not_before);
}

TEST_F(LookSqlite, FileFromTheFutureIsUncertain) {
    a_.sql("r.db", recipes(5));
    a_.object("r.db");
    a_.sql("r.db", "UPDATE recipe SET note='x'");
    std::filesystem::last_write_time(
        a_.path("r.db"), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    EXPECT_EQ(a_.object("r.db").flags, STSYNC_OBJECT_TIME_UNCERTAIN);
}

TEST_F(LookSqlite, ConversionByAnUpdateIsUncertainAndAnEditAfterItIsNot) {
    a_.sql("r.db", recipes(5));
    const stsync_time before_look = now();
    a_.object("r.db");
    a_.sql("r.db", "ALTER TABLE recipe ADD COLUMN unit TEXT; PRAGMA user_version=2");
    const sdk::Object converted = a_.object("r.db");
    EXPECT_EQ(converted.flags, STSYNC_OBJECT_TIME_UNCERTAIN);
    EXPECT_GE(converted.changed_not_before, before_look - 20000);
    a_.start();
    EXPECT_EQ(a_.object("r.db").flags, STSYNC_OBJECT_TIME_UNCERTAIN) << "until it changes again";
    a_.sql("r.db", "UPDATE recipe SET unit='kg'");
    EXPECT_EQ(a_.object("r.db").flags, 0u);
}

TEST_F(LookSqlite, BackupWithOlderTablesIsARestoreAndNoConversion) {
    a_.sql("r.db", recipes(5, "DELETE", "old"));
    std::filesystem::copy_file(a_.path("r.db"), folder_ / "backup");
    a_.sql("r.db", "ALTER TABLE recipe ADD COLUMN unit TEXT; UPDATE recipe SET note='new'");
    a_.object("r.db");
    put_in_place(folder_ / "backup");
    EXPECT_EQ(a_.object("r.db").flags, STSYNC_OBJECT_RESTORED);
}

TEST_F(LookSqlite, OlderFileInItsPlaceIsEvidenceOfARestore) {
    a_.sql("r.db", recipes(5, "DELETE", "old"));
    std::filesystem::copy_file(a_.path("r.db"), folder_ / "backup");
    a_.object("r.db");
    a_.sql("r.db", "UPDATE recipe SET note='new'");
    EXPECT_EQ(a_.object("r.db").flags, 0u);
    put_in_place(folder_ / "backup");
    EXPECT_EQ(a_.object("r.db").flags, STSYNC_OBJECT_RESTORED);
    a_.start();
    EXPECT_EQ(a_.object("r.db").flags, STSYNC_OBJECT_RESTORED);
}

TEST_F(LookSqlite, BackupWrittenOverTheFileIsEvidenceWhenItsContentWasHere) {
    a_.sql("r.db", recipes(5, "DELETE", "old"));
    const std::string backup = read_file(a_.path("r.db"));
    a_.object("r.db");
    a_.sql("r.db", "UPDATE recipe SET note='new'");
    a_.object("r.db");
    write_file(a_.path("r.db"), backup);
    EXPECT_EQ(a_.object("r.db").flags, STSYNC_OBJECT_RESTORED);
}

TEST_F(LookSqlite, UndoingAnEditByHandIsAnEdit) {
    a_.sql("r.db", recipes(5, "DELETE", "old"));
    const sdk::Object old = a_.object("r.db");
    a_.sql("r.db", "UPDATE recipe SET note='new'");
    a_.object("r.db");
    a_.sql("r.db", "UPDATE recipe SET note='old'");
    const sdk::Object undone = a_.object("r.db");
    EXPECT_EQ(undone.mark, old.mark);
    EXPECT_EQ(undone.flags, 0u);
    EXPECT_GT(undone.changed_at, old.changed_at);
}

TEST_F(LookSqlite, DatabaseWithoutRightsToWriteIsReadOnly) {
    const auto package = package_with("new");
    a_.sql("r.db", "UPDATE recipe SET note='kept'");
    namespace fs = std::filesystem;
    fs::permissions(a_.path("r.db"), fs::perms(0444));
    fs::permissions(a_.path("scratch"), fs::perms(0777));
    // The superuser may write everything: somebody else has to try.
    const int answer = in_child([&] {
        constexpr unsigned nobody = 65534;
        if (::getuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0))
            return 1;
        const sdk::Object object = a_.object("r.db");
        if (object.flags != STSYNC_OBJECT_READ_ONLY)
            return 2;
        return a_.plugin().apply("r.db", package, object.mark).status == STSYNC_DENIED ? 0 : 3;
    });
    EXPECT_EQ(answer, 0);
    EXPECT_EQ(a_.sql("r.db", note_of_first), "kept");
}

TEST_F(LookSqlite, TokensJudgeTheMajorVersionOnly) {
    const auto tokens = a_.plugin().compat();
    EXPECT_TRUE(b_.plugin().check_compat(tokens).empty());
    auto other = tokens;
    for (sdk::Token& token : other) {
        if (token.name == "sqlite.library")
            token.value = "3.99.0";
    }
    EXPECT_TRUE(b_.plugin().check_compat(other).empty());
    for (sdk::Token& token : other) {
        if (token.name == "sqlite.major")
            token.value = "4";
    }
    EXPECT_EQ(b_.plugin().check_compat(other).size(), 1u);
}

TEST_F(LookSqlite, SelfTestTellsOfEveryDatabase) {
    a_.sql("one.db", recipes(1));
    write_file(a_.path("bad.db"), std::string(10000, 'x'));
    const FindingsOutcome outcome = a_.plugin().self_test();
    EXPECT_EQ(outcome.status, STSYNC_OK);
    ASSERT_EQ(outcome.findings.size(), 2u);
    EXPECT_EQ(outcome.findings[0].severity, STSYNC_FINDING_ERROR);
    EXPECT_EQ(outcome.findings[1].severity, STSYNC_FINDING_OK);
}

} // namespace
} // namespace stationsync::test
