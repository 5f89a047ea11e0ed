#include "config/apply_when.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

constexpr int monday = 0;
constexpr int friday = 4;
constexpr int saturday = 5;
constexpr int sunday = 6;

std::vector<TimeWindow> windows(std::string_view text) {
    const auto parsed = parse_apply_when(text);
    EXPECT_TRUE(parsed && parsed->command.empty()) << text;
    return parsed ? parsed->windows : std::vector<TimeWindow>{};
}

bool open_at(std::string_view text, int weekday, int hour, int minute) {
    return is_open(windows(text), {weekday, hour, minute, 0});
}

TEST(ApplyWhen, AWindowHasItsBeginAndNotItsEnd) {
    EXPECT_FALSE(open_at("12:00-12:30", monday, 11, 59));
    EXPECT_TRUE(open_at("12:00-12:30", monday, 12, 0));
    EXPECT_TRUE(open_at("12:00-12:30", sunday, 12, 29));
    EXPECT_FALSE(open_at("12:00-12:30", monday, 12, 30));
}

TEST(ApplyWhen, AWindowOverMidnightBelongsToTheDayOnWhichItBegins) {
    EXPECT_TRUE(open_at("fri 22:00-05:00", friday, 22, 0));
    EXPECT_TRUE(open_at("fri 22:00-05:00", saturday, 4, 59));
    EXPECT_FALSE(open_at("fri 22:00-05:00", saturday, 5, 0));
    EXPECT_FALSE(open_at("fri 22:00-05:00", saturday, 22, 0));
    EXPECT_FALSE(open_at("fri 22:00-05:00", friday, 4, 0));
    EXPECT_TRUE(open_at("sun 22:00-05:00", monday, 0, 0));
}

TEST(ApplyWhen, DaysMayGoOverTheEndOfTheWeekAndSeveralWindowsCount) {
    EXPECT_TRUE(open_at("sat-mon 6:00-7:00", sunday, 6, 30));
    EXPECT_TRUE(open_at("sat-mon 6:00-7:00", monday, 6, 30));
    EXPECT_FALSE(open_at("sat-mon 6:00-7:00", friday, 6, 30));
    constexpr std::string_view both = "Mon-Fri 12:00-12:30 ,  sat-sun 00:00-24:00";
    EXPECT_TRUE(open_at(both, monday, 12, 0));
    EXPECT_TRUE(open_at(both, sunday, 23, 59));
    EXPECT_FALSE(open_at(both, friday, 23, 59));
}

TEST(ApplyWhen, WhatIsMadeOfTimesAndWrongIsNoCommand) {
    for (const auto* wrong :
         {"22:00", "22:00-25:00", "22:00-05:60", "22-5", "12:00-12:00", "24:00-05:00",
          "00:00-00:00", "mon", "mon 22:00", "mon,tue 22:00-05:00", "22:00-05:00,", "1:1-2:2", "7",
          "fri- 22:00-23:00", ""}) {
        EXPECT_FALSE(parse_apply_when(wrong)) << wrong;
    }
}

TEST(ApplyWhen, MidnightEndsADayUnderBothItsNames) {
    EXPECT_EQ(windows("mon 22:00-00:00"), windows("mon 22:00-24:00"));
    EXPECT_TRUE(open_at("mon 22:00-00:00", monday, 23, 59));
    EXPECT_FALSE(open_at("mon 22:00-00:00", monday + 1, 0, 0));
}

// As commands they would refuse every apply for ever.
TEST(ApplyWhen, AWindowWrittenInAnotherWayIsNoCommand) {
    for (const auto* wrong :
         {"22.00-05.00", "22:00\u201305:00", "22:00 \u2014 05:00", "22h00-05h00", "10pm-5am",
          "22:00 to 05:00", "22:00-05:00; 06:00-07:00", "22:00-05:00 daily", "monday 22:00-05:00",
          "Mondays 22:00-05:00", "Mo-Fr 08:00-12:00", "Mo,Di 8.00-12.00", "daily 22:00-05:00",
          "every day from 22:00 until 05:00", "t\u00e4glich 22:00-05:00",
          "mon-fri: 22:00-05:00, sat 12:00-13:00", "mon-fri 12:00-12:30; sat 00:00-24:00"}) {
        EXPECT_FALSE(parse_apply_when(wrong)) << wrong;
    }
}

TEST(ApplyWhen, EverythingElseIsACommand) {
    for (const auto* command : {"/plant/idle.sh", "7z t x", "test ! -e /run/batch", "monitor 5",
                                "monitor 22:00-05:00", "/plant/between.sh 22:00-05:00",
                                "[ 5 -gt 2-1 ]", R"(C:\plant\idle.cmd)", "nice 22:00-05:00"}) {
        const auto parsed = parse_apply_when(command);
        ASSERT_TRUE(parsed) << command;
        EXPECT_EQ(parsed->command, command);
    }
}

TEST(ApplyWhen, TheNextOpeningIsNamedAsTheClockOnTheWallShowsIt) {
    EXPECT_EQ(next_opening(windows("22:00-05:00"), {monday, 14, 3, 0}), "22:00");
    EXPECT_EQ(next_opening(windows("06:00-07:00"), {monday, 14, 3, 0}), "Tue 06:00");
    EXPECT_EQ(next_opening(windows("sat 06:05-07:00"), {saturday, 8, 0, 0}), "Sat 06:05");
    EXPECT_EQ(next_opening(windows("sat 06:00-07:00, sun 01:00-02:00"), {saturday, 8, 0, 0}),
              "Sun 01:00");
}

} // namespace
} // namespace stationsync::host
