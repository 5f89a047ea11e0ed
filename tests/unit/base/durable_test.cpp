#include "base/clock.hpp"
#include "base/durable.hpp"
#include "base/lock_file.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace stationsync::host {
namespace {

using test::TempFolder;

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

TEST(AtomicWrite, ReplacesTheWholeFileAndLeavesNothingElse) {
    const TempFolder folder;
    const auto path = folder / "a";
    ASSERT_TRUE(atomic_write(path, std::string_view("longer text")));
    ASSERT_TRUE(atomic_write(path, std::string_view("new")));
    EXPECT_EQ(content(path), "new");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicWrite, OfASecretGivesItToTheOwnerAlone) {
    const TempFolder folder;
    ASSERT_TRUE(atomic_write(folder / "key", std::string_view("secret"), true));
    const auto mode = std::filesystem::status(folder / "key").permissions();
    using std::filesystem::perms;
    EXPECT_EQ(mode & (perms::group_all | perms::others_all), perms::none);
}

TEST(AtomicWrite, SaysWhyItFails) {
    const TempFolder folder;
    const auto result = atomic_write(folder / "none/a", std::string_view("x"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, IoErrorKind::not_found);
    EXPECT_NE(result.error().text.find("none"), std::string::npos);
}

TEST(ReadWhole, RefusesMoreThanAllowed) {
    const TempFolder folder;
    ASSERT_TRUE(atomic_write(folder / "a", std::string_view("12345")));
    EXPECT_EQ(*read_whole(folder / "a", 5), "12345");
    EXPECT_FALSE(read_whole(folder / "a", 4));
}

TEST(File, KeepsModificationTimesToTheTick) {
    const TempFolder folder;
    for (const std::int64_t time : {std::int64_t{17'000'000'000'000'123}, std::int64_t{-5},
                                    std::int64_t{0}, std::int64_t{25'000'000'000'000'007}}) {
        auto file = File::create(folder / "a");
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->set_modified(time));
        EXPECT_EQ(file->facts()->modified_100ns, time);
        EXPECT_EQ(file_facts(folder / "a")->modified_100ns, time);
    }
}

TEST(File, WritesBeyondFourGigabytes) {
    const TempFolder folder;
    auto file = File::create(folder / "sparse");
    ASSERT_TRUE(file);
    const std::uint64_t offset = (std::uint64_t{5} << 30) + 3;
    const std::string_view text = "far";
    ASSERT_TRUE(file->write_at(std::as_bytes(std::span(text)), offset));
    EXPECT_EQ(file->facts()->bytes, offset + 3);
    std::array<std::byte, 8> buffer{};
    EXPECT_EQ(*file->read_at(buffer, offset), 3U);
    EXPECT_EQ(buffer[0], std::byte{'f'});
}

TEST(File, DoesNotFollowALinkAndOpensRegularFilesOnly) {
    const TempFolder folder;
    ASSERT_TRUE(atomic_write(folder / "target", std::string_view("x")));
    std::filesystem::create_symlink(folder / "target", folder / "link");
    EXPECT_FALSE(File::open_read(folder / "link"));
    EXPECT_FALSE(File::open_read(folder.path()));
    EXPECT_FALSE(file_facts(folder / "link"));
}

TEST(LinkOrCopy, SharesTheInodeOnlyWhenAllowed) {
    const TempFolder folder;
    ASSERT_TRUE(atomic_write(folder / "a", std::string_view("content")));
    ASSERT_EQ(*link_or_copy(folder / "a", folder / "linked", true), LinkMethod::hard_link);
    const auto copied = link_or_copy(folder / "a", folder / "copied", false);
    ASSERT_TRUE(copied);
    EXPECT_NE(*copied, LinkMethod::hard_link);
    EXPECT_EQ(content(folder / "copied"), "content");
    EXPECT_EQ(file_facts(folder / "copied")->modified_100ns,
              file_facts(folder / "a")->modified_100ns);
    std::ofstream(folder / "a", std::ios::app) << "!";
    EXPECT_EQ(content(folder / "linked"), "content!");
    EXPECT_EQ(content(folder / "copied"), "content");
}

TEST(FreeBytes, LooksAtTheNearestFolderThatExists) {
    const TempFolder folder;
    EXPECT_GT(*free_bytes(folder / "not/yet/there"), 0U);
}

TEST(MakeDirectories, MakesParentsAndAcceptsWhatIsThere) {
    const TempFolder folder;
    ASSERT_TRUE(make_directories(folder / "a/b/c"));
    ASSERT_TRUE(make_directories(folder / "a/b/c"));
    ASSERT_TRUE(atomic_write(folder / "file", std::string_view("x")));
    EXPECT_FALSE(make_directories(folder / "file/b"));
}

TEST(LockFile, KeepsASecondOneAwayUntilItIsReleased) {
    const TempFolder folder;
    {
        auto first = LockFile::acquire(folder / "lock");
        ASSERT_TRUE(first);
        const auto second = LockFile::acquire(folder / "lock");
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().kind, IoErrorKind::busy);
        EXPECT_NE(second.error().text.find("process id"), std::string::npos);
    }
    EXPECT_TRUE(LockFile::acquire(folder / "lock"));
}

TEST(Clock, MonotonicTimesDoNotGoBack) {
    const auto monotonic = monotonic_now_us();
    const auto boot = boot_now_us();
    EXPECT_LE(monotonic, monotonic_now_us());
    EXPECT_LE(boot, boot_now_us());
    EXPECT_GT(wall_now_us(), 1'500'000'000'000'000);
}

} // namespace
} // namespace stationsync::host
