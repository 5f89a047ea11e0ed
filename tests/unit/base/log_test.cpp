#include "base/log.hpp"

#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace stationsync::host::log {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(LogLine, OneEventIsOneLineAndReadsBack) {
    const Entry entry{
        0,          1'772'352'900'123'000, Level::warning, "net", "a \"b\"\n\x1b[31m c\\d",
        "st ation", "recipes/ü=1",         "time"};
    const auto line = line_of(entry);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_THAT(line, testing::StartsWith("2026-03-01T08:15:00.123Z warning net \"a \\\"b\\\""));
    EXPECT_THAT(line, HasSubstr(" station=\"st ation\""));
    EXPECT_THAT(line, HasSubstr(" reason=time"));
    const auto again = entry_of(line);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->at_us, entry.at_us);
    EXPECT_EQ(again->level, entry.level);
    EXPECT_EQ(again->text, entry.text);
    EXPECT_EQ(again->station, entry.station);
    EXPECT_EQ(again->object, entry.object);
    EXPECT_EQ(again->reason, entry.reason);
}

TEST(LogLine, WhatIsNoEntryIsNotTakenForOne) {
    for (const auto* line :
         {"", "hello", "2026-03-01T08:15:00.123Z", "2026-13-01T08:15:00.123Z info a \"b\"",
          "2026-03-01T08:15:00.123Z loud a \"b\"", "2026-03-01T08:15:00.123Z info a \"b"}) {
        EXPECT_FALSE(entry_of(line)) << line;
    }
}

TEST(MinuteLimiter, ACausePassesOnceAMinuteAndTellsWhatWasLeftOut) {
    MinuteLimiter limiter;
    const MinuteLimiter::Instant start{};
    EXPECT_EQ(limiter.admit("a", start), 0U);
    EXPECT_FALSE(limiter.admit("a", start + 1s));
    EXPECT_EQ(limiter.admit("b", start + 1s), 0U);
    EXPECT_FALSE(limiter.admit("a", start + 59s));
    EXPECT_EQ(limiter.admit("a", start + 60s), 2U);
    EXPECT_EQ(limiter.admit("a", start + 120s), 0U);
}

TEST(MinuteLimiter, EndlesslyManyCausesPassSeldomAndCostNoMemory) {
    MinuteLimiter limiter(10);
    const MinuteLimiter::Instant start{};
    int admitted = 0;
    for (int i = 0; i < 20'000; ++i) {
        admitted += limiter.admit(std::to_string(i), start + std::chrono::microseconds(i)) ? 1 : 0;
    }
    EXPECT_LE(admitted, 11);
    EXPECT_EQ(limiter.admit("fresh", start + 2min), 0U) << "places become free again";
}

Options options_in(const std::filesystem::path& folder) {
    Options options;
    options.directory = folder;
    return options;
}

class LogFiles : public testing::Test {
protected:
    ~LogFiles() override { stop(); }
    test::TempFolder folder_;
};

TEST_F(LogFiles, PartsHaveLevelsOfTheirOwnAndSubPartsInherit) {
    auto options = options_in(folder_.path());
    options.level = Level::warning;
    options.levels = {{"plugins", Level::debug}, {"plugins.noisy", Level::off}};
    start(options);
    EXPECT_FALSE(enabled("net", Level::info));
    EXPECT_TRUE(enabled("net", Level::warning));
    EXPECT_TRUE(enabled("plugins.recipes", Level::debug));
    EXPECT_FALSE(enabled("plugins.noisy", Level::error));
    info("net", "left out");
    debug("plugins.recipes", "written");
    const auto text = test::read_file(folder_ / "stationsync.log");
    EXPECT_THAT(text, HasSubstr("debug plugins.recipes \"written\"\n"));
    EXPECT_THAT(text, testing::Not(HasSubstr("left out")));
}

TEST_F(LogFiles, FilesRotateAndTheirNumberIsBounded) {
    auto options = options_in(folder_.path());
    options.file_bytes_max = 65'536;
    options.files_max = 3;
    start(options);
    for (int i = 0; i < 5000; ++i) {
        info("test", std::string(100, 'x'));
    }
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
        EXPECT_LE(entry.file_size(), 65'536U);
        ++files;
    }
    EXPECT_EQ(files, 3U);
}

TEST_F(LogFiles, AFolderThatCannotBeMadeIsOneClearSentence) {
    test::write_file(folder_ / "file", "");
    try {
        start(options_in(folder_ / "file" / "log"));
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("the log folder"));
    }
}

TEST_F(LogFiles, ManyThreadsWriteWholeLinesAndEveryListenerCallHasItsEntry) {
    start(options_in(folder_.path()));
    std::uint64_t calls = 0;
    set_listener([&calls](std::uint64_t) { ++calls; });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            for (int i = 0; i < 200; ++i) {
                info("threads", "line");
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    set_listener({});
    EXPECT_EQ(calls, 800U);
    std::istringstream lines(test::read_file(folder_ / "stationsync.log"));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        EXPECT_TRUE(entry_of(line)) << line;
    }
    EXPECT_EQ(count, 800U);
    EXPECT_EQ(recent(0, 5).size(), 5U);
}

} // namespace
} // namespace stationsync::host::log
