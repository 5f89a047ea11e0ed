#include "login_gate.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(LoginGate, NeverTriesMoreThanSixTimesInAnHour) {
    LoginGate gate;
    LoginGate::Clock::time_point now{};
    int first_hour = 0;
    int fifth_hour = 0;
    for (; now < LoginGate::Clock::time_point(hours(5)); now += seconds(10)) {
        if (!gate.is_open(1, now))
            continue;
        first_hour += now < LoginGate::Clock::time_point(hours(1)) ? 1 : 0;
        fifth_hour += now >= LoginGate::Clock::time_point(hours(4)) ? 1 : 0;
        gate.refused(1, now);
    }
    EXPECT_EQ(first_hour, 6);
    EXPECT_EQ(fifth_hour, 2);
}

TEST(LoginGate, AnotherPasswordIsTriedAtOnce) {
    LoginGate gate;
    const LoginGate::Clock::time_point now{};
    EXPECT_TRUE(gate.is_open(1, now));
    gate.refused(1, now);
    EXPECT_FALSE(gate.is_open(1, now));
    EXPECT_EQ(gate.remaining(1, now), minutes(1));
    EXPECT_TRUE(gate.is_open(2, now));
    gate.refused(2, now);
    EXPECT_EQ(gate.remaining(2, now), minutes(1)) << "its pauses begin anew";
    gate.accepted();
    EXPECT_TRUE(gate.is_open(2, now));
}

} // namespace
} // namespace stationsync::sqlserver
