// apply_when against the time zones of the system and real commands.
#include "service/apply_verdict.hpp"

#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace stationsync::host {
namespace {

using testing::HasSubstr;

// The rules of Central Europe, without the system's files: forward on the last Sunday of March,
// back on that of October.
class LocalTimeZone : public testing::Test {
protected:
    void SetUp() override { setenv("TZ", "CET-1CEST,M3.5.0/2,M10.5.0/3", 1); }
    void TearDown() override {
        unsetenv("TZ");
        tzset();
    }
};

WallTime utc(int year, unsigned month, unsigned day, int hour, int minute, int second = 0) {
    using namespace std::chrono;
    const sys_days date =
        std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day};
    const auto at = date + hours(hour) + minutes(minute) + seconds(second);
    return duration_cast<microseconds>(at.time_since_epoch()).count();
}

ApplyWhen window(const std::string& text) {
    return *parse_apply_when(text);
}

bool allowed(const std::string& text, WallTime at) {
    return judge_windows(window(text), at).allowed;
}

TEST_F(LocalTimeZone, WindowsAreOfLocalTimeInSummerAndInWinter) {
    EXPECT_TRUE(allowed("22:00-05:00", utc(2026, 7, 1, 20, 0))); // 22:00 CEST
    EXPECT_FALSE(allowed("22:00-05:00", utc(2026, 7, 1, 19, 59)));
    EXPECT_FALSE(allowed("22:00-05:00", utc(2026, 1, 15, 20, 0))); // 21:00 CET
    EXPECT_TRUE(allowed("22:00-05:00", utc(2026, 1, 15, 21, 0)));
    EXPECT_TRUE(allowed("thu 22:00-05:00", utc(2026, 1, 16, 3, 59))); // Friday 04:59
    EXPECT_FALSE(allowed("thu 22:00-05:00", utc(2026, 1, 16, 4, 0)));
}

TEST_F(LocalTimeZone, TheNightInWhichTheClockIsSetForwardIsAnHourShorter) {
    // 29 March 2026: 01:59:59 CET is followed by 03:00:00 CEST.
    EXPECT_TRUE(allowed("22:00-02:30", utc(2026, 3, 29, 0, 59, 59)));
    EXPECT_FALSE(allowed("22:00-02:30", utc(2026, 3, 29, 1, 0)));
    // What begins in the hour that is missing begins with the one after it.
    EXPECT_FALSE(allowed("02:30-04:00", utc(2026, 3, 29, 0, 59, 59)));
    EXPECT_TRUE(allowed("02:30-04:00", utc(2026, 3, 29, 1, 0)));
    EXPECT_FALSE(allowed("02:30-04:00", utc(2026, 3, 29, 2, 0)));
}

TEST_F(LocalTimeZone, TheHourThatComesTwiceIsOpenTwice) {
    // 25 October 2026: 02:59:59 CEST is followed by 02:00:00 CET.
    EXPECT_TRUE(allowed("02:15-02:45", utc(2026, 10, 25, 0, 30)));
    EXPECT_FALSE(allowed("02:15-02:45", utc(2026, 10, 25, 0, 59)));
    EXPECT_TRUE(allowed("02:15-02:45", utc(2026, 10, 25, 1, 30)));
    EXPECT_FALSE(allowed("02:15-02:45", utc(2026, 10, 25, 1, 45)));
}

TEST_F(LocalTimeZone, AVerdictStandsUntilTheFullMinuteAtMost) {
    const WallTime at = utc(2026, 7, 1, 19, 59, 42) + 250'000;
    const GateVerdict verdict = judge_windows(window("22:00-05:00"), at);
    EXPECT_FALSE(verdict.allowed);
    EXPECT_EQ(verdict.stands_for, std::chrono::milliseconds(17'750));
    EXPECT_TRUE(allowed("22:00-05:00", at + verdict.stands_for.count()));
    EXPECT_EQ(judge_windows(window("22:00-05:00"), utc(2026, 7, 1, 20, 0)).stands_for,
              std::chrono::seconds(60));
}

TEST_F(LocalTimeZone, AClosedWindowTellsWhenItOpensAndIsTheSameEachMinute) {
    const auto verdict = judge_windows(window("mon-fri 22:00-05:00"), utc(2026, 7, 4, 12, 3));
    EXPECT_EQ(verdict.text, "the window is mon-fri 22:00-05:00 (local time there); "
                            "it opens next Mon 22:00");
    EXPECT_EQ(judge_windows(window("mon-fri 22:00-05:00"), utc(2026, 7, 4, 12, 4)).text,
              verdict.text);
}

// Other stations close the link on what is longer than a sentence may be.
TEST_F(LocalTimeZone, WindowsOfAnyNumberMakeAShortReason) {
    std::string many = "mon 01:00-01:01";
    for (int i = 0; i < 500; ++i)
        many += ", mon 01:00-01:01";
    const auto text = judge_windows(window(many), utc(2026, 7, 4, 12, 3)).text;
    EXPECT_LT(text.size(), 200U);
    EXPECT_THAT(text, HasSubstr("mon 01:00-01:01, mon"));
    EXPECT_THAT(text, HasSubstr("... (local time there); it opens next Mon 01:00"));
}

TEST(GateCommand, ExitStatusDecidesAndTheFirstLineIsTheReason) {
    EXPECT_TRUE(ask_gate_command(window("exit 0"), 0).allowed);
    const auto refused =
        ask_gate_command(window("printf 'batch 4711 runs  \\nsecond line\\n'; exit 1"), 0);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.text, "batch 4711 runs");
    EXPECT_EQ(ask_gate_command(window("exit 3"), 0).text,
              "the command 'exit 3' ends with exit status 3");
}

TEST(GateCommand, NothingOfItsOutputHarmsWhoShowsIt) {
    EXPECT_EQ(ask_gate_command(window(R"(printf 'a\033[31mb\tc'; false)"), 0).text, "a[31mbc");
    EXPECT_THAT(ask_gate_command(window(R"(printf '\377\376'; false)"), 0).text,
                HasSubstr("exit status 1"));
    const auto text =
        ask_gate_command(
            window("i=0; while [ $i -lt 400 ]; do printf 'ž'; i=$((i+1)); done; false"), 0)
            .text;
    EXPECT_EQ(text.size(), 200U);
}

TEST(GateCommand, ALongCommandOfSeveralLinesIsNamedByItsBegin) {
    std::string command = "# \xc5\xbe\nexit 3 #";
    for (int i = 0; i < 3000; ++i)
        command += "\xc5\xbe";
    const auto text = ask_gate_command(window(command), 0).text;
    EXPECT_LT(text.size(), 200U);
    EXPECT_THAT(text, HasSubstr("the command '# \xc5\xbe exit 3 #\xc5\xbe"));
    EXPECT_THAT(text, HasSubstr("\xc5\xbe...' ends with exit status 3"));
}

TEST(GateCommand, OneThatNobodyWaitsForIsEnded) {
    const std::atomic<bool> given_up = true;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(ask_gate_command(window("sleep 600"), 0, &given_up).allowed);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
}

TEST(GateCommand, WhoSaysNoIsAskedEverMoreSeldom) {
    std::vector<std::int64_t> seconds;
    for (unsigned refusals = 0; refusals < 6; ++refusals)
        seconds.push_back(ask_gate_command(window("false"), refusals).stands_for.count() /
                          1'000'000);
    EXPECT_THAT(seconds, testing::ElementsAre(5, 10, 20, 40, 60, 60));
    EXPECT_EQ(ask_gate_command(window("true"), 0).stands_for, std::chrono::seconds(5));
}

TEST(GateCommand, OneThatHangsIsEndedAndNamed) {
    const auto verdict = ask_gate_command(window("sleep 600"), 0);
    EXPECT_FALSE(verdict.allowed);
    EXPECT_THAT(verdict.text, HasSubstr("'sleep 600' takes longer than 10 s"));
}

} // namespace
} // namespace stationsync::host
