// Rule 4: a step of the local clock is one of the wall clock against a clock that goes on in sleep.
#include "base/clock.hpp"
#include "service/clock_watch.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t hour_us = 3600 * second_us;

TEST(ClockWatch, WakingFromSleepIsNoStep) {
    ClockWatch watch;
    EXPECT_FALSE(watch.sample(1000 * second_us, 10 * second_us));
    EXPECT_FALSE(watch.sample(1000 * second_us + 8 * hour_us, 10 * second_us + 8 * hour_us));
}

TEST(ClockWatch, AStepOfTheWallClockEitherWayIsTold) {
    ClockWatch watch;
    EXPECT_FALSE(watch.sample(1000 * second_us, 10 * second_us));
    EXPECT_EQ(watch.sample(1000 * second_us + hour_us, 11 * second_us), hour_us - second_us);
    EXPECT_EQ(watch.sample(1000 * second_us, 12 * second_us), -hour_us - second_us);
}

TEST(ClockWatch, ASlowCorrectionIsNoStepHoweverFarItGoes) {
    ClockWatch watch;
    for (std::int64_t i = 0; i < 100; ++i)
        EXPECT_FALSE(watch.sample(i * 3 * second_us, i * second_us)) << i;
}

} // namespace
} // namespace stationsync::host
