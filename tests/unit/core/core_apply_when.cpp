// The answers of `apply_when`, seen from one engine: what is told of them, and how long they count.
#include "waiting_state.hpp"

#include <gmock/gmock.h>

namespace stationsync::core::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Asks : public WaitingState {
protected:
    Asks() : WaitingState(true) {}
};

TEST_F(Asks, ARefusalIsAskedAboutAgainAndLastsSinceTheFirst) {
    ASSERT_EQ(questions.size(), 1U);
    EXPECT_EQ(questions.back().refusals, 0U);
    const WallTime first = now.wall;
    answer(false, "batch 1 runs", seconds(5));
    pass(seconds(5));
    ASSERT_EQ(questions.size(), 2U);
    EXPECT_EQ(questions.back().refusals, 1U);
    ASSERT_EQ(waits().size(), 1U) << "until there is another answer";
    answer(false, "batch 2 runs", seconds(5));
    ASSERT_EQ(waits().size(), 1U);
    EXPECT_THAT(waits()[0].text, HasSubstr("batch 2 runs"));
    EXPECT_EQ(waits()[0].since, first);
}

TEST_F(Asks, ARefusalFromBeforeAHoldIsNoReasonAfterIt) {
    answer(false, "batch 1 runs", seconds(5));
    handle(HoldRequested{"recipes", std::nullopt});
    pass(hours(1));
    handle(ReleaseRequested{"recipes"});
    EXPECT_THAT(waits(), IsEmpty());
    EXPECT_THAT(engine->object(id)->reason, HasSubstr("is being asked"));
    ASSERT_EQ(questions.size(), 2U);
    EXPECT_EQ(questions.back().refusals, 0U);
    answer(false, "batch 2 runs", seconds(5));
    ASSERT_EQ(waits().size(), 1U);
    EXPECT_EQ(waits()[0].since, now.wall);
}

TEST_F(Asks, ARefusalThatStandsAfterAShortHoldIsStillTheReason) {
    answer(false, "batch 1 runs", seconds(60));
    handle(HoldRequested{"recipes", std::nullopt});
    pass(seconds(1));
    handle(ReleaseRequested{"recipes"});
    EXPECT_EQ(questions.size(), 1U);
    ASSERT_EQ(waits().size(), 1U);
    EXPECT_THAT(waits()[0].text, HasSubstr("batch 1 runs"));
}

// The monotonic clock stands still while the computer sleeps.
TEST_F(Asks, ALeaveFromBeforeASleepDoesNotCountAfterIt) {
    answer(true, {}, seconds(60));
    ASSERT_EQ(applies.size(), 1U);
    handle(ApplyFinished{applies[0], JobStatus::busy, "in use", {}, {}});
    now.wall = now.wall + hours(8);
    for (int second = 0; second < 30; ++second)
        pass(seconds(1));
    EXPECT_EQ(applies.size(), 1U);
    for (int second = 0; second < 60 && questions.size() == 1; ++second)
        pass(seconds(1));
    ASSERT_EQ(questions.size(), 2U);
    answer(true, {}, seconds(60));
    EXPECT_EQ(applies.size(), 2U);
}

TEST_F(Asks, ALeaveStandsAsLongAsItWasGivenFor) {
    answer(true, {}, seconds(60));
    ASSERT_EQ(applies.size(), 1U);
    handle(ApplyFinished{applies[0], JobStatus::busy, "in use", {}, {}});
    for (int second = 0; second < 30; ++second)
        pass(seconds(1));
    EXPECT_EQ(applies.size(), 2U);
    EXPECT_EQ(questions.size(), 1U);
}

// The link would be closed on more than a message may have.
TEST_F(Asks, AReasonOfAnyLengthIsOneShortLineForThePeers) {
    open_peer();
    answer(false, "two\nlines" + std::string(5000, 'x'), seconds(5));
    ASSERT_FALSE(sent.empty());
    EXPECT_THAT(sent.back().text, HasSubstr("two linesxx"));
    EXPECT_LE(sent.back().text.size(), 500U);
}

TEST_F(Asks, AReasonOfAPeerIsShownAsOneShortLine) {
    open_peer();
    answer(true, {}, seconds(5));
    ApplyState theirs;
    theirs.provider = "recipes";
    theirs.hindrance = Hindrance::condition;
    theirs.text = "two\nlines\x1b[31m" + std::string(2000, 'x');
    theirs.number = 1;
    handle(MessageReceived{LinkId{1}, theirs});
    ASSERT_EQ(waits().size(), 1U);
    EXPECT_THAT(waits()[0].text, HasSubstr("two lines [31mxx"));
    EXPECT_LT(waits()[0].text.size(), 600U);
}

TEST_F(Asks, NobodyIsRemindedOfTheHoldOfAProviderThatIsOff) {
    handle(HoldRequested{"recipes", std::nullopt});
    cleared_ids.clear();
    handle(HoldRequested{"recipes", hours(1)});
    EXPECT_THAT(cleared_ids, Not(::testing::Contains("provider-held")));
    handle(ProviderDisabled{"recipes"});
    EXPECT_THAT(cleared_ids, ::testing::Contains("provider-held"));
}

} // namespace
} // namespace stationsync::core::testing
