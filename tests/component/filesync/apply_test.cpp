// Applying: all or nothing, never over an edit that nobody has seen.
#include "component/filesync/filesync_fixture.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

class FilesyncApply : public testing::Test {
protected:
    FilesyncApply() { station_.start(); }
    void TearDown() override { EXPECT_TRUE(station_.litter().empty()); }

    ApplyOutcome apply(const std::string& key, std::string_view content,
                       const sdk::Mark& expected) {
        return station_.provider().apply(key, station_.make_package(content), expected);
    }
    static mode_t mode_of(const fs::path& path) {
        struct stat status {};
        EXPECT_EQ(::stat(path.c_str(), &status), 0);
        return status.st_mode & 07777;
    }

    Station station_;
};

TEST_F(FilesyncApply, ReplacesWhatWasExpected) {
    station_.write("a", "old");
    const auto applied = apply("a", "new", sdk::mark_of_bytes("old"));
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(station_.read("a"), "new");
    EXPECT_EQ(applied.mark, sdk::mark_of_bytes("new"));
}

TEST_F(FilesyncApply, AnUnexpectedStateIsAConflictAndStays) {
    station_.write("a", "edited");
    EXPECT_EQ(apply("a", "new", sdk::mark_of_bytes("old")).status, STSYNC_CONFLICT);
    EXPECT_EQ(apply("a", "new", sdk::Mark()).status, STSYNC_CONFLICT);
    EXPECT_EQ(station_.read("a"), "edited");
    EXPECT_EQ(apply("gone", "new", sdk::mark_of_bytes("old")).status, STSYNC_CONFLICT);
    EXPECT_FALSE(station_.has("gone"));
    EXPECT_EQ(apply("no/folder", "new", sdk::mark_of_bytes("old")).status, STSYNC_CONFLICT);
    EXPECT_FALSE(station_.has("no"));
}

TEST_F(FilesyncApply, TheSameApplyTwiceHasOneEffect) {
    station_.write("a", "old");
    ASSERT_EQ(apply("a", "new", sdk::mark_of_bytes("old")).status, STSYNC_OK);
    const auto again = apply("a", "new", sdk::mark_of_bytes("old"));
    EXPECT_EQ(again.status, STSYNC_OK) << again.text;
    EXPECT_EQ(again.mark, sdk::mark_of_bytes("new"));
    ASSERT_EQ(apply("b", "new", sdk::Mark()).status, STSYNC_OK);
    EXPECT_EQ(apply("b", "new", sdk::Mark()).status, STSYNC_OK);
}

// The edit comes at the last moment there is: after the check, directly before the exchange.
TEST_F(FilesyncApply, AnEditBetweenCheckAndExchangeIsPutBack) {
    station_.write("a", "old");
    FakeOp op;
    op.at_commit([&] { station_.write("a", "edited by a person"); });
    const auto applied =
        station_.provider().apply(op, "a", station_.make_package("new"), sdk::mark_of_bytes("old"));
    EXPECT_EQ(applied.status, STSYNC_CONFLICT) << applied.text;
    EXPECT_EQ(station_.read("a"), "edited by a person");
}

TEST_F(FilesyncApply, AnEditOfTheSameSizeAndTimeBetweenCheckAndExchangeIsPutBack) {
    station_.write("a", "old");
    const auto modified = fs::last_write_time(station_.root() / "a");
    FakeOp op;
    op.at_commit([&] {
        station_.write("a", "EDT");
        fs::last_write_time(station_.root() / "a", modified);
    });
    const auto applied =
        station_.provider().apply(op, "a", station_.make_package("new"), sdk::mark_of_bytes("old"));
    EXPECT_EQ(applied.status, STSYNC_CONFLICT) << applied.text;
    EXPECT_EQ(station_.read("a"), "EDT");
}

TEST_F(FilesyncApply, AFileThatAppearsBeforeTheRenameStays) {
    FakeOp op;
    op.at_commit([&] { station_.write("sub/a", "made by a person"); });
    const auto applied =
        station_.provider().apply(op, "sub/a", station_.make_package("new"), sdk::Mark());
    EXPECT_EQ(applied.status, STSYNC_CONFLICT) << applied.text;
    EXPECT_EQ(station_.read("sub/a"), "made by a person");
}

TEST_F(FilesyncApply, ATouchedFileWithTheExpectedContentIsReplaced) {
    station_.write("a", "old");
    FakeOp op;
    op.at_commit([&] { station_.write("a", "old"); });
    const auto applied =
        station_.provider().apply(op, "a", station_.make_package("new"), sdk::mark_of_bytes("old"));
    EXPECT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(station_.read("a"), "new");
}

TEST_F(FilesyncApply, CancelBeforeTheCommitChangesNothing) {
    station_.write("a", "old");
    for (const std::uint64_t poll : {1u, 2u, 3u}) {
        FakeOp op;
        op.cancel_at_poll(poll);
        const std::string content(2 << 20, 'n');
        EXPECT_EQ(station_.provider()
                      .apply(op, "sub/deep/b", station_.make_package(content), sdk::Mark())
                      .status,
                  STSYNC_CANCELLED);
        EXPECT_FALSE(station_.has("sub"));
        EXPECT_FALSE(op.is_committed());
    }
    FakeOp late;
    late.at_commit([&] { late.cancel_at_poll(1); });
    late.abi()->cancelled(late.abi());
    EXPECT_EQ(station_.provider()
                  .apply(late, "a", station_.make_package("new"), sdk::mark_of_bytes("old"))
                  .status,
              STSYNC_CANCELLED);
    EXPECT_EQ(station_.read("a"), "old");
}

TEST_F(FilesyncApply, PermissionsAttributesAndOwnerOfAnExistingFileAreKept) {
    station_.write("a", "old");
    const fs::path path = station_.root() / "a";
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    const bool has_xattr = ::setxattr(path.c_str(), "user.note", "kept", 4, 0) == 0;
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
        ASSERT_EQ(::chown(path.c_str(), 1234, 2345), 0);
    }
    ASSERT_EQ(apply("a", "new", sdk::mark_of_bytes("old")).status, STSYNC_OK);
    EXPECT_EQ(mode_of(path), 0640u);
    char value[8] = {};
    if (has_xattr) {
        EXPECT_EQ(::getxattr(path.c_str(), "user.note", value, sizeof value), 4);
        EXPECT_STREQ(value, "kept");
    }
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    if (is_root) {
        EXPECT_EQ(status.st_uid, 1234u);
        EXPECT_EQ(status.st_gid, 2345u);
    }
}

TEST_F(FilesyncApply, AReadOnlyFileIsReplacedAndStaysReadOnly) {
    station_.write("a", "old");
    ASSERT_EQ(::chmod((station_.root() / "a").c_str(), 0444), 0);
    ASSERT_EQ(apply("a", "new", sdk::mark_of_bytes("old")).status, STSYNC_OK);
    EXPECT_EQ(station_.read("a"), "new");
    EXPECT_EQ(mode_of(station_.root() / "a"), 0444u);
}

TEST_F(FilesyncApply, ANewFileInheritsFromItsFolder) {
    fs::create_directory(station_.root() / "shared");
    ASSERT_EQ(::chmod((station_.root() / "shared").c_str(), 0770), 0);
    ASSERT_EQ(apply("shared/sub/a", "new", sdk::Mark()).status, STSYNC_OK);
    EXPECT_EQ(mode_of(station_.root() / "shared/sub/a"), 0660u);
    EXPECT_EQ(mode_of(station_.root() / "shared/sub"), 0770u);
}

TEST_F(FilesyncApply, AFolderInThePlaceOfTheFileIsToldAndStays) {
    station_.write("thing/inside", "x");
    const auto applied = apply("thing", "new", sdk::Mark());
    EXPECT_EQ(applied.status, STSYNC_DENIED);
    EXPECT_NE(applied.text.find("is a folder here"), std::string::npos);
    EXPECT_EQ(station_.read("thing/inside"), "x");
}

TEST_F(FilesyncApply, AFileOrLinkInThePlaceOfAFolderIsToldAndStays) {
    station_.write("thing", "x");
    const auto below_file = apply("thing/a", "new", sdk::Mark());
    EXPECT_EQ(below_file.status, STSYNC_DENIED);
    EXPECT_EQ(station_.read("thing"), "x");

    const TempFolder outside;
    fs::create_directory_symlink(outside.path(), station_.root() / "linked");
    const auto below_link = apply("linked/a", "new", sdk::Mark());
    EXPECT_EQ(below_link.status, STSYNC_DENIED);
    EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST_F(FilesyncApply, ALinkInThePlaceOfTheFileIsNeverFollowedNorReplaced) {
    const TempFolder outside;
    write_file(outside / "victim", "keep me");
    fs::create_symlink(outside / "victim", station_.root() / "a");
    EXPECT_EQ(apply("a", "new", sdk::Mark()).status, STSYNC_DENIED);
    EXPECT_EQ(read_file(outside / "victim"), "keep me");
    EXPECT_TRUE(fs::is_symlink(station_.root() / "a"));
}

TEST_F(FilesyncApply, HostileNamesAreRefused) {
    for (const char* key : {"../a", "a/../../b", "/abs", "C:/a", "C:a", "a\\b", "nul", "COM1.txt",
                            "a.", "a ", "\xff", "a/./b", "", "a\nb", "a//b", "a/"})
        EXPECT_EQ(apply(key, "evil", sdk::Mark()).status, STSYNC_INVALID_ARG) << key;
    EXPECT_EQ(apply(std::string(5000, 'a'), "evil", sdk::Mark()).status, STSYNC_INVALID_ARG);
    EXPECT_EQ(station_.provider().scan().objects.size(), 0u);
    EXPECT_FALSE(fs::exists(station_.folder() / "a"));
}

TEST_F(FilesyncApply, NamesReservedForTheServiceAndForeignPatternsAreRefused) {
    for (const char* key : {".stationsync-root", "sub/.stationsync-root", ".~stsync-x"})
        EXPECT_EQ(apply(key, "evil", sdk::Mark()).status, STSYNC_UNSUPPORTED) << key;
    station_.host.config["include"] = {"*.rcp"};
    station_.start();
    EXPECT_EQ(apply("a.exe", "evil", sdk::Mark()).status, STSYNC_UNSUPPORTED);
    EXPECT_FALSE(station_.has("a.exe"));
}

TEST_F(FilesyncApply, ThePackageIsNotModified) {
    station_.write("a", "old");
    const auto package = station_.make_package("new");
    ASSERT_EQ(station_.provider().apply("a", package, sdk::mark_of_bytes("old")).status, STSYNC_OK);
    EXPECT_EQ(read_file(package), "new");
    struct stat status {};
    ASSERT_EQ(::stat(package.c_str(), &status), 0);
    EXPECT_EQ(status.st_nlink, 1u);
    station_.write("a", "edited");
    EXPECT_EQ(read_file(package), "new");
}

// A limit on the size of files fails a write half-way, as a full disk does, and needs no rights.
TEST_F(FilesyncApply, WhenTheDiskIsFullTheOldStateStaysWithoutLitter) {
    station_.write("a", "old");
    const auto package = station_.make_package(std::string(1 << 20, 'x'));
    ::rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit small{300000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto replaced = station_.provider().apply("a", package, sdk::mark_of_bytes("old"));
    const auto added = station_.provider().apply("sub/deep/b", package, sdk::Mark());
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, signal_before);

    EXPECT_EQ(replaced.status, STSYNC_NO_SPACE) << replaced.text;
    EXPECT_EQ(station_.read("a"), "old");
    EXPECT_EQ(added.status, STSYNC_NO_SPACE);
    EXPECT_FALSE(station_.has("sub"));
    // And it goes through once there is room.
    EXPECT_EQ(station_.provider().apply("a", package, sdk::mark_of_bytes("old")).status, STSYNC_OK);
}

} // namespace
} // namespace stationsync::test
