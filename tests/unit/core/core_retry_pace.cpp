// When a failed step is tried again: by the class of the failure, and not before the plugin wishes.
#include "waiting_state.hpp"

namespace stationsync::core::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class RetryPace : public WaitingState {
protected:
    RetryPace() : WaitingState(false) {}

    void fail(JobStatus status, Duration retry_after = {}) {
        ApplyFinished finished;
        finished.apply = applies.back();
        finished.status = status;
        finished.text = "it does not work";
        finished.retry_after = retry_after;
        handle(finished);
    }
    // Fails every attempt until `end` has passed; how many there were.
    std::size_t attempts(JobStatus status, Duration end) {
        const std::size_t before = applies.size();
        std::size_t answered = before;
        fail(status);
        for (Duration gone{}; gone < end; gone += seconds(1)) {
            pass(seconds(1));
            if (applies.size() > std::exchange(answered, applies.size()))
                fail(status);
        }
        return applies.size() - before;
    }
};

TEST_F(RetryPace, WhatThePluginWishesIsNotTriedBefore) {
    ASSERT_EQ(applies.size(), 1U);
    fail(JobStatus::busy, minutes(10));
    for (int i = 0; i < 8; ++i)
        pass(minutes(1));
    EXPECT_EQ(applies.size(), 1U);
    for (int i = 0; i < 5; ++i)
        pass(minutes(1));
    EXPECT_EQ(applies.size(), 2U);
}

TEST_F(RetryPace, AWishOfNoTimeIsNoRetryWithoutAPause) {
    ASSERT_EQ(applies.size(), 1U);
    for (std::size_t i = 1; i <= 6; ++i) {
        ASSERT_EQ(applies.size(), i);
        fail(JobStatus::busy, std::chrono::milliseconds(1));
        while (applies.size() == i)
            pass(seconds(1));
    }
    EXPECT_GE(now.instant.us, seconds(30) / std::chrono::microseconds(1)) << "1 + 2 + 4 + … s";
}

TEST_F(RetryPace, AMistakenWishDoesNotPutItOffForEver) {
    fail(JobStatus::busy, hours(1000));
    for (int i = 0; i < 40; ++i)
        pass(hours(1));
    EXPECT_EQ(applies.size(), 2U);
}

TEST_F(RetryPace, WhatIsInUseIsTriedEachMinuteAndWhatIsBlockedEachFiveMinutes) {
    const std::size_t busy = attempts(JobStatus::busy, hours(2));
    EXPECT_GT(busy, 90U);
    const std::size_t blocked = attempts(JobStatus::no_space, hours(2));
    EXPECT_LT(blocked, 40U);
    EXPECT_GT(blocked, 15U);
}

} // namespace
} // namespace stationsync::core::testing
