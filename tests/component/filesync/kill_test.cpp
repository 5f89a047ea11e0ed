// Killed at each named point of an apply: wholly old or wholly new, no litter, in step after one
// more try. Needs a build with fault points.
#include "component/filesync/filesync_fixture.hpp"

#include <csignal>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

namespace stationsync::test {
namespace {

#if defined(STATIONSYNC_FAULT_POINTS)

// What the parent told this process.
std::string told(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

class FilesyncKill : public testing::TestWithParam<const char*> {};

// Not a case of its own: one apply, in the process that is to be killed. What to do is in the
// environment.
TEST(FilesyncKillChild, DISABLED_Apply) {
    FakeHost host;
    host.config["root"] = {told("STATIONSYNC_TEST_ROOT")};
    host.config["@instance"] = {"instance-a"};
    const FakeLibrary library(STATIONSYNC_FILESYNC_PLUGIN);
    FakeProvider provider(library, host);
    ASSERT_EQ(provider.recover().status, STSYNC_OK);
    const std::string expected = told("STATIONSYNC_TEST_EXPECTED");
    provider.apply(told("STATIONSYNC_TEST_KEY"), told("STATIONSYNC_TEST_PACKAGE"),
                   expected.empty() ? sdk::Mark() : sdk::mark_of_bytes(expected));
}

// Runs one apply in a process that kills itself at the point.
void apply_in_child(Station& station, const std::string& key, const std::string& expected,
                    const std::filesystem::path& package, const char* point) {
    station.stop();
    const ::pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::setenv("STATIONSYNC_TEST_ROOT", station.root().c_str(), 1);
        ::setenv("STATIONSYNC_TEST_KEY", key.c_str(), 1);
        ::setenv("STATIONSYNC_TEST_EXPECTED", expected.c_str(), 1);
        ::setenv("STATIONSYNC_TEST_PACKAGE", package.c_str(), 1);
        ::setenv("STATIONSYNC_FAULT_POINT", point, 1);
        ::execl("/proc/self/exe", "component_filesync", "--gtest_also_run_disabled_tests",
                "--gtest_filter=FilesyncKillChild.DISABLED_Apply", "--gtest_brief=1", nullptr);
        ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "no run reached " << point;
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_P(FilesyncKill, LeavesOldOrNewAndNoLitter) {
    Station station;
    station.start();
    station.write("old", "old content");
    const auto expected = sdk::mark_of_bytes("old content");
    const auto package = station.make_package("new content");
    apply_in_child(station, "old", "old content", package, GetParam());

    FakeProvider& provider = station.start();
    EXPECT_TRUE(station.litter().empty());
    EXPECT_TRUE(station.read("old") == "old content" || station.read("old") == "new content");
    EXPECT_EQ(provider.apply("old", package, expected).status, STSYNC_OK);
    EXPECT_EQ(station.read("old"), "new content");
    EXPECT_EQ(Station::modified_ns(station.root() / "old"), 1600000000000000000);
    EXPECT_TRUE(station.litter().empty());
}

TEST_P(FilesyncKill, LeavesANewFileAbsentOrWhole) {
    Station station;
    station.start();
    const auto package = station.make_package("new content");
    apply_in_child(station, "sub/new", "", package, GetParam());

    FakeProvider& provider = station.start();
    EXPECT_TRUE(station.litter().empty());
    EXPECT_TRUE(!station.has("sub/new") || station.read("sub/new") == "new content");
    EXPECT_EQ(provider.apply("sub/new", package, sdk::Mark()).status, STSYNC_OK);
    EXPECT_EQ(station.read("sub/new"), "new content");
}

INSTANTIATE_TEST_SUITE_P(Points, FilesyncKill,
                         testing::Values("filesync.apply.temp_made", "filesync.apply.temp_written",
                                         "filesync.apply.before_rename",
                                         "filesync.apply.after_rename",
                                         "filesync.apply.before_folder_sync"));

#else

TEST(FilesyncKill, NeedsFaultPoints) {
    GTEST_SKIP() << "this build has no fault points";
}

#endif

} // namespace
} // namespace stationsync::test
