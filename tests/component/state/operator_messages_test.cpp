// A standing message is told once; what happens again is told again.
#include "service/operator_messages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace stationsync::host {
namespace {

core::RaiseMessage step_of(const std::string& seconds) {
    core::RaiseMessage raised;
    raised.id = "clock-step";
    raised.severity = core::Severity::warning;
    raised.text = "The clock of this computer was set by " + seconds + " s";
    return raised;
}

core::RaiseMessage trouble(const std::string& text) {
    core::RaiseMessage raised;
    raised.id = "apply-failed";
    raised.subject = "recipes/a.txt";
    raised.severity = core::Severity::warning;
    raised.text = text;
    return raised;
}

constexpr core::WallTime at(std::int64_t seconds) {
    return {seconds * 1'000'000};
}

class OperatorMessagesTest : public ::testing::Test {
protected:
    WorkerPool pool_{{1, 100}, [](const WorkerPool::Task& task) { task(); }};
    std::vector<std::pair<std::string, core::WallTime>> told_;
    OperatorMessages messages_{nullptr, pool_, [this](const StoredMessage& message, bool) {
                                   told_.emplace_back(message.text, message.since);
                               }};
};

TEST_F(OperatorMessagesTest, WhatHappensAgainIsToldAgainWithItsOwnTime) {
    messages_.raise(step_of("7200"), at(1000));
    messages_.raise(step_of("7200"), at(90'000));
    ASSERT_EQ(told_.size(), 2u);
    ASSERT_EQ(messages_.standing().size(), 1u);
    EXPECT_EQ(messages_.standing().front().since.us, at(90'000).us);
}

TEST_F(OperatorMessagesTest, WhatHappenedAgainIsForgottenAWeekAfterTheLastTime) {
    constexpr std::int64_t day_s = 86'400;
    messages_.raise(step_of("7200"), at(0));
    messages_.raise(step_of("7200"), at(6 * day_s));
    messages_.forget_events(at(8 * day_s), true);
    EXPECT_EQ(messages_.standing().size(), 1u);
    messages_.forget_events(at(13 * day_s + 1), true);
    EXPECT_TRUE(messages_.standing().empty());
}

TEST_F(OperatorMessagesTest, OnlyADamagedStateIsToldUntilAllIsInStep) {
    constexpr std::int64_t day_s = 86'400;
    core::RaiseMessage damaged = step_of("1");
    damaged.id = "state-damaged";
    messages_.raise(damaged, at(0));
    messages_.raise(step_of("7200"), at(0));
    messages_.forget_events(at(8 * day_s), false);
    ASSERT_EQ(messages_.standing().size(), 1u);
    EXPECT_EQ(messages_.standing().front().id, "state-damaged");
    messages_.forget_events(at(8 * day_s), true);
    EXPECT_TRUE(messages_.standing().empty());
}

TEST_F(OperatorMessagesTest, WhatLastsIsToldOnceWithTheTimeSinceWhenItDoes) {
    messages_.raise(trouble("the folder is missing"), at(1000));
    messages_.raise(trouble("the folder is missing"), at(2000));
    EXPECT_EQ(told_.size(), 1u);
    messages_.raise(trouble("the disk is full"), at(3000));
    ASSERT_EQ(told_.size(), 2u);
    EXPECT_EQ(messages_.standing().front().text, "the disk is full");
    EXPECT_EQ(messages_.standing().front().since.us, at(1000).us);
}

} // namespace
} // namespace stationsync::host
