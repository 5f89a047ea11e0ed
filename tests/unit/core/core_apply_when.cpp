// The answers of `apply_when`, seen from one engine: what is told of them, and how long they count.
#include "stationsync/core/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::core {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

StationId station(std::uint8_t fill) {
    StationId id;
    id.bytes.fill(fill);
    return id;
}

// A state of another station that is here, and that nothing but apply_when keeps from the live
// data.
class Asks : public testing::Test {
protected:
    void SetUp() override {
        state.meta.made_by_init = true;
        state.objects = {waiting_record()};
        EngineConfig config;
        config.self = station(0x11);
        config.run_id = 1;
        config.station_name = "S1";
        config.project = "Plant";
        engine = std::make_unique<Engine>(config, state, now);
        ProviderEnabled enabled;
        enabled.provider = "recipes";
        enabled.plugin = "files";
        enabled.plugin_version = "1.0";
        enabled.apply_when = true;
        handle(enabled);
        handle(ProviderTokens{"recipes", true, {}});
        handle(RecoverFinished{"recipes", JobStatus::ok, {}});
    }
    ObjectRecord waiting_record() const {
        auto revision = std::make_shared<Revision>();
        revision->object = id;
        revision->author = {station(0x22), 5};
        revision->sequence = 1;
        revision->stamp.wall_us = now.wall.us;
        revision->seen.raise(revision->author, 1);
        revision->changed_at = now.wall;
        revision->bytes = 7;
        ObjectRecord record;
        record.id = id;
        record.packages = {{revision->id(), {}, false}};
        record.set = {{revision, Rank::plant, false}};
        return record;
    }
    void pass(Duration time) {
        now.instant = now.instant + time;
        now.wall = now.wall + time;
        engine->handle_deadline(now);
        work();
    }
    void handle(const Event& event) {
        engine->handle(event, now);
        work();
    }
    void work() {
        for (auto actions = engine->take_actions(); !actions.empty();
             actions = engine->take_actions())
            for (Action& action : actions)
                perform(action);
    }
    void perform(const Action& action) {
        if (const auto* persist = std::get_if<Persist>(&action))
            engine->handle(Persisted{persist->id}, now);
        else if (const auto* scan = std::get_if<Scan>(&action))
            engine->handle(ScanFinished{scan->job, scan->provider, JobStatus::ok, {}, {}}, now);
        else if (const auto* judge = std::get_if<JudgeTokens>(&action))
            engine->handle(TokensJudged{judge->job, true, {}}, now);
        else if (const auto* ask = std::get_if<AskApplyWhen>(&action))
            questions.push_back(*ask);
        else if (const auto* apply = std::get_if<StartApply>(&action))
            applies.push_back(apply->apply);
        else if (const auto* cleared = std::get_if<ClearMessage>(&action))
            cleared_ids.push_back(cleared->id);
        else if (const auto* send = std::get_if<SendMessage>(&action))
            if (const auto* told = std::get_if<ApplyState>(&send->message))
                sent.push_back(*told);
    }
    void answer(bool allowed, const std::string& text, Duration stands_for) {
        ASSERT_FALSE(questions.empty());
        handle(ApplyWhenAnswered{questions.back().job, allowed, text, stands_for});
    }
    void open_peer() {
        ProviderProfile provider;
        provider.name = "recipes";
        provider.plugin = "files";
        provider.plugin_version = "1.0";
        provider.known = true;
        Profile theirs;
        theirs.station = station(0x22);
        theirs.run_id = 100;
        theirs.station_name = "S2";
        theirs.project = "Plant";
        theirs.providers = {provider};
        LinkUp up;
        up.link = LinkId{1};
        up.station = station(0x22);
        up.run_id = 100;
        up.name = "S2";
        up.address = "10.0.0.2:40000";
        handle(up);
        handle(MessageReceived{LinkId{1}, theirs});
        handle(ClockMeasured{LinkId{1}, {}, milliseconds(1)});
        handle(MessageReceived{LinkId{1}, TimeReport{{}, milliseconds(1)}});
        handle(MessageReceived{LinkId{1}, Verdicts{{{"/time", true, {}}, {"recipes", true, {}}}}});
        ASSERT_TRUE(engine->may_exchange(station(0x22)));
    }
    std::vector<WaitView> waits() const { return engine->providers().at(0).waits_on; }

    const ObjectId id{"recipes", "r.txt"};
    Now now{Instant{1'000'000}, WallTime{1'800'000'000'000'000}};
    DurableState state;
    std::unique_ptr<Engine> engine;
    std::vector<AskApplyWhen> questions;
    std::vector<ApplyId> applies;
    std::vector<ApplyState> sent;
    std::vector<std::string> cleared_ids;
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
    EXPECT_THAT(cleared_ids, Not(testing::Contains("provider-held")));
    handle(ProviderDisabled{"recipes"});
    EXPECT_THAT(cleared_ids, testing::Contains("provider-held"));
}

} // namespace
} // namespace stationsync::core
