// Hints: every change is told soon, and nothing after stop.
#include "component/filesync/filesync_fixture.hpp"

#include <chrono>

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class FilesyncWatch : public testing::Test {
protected:
    void start_watch() {
        station_.start();
        const Outcome started = station_.provider().start_watch(hints_);
        ASSERT_EQ(started.status, STSYNC_OK) << started.text;
    }

    Hints hints_; // outlives the station, whose end stops the watch
    Station station_;
};

TEST_F(FilesyncWatch, EditsNewFilesAndRemovalsAreTold) {
    station_.write("sub/old", "x");
    start_watch();
    station_.write("a", "x");
    EXPECT_TRUE(hints_.wait_for("a", seconds(10)));
    station_.write("sub/old", "y");
    EXPECT_TRUE(hints_.wait_for("sub/old", seconds(10)));
    hints_.clear();
    fs::remove(station_.root() / "sub/old");
    EXPECT_TRUE(hints_.wait_for("sub/old", seconds(10)));
    fs::rename(station_.root() / "a", station_.root() / "b");
    EXPECT_TRUE(hints_.wait_for("b", seconds(10)));
    EXPECT_TRUE(hints_.wait_for("a", seconds(10)));
}

TEST_F(FilesyncWatch, FilesInNewFoldersAreTold) {
    start_watch();
    for (int i = 0; i < 50; ++i)
        station_.write("new" + std::to_string(i) + "/deep/er/file", "x");
    for (int i = 0; i < 50; ++i)
        EXPECT_TRUE(hints_.wait_for("new" + std::to_string(i) + "/deep/er/file", seconds(10))) << i;
    // And they are watched from then on.
    hints_.clear();
    station_.write("new7/deep/er/file", "y");
    EXPECT_TRUE(hints_.wait_for("new7/deep/er/file", seconds(10)));
}

TEST_F(FilesyncWatch, AFolderMovedInIsCoveredAndOneMovedAwayAsksForAScan) {
    start_watch();
    const TempFolder outside(station_.folder());
    write_file(outside / "tree/x/y", "1");
    fs::rename(outside / "tree", station_.root() / "tree");
    EXPECT_TRUE(hints_.wait_for("tree/x/y", seconds(10)));
    hints_.clear();
    fs::rename(station_.root() / "tree", station_.root() / "renamed");
    EXPECT_TRUE(hints_.wait_for("", seconds(10)));
    EXPECT_TRUE(hints_.wait_for("renamed/x/y", seconds(10)));
    hints_.clear();
    station_.write("renamed/x/y", "2");
    EXPECT_TRUE(hints_.wait_for("renamed/x/y", seconds(10)));
}

TEST_F(FilesyncWatch, AFileThatStaysOpenIsToldWhileItIsWritten) {
    start_watch();
    std::ofstream file(station_.root() / "slow");
    ASSERT_TRUE(hints_.wait_for("slow", seconds(10)));
    hints_.clear();
    file << "line" << std::flush;
    EXPECT_TRUE(hints_.wait_for("slow", seconds(10)));
}

TEST_F(FilesyncWatch, WhatDoesNotBelongIsNotTold) {
    station_.host.config["include"] = {"*.rcp"};
    station_.host.config["exclude"] = {"old/"};
    fs::create_directories(station_.root() / "old");
    start_watch();
    station_.write("a.txt", "x");
    station_.write("old/b.rcp", "x");
    station_.write(".~stsync-0-0", "x");
    station_.write("last.rcp", "x");
    ASSERT_TRUE(hints_.wait_for("last.rcp", seconds(10)));
    EXPECT_FALSE(hints_.wait_for("a.txt", seconds(0)));
    EXPECT_FALSE(hints_.wait_for("old/b.rcp", seconds(0)));
    EXPECT_FALSE(hints_.wait_for(".~stsync-0-0", seconds(0)));
}

TEST_F(FilesyncWatch, NothingIsToldAfterStopAndItCanStartAgain) {
    start_watch();
    station_.provider().stop_watch();
    hints_.clear();
    station_.write("a", "x");
    EXPECT_EQ(hints_.count(), 0u);
    station_.provider().stop_watch();
    ASSERT_EQ(station_.provider().start_watch(hints_).status, STSYNC_OK);
    station_.write("b", "x");
    EXPECT_TRUE(hints_.wait_for("b", seconds(10)));
}

TEST_F(FilesyncWatch, ABurstBeyondTheQueueEndsInARescan) {
    std::ifstream limit_file("/proc/sys/fs/inotify/max_queued_events");
    std::size_t limit = 0;
    limit_file >> limit;
    if (limit == 0 || limit > 100000)
        GTEST_SKIP() << "the queue is too long to fill";
    start_watch();
    hints_.hold();
    station_.write("first", "x");
    ASSERT_TRUE(hints_.wait_for("first", seconds(10)));
    // The watcher now waits in the hint while the queue fills; each rename is two events.
    const fs::path one = station_.root() / "one";
    const fs::path two = station_.root() / "two";
    write_file(one, "x");
    for (std::size_t i = 0; i < limit / 2; ++i) {
        fs::rename(one, two);
        fs::rename(two, one);
    }
    hints_.release();
    EXPECT_TRUE(hints_.wait_for("", seconds(30)));
    hints_.clear();
    station_.write("after", "x");
    EXPECT_TRUE(hints_.wait_for("after", seconds(10)));
}

} // namespace
} // namespace stationsync::test
