#include "net/time_exchange.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr core::Duration no_time{0};

// Two clocks and a line between them; times in microseconds of one true time.
class TimeFilterTest : public ::testing::Test {
protected:
    core::Duration offset{0}; // of the peer's clock
    core::Duration ours{0};   // of ours

    // One exchange that begins now; true time moves on.
    std::optional<TimeSample> exchange(core::Duration there, core::Duration answering,
                                       core::Duration back) {
        const core::Instant sent{now_};
        filter.sent(++number_, wall(ours), sent);
        Pong pong;
        pong.number = number_;
        now_ += there.count();
        pong.received_at = wall(offset);
        now_ += answering.count();
        pong.sent_at = wall(offset);
        now_ += back.count();
        return filter.received(pong, wall(ours), {now_});
    }
    core::WallTime wall(core::Duration clock) const {
        return core::WallTime{1'700'000'000'000'000 + now_} + clock;
    }

    TimeFilter filter;
    std::int64_t now_ = 1000;
    std::uint64_t number_ = 0;
};

TEST_F(TimeFilterTest, HalfTheRoundTripIsTakenOff) {
    offset = seconds(61);
    const auto sample = exchange(milliseconds(200), no_time, milliseconds(200));
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->offset, seconds(61));
    EXPECT_EQ(sample->round_trip, milliseconds(400));
}

TEST_F(TimeFilterTest, TimeOfTheAnsweringSideDoesNotCount) {
    const auto sample = exchange(milliseconds(5), milliseconds(700), milliseconds(5));
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->offset, no_time);
    EXPECT_EQ(sample->round_trip, milliseconds(10));
}

TEST_F(TimeFilterTest, AsymmetryIsWrongByAtMostHalfTheRoundTrip) {
    const auto sample = exchange(milliseconds(500), no_time, no_time);
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->offset, milliseconds(250));
    EXPECT_LE(std::chrono::abs(sample->offset), sample->round_trip / 2);
}

TEST_F(TimeFilterTest, TheQuickestOfTheLastSamplesIsTrusted) {
    offset = seconds(3);
    (void)exchange(milliseconds(1), no_time, milliseconds(1));
    for (std::size_t i = 1; i < TimeFilter::samples_max; ++i) {
        const auto sample = exchange(milliseconds(900), no_time, milliseconds(10));
        ASSERT_TRUE(sample);
        EXPECT_EQ(sample->offset, seconds(3));
        EXPECT_EQ(sample->round_trip, milliseconds(2));
    }
    const auto later = exchange(milliseconds(900), no_time, milliseconds(10));
    EXPECT_NE(later->round_trip, milliseconds(2)); // forgotten by now
}

TEST_F(TimeFilterTest, StepOfThePeersClockIsTakenOverAtOnce) {
    (void)exchange(milliseconds(1), no_time, milliseconds(1));
    offset = seconds(61);
    const auto sample = exchange(milliseconds(50), no_time, milliseconds(50));
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->offset, seconds(61));
}

TEST_F(TimeFilterTest, ExchangeDuringAStepOfOurClockIsDropped) {
    const core::Instant sent{now_};
    filter.sent(1, wall(no_time), sent);
    Pong pong{1, {}, wall(no_time), wall(no_time)};
    ours = seconds(100);
    EXPECT_FALSE(filter.received(pong, wall(ours), {now_}));
}

TEST_F(TimeFilterTest, NonsenseOfThePeerIsDropped) {
    const auto with = [&](core::WallTime received, core::WallTime sent) {
        filter.sent(++number_, wall(no_time), {now_});
        return filter.received({number_, {}, received, sent}, wall(no_time), {now_}).has_value();
    };
    EXPECT_TRUE(with(wall(no_time), wall(no_time)));
    EXPECT_FALSE(with({INT64_MIN}, {INT64_MAX}));
    EXPECT_FALSE(with({INT64_MAX}, {INT64_MAX}));
    EXPECT_FALSE(with(wall(seconds(1)), wall(no_time)));   // sent before received
    EXPECT_FALSE(with(wall(no_time), wall(seconds(100)))); // longer than the exchange took
}

TEST_F(TimeFilterTest, AnswersToNoPingAndRepeatedOnesAreDropped) {
    EXPECT_FALSE(filter.received({77, {}, wall(no_time), wall(no_time)}, wall(no_time), {now_}));
    filter.sent(1, wall(no_time), {now_});
    const Pong pong{1, {}, wall(no_time), wall(no_time)};
    EXPECT_TRUE(filter.received(pong, wall(no_time), {now_}));
    EXPECT_FALSE(filter.received(pong, wall(no_time), {now_}));
}

TEST(TimeFrames, HaveAFixedSizeAndReadBack) {
    const Ping ping{1, {-2}};
    ASSERT_EQ(encode(ping).size(), ping_bytes);
    EXPECT_EQ(decode_ping(encode(ping))->sent_at.us, -2);
    const Pong pong{1, {2}, {3}, {4}};
    ASSERT_EQ(encode(pong).size(), pong_bytes);
    EXPECT_EQ(decode_pong(encode(pong))->sent_at.us, 4);
    EXPECT_FALSE(decode_ping(std::vector<std::byte>(15)));
    EXPECT_FALSE(decode_pong(std::vector<std::byte>(33)));
}

} // namespace
} // namespace stationsync::host
