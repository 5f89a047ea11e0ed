// Holding a provider, seen from one engine alone: durable before it is answered, and for how long.
#include "stationsync/core/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::core {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

// One engine with its disk, a clock of the wall that may be set, and the monotonic one.
class Held : public testing::Test {
protected:
    void SetUp() override { start(); }

    void start() {
        EngineConfig config;
        config.self.bytes[0] = 1;
        config.seed = 7;
        engine = std::make_unique<Engine>(config, state, now());
        ProviderEnabled enabled;
        enabled.provider = "recipes";
        enabled.plugin = "files";
        handle(enabled);
    }
    Now now() const { return {instant, wall}; }
    void pass(Duration time) {
        instant = instant + time;
        wall = wall + time;
    }
    void handle(const Event& event) {
        engine->handle(event, now());
        work();
    }
    void deadline() {
        engine->handle_deadline(now());
        work();
    }
    // Does what the engine asks for and stores; the answers of persons and messages are kept.
    void work() {
        for (auto actions = engine->take_actions(); !actions.empty();
             actions = engine->take_actions()) {
            std::vector<PersistId> stored;
            for (Action& action : actions) {
                if (auto* persist = std::get_if<Persist>(&action)) {
                    store(*persist);
                    stored.push_back(persist->id);
                } else if (auto* answer = std::get_if<CommandAnswered>(&action)) {
                    answers.push_back(*answer);
                } else if (auto* raised = std::get_if<RaiseMessage>(&action)) {
                    raised_ids.push_back(raised->id);
                } else if (std::holds_alternative<AskApplyWhen>(action)) {
                    ++asked;
                }
            }
            for (const PersistId id : stored)
                if (disk_works)
                    engine->handle(Persisted{id}, now());
        }
    }
    void store(const Persist& persist) {
        for (const Mutation& mutation : persist.mutations) {
            if (const auto* meta = std::get_if<PutMeta>(&mutation))
                state.meta = meta->record;
            else if (const auto* provider = std::get_if<PutProvider>(&mutation))
                state.providers = {provider->record};
        }
    }
    ProviderView view() const { return engine->providers().at(0); }
    bool is_held() const {
        return view().state == ProviderState::held || view().waits_on.size() == 1;
    }

    Instant instant{1'000'000};
    WallTime wall{1'800'000'000'000'000};
    DurableState state;
    std::unique_ptr<Engine> engine;
    std::vector<CommandAnswered> answers;
    std::vector<std::string> raised_ids;
    int asked = 0;
    bool disk_works = true;
};

TEST_F(Held, APersonIsToldOnlyWhenItIsDurable) {
    disk_works = false;
    handle(HoldRequested{"recipes", std::nullopt});
    EXPECT_TRUE(answers.empty());
    EXPECT_TRUE(raised_ids.empty()) << "no message of what a power failure would undo";
    EXPECT_TRUE(is_held()) << "it counts at once";
    ASSERT_TRUE(state.providers.at(0).hold.has_value());
}

TEST_F(Held, AnOrderForWhatIsNotThereIsRefused) {
    handle(HoldRequested{"recipies", std::nullopt});
    handle(HoldRequested{"recipes", Duration{}});
    handle(ReleaseRequested{"recipies"});
    ASSERT_EQ(answers.size(), 3U);
    for (const CommandAnswered& answer : answers)
        EXPECT_FALSE(answer.ok) << answer.text;
    handle(ReleaseRequested{"recipes"});
    EXPECT_TRUE(answers.back().ok);
    EXPECT_THAT(answers.back().text, HasSubstr("is not held"));
}

TEST_F(Held, ItEndsWhenItsTimeIsOverAndIsToldOfOnce) {
    handle(HoldRequested{"recipes", minutes(30)});
    EXPECT_THAT(answers.back().text, HasSubstr("until"));
    pass(minutes(30) - seconds(1));
    deadline();
    EXPECT_TRUE(is_held());
    ASSERT_TRUE(engine->next_deadline().has_value());
    EXPECT_LE(*engine->next_deadline(), instant + seconds(1));
    pass(seconds(1));
    deadline();
    EXPECT_FALSE(is_held());
    EXPECT_FALSE(state.providers.at(0).hold.has_value());
    EXPECT_THAT(raised_ids, testing::ElementsAre("provider-held", "hold-ended"));
}

TEST_F(Held, AnotherOrderReplacesItsEndAndKeepsItsBegin) {
    handle(HoldRequested{"recipes", minutes(5)});
    const WallTime since = wall;
    pass(minutes(4));
    handle(HoldRequested{"recipes", std::nullopt});
    pass(hours(24 * 40));
    deadline();
    EXPECT_TRUE(is_held());
    EXPECT_EQ(state.providers.at(0).hold->since, since);
    handle(HoldRequested{"recipes", minutes(1)});
    pass(minutes(1));
    deadline();
    EXPECT_FALSE(is_held());
}

TEST_F(Held, ItIsTakenUpAgainAfterARestartForWhatIsLeftOfIt) {
    handle(HoldRequested{"recipes", minutes(30)});
    pass(minutes(10));
    instant = {}; // the computer was off: this clock begins anew
    start();
    EXPECT_TRUE(is_held());
    pass(minutes(19));
    deadline();
    EXPECT_TRUE(is_held());
    pass(minutes(1));
    deadline();
    EXPECT_FALSE(is_held());
}

TEST_F(Held, ANoticedStepOfTheClockMovesItsEnd) {
    for (const Duration step : {Duration{hours(24 * 200)}, Duration{hours(-24 * 200)}}) {
        handle(HoldRequested{"recipes", minutes(30)});
        pass(minutes(10));
        wall = wall + step;
        deadline(); // before the host has noticed
        EXPECT_TRUE(is_held());
        ++state.meta.clock_steps;
        state.meta.clock_moved += step;
        start();
        pass(minutes(20) - seconds(1));
        deadline();
        EXPECT_TRUE(is_held());
        pass(seconds(1));
        deadline();
        EXPECT_FALSE(is_held());
    }
}

TEST_F(Held, AClockPutBackWhileNobodyLookedMakesItNoLongerThanWasOrdered) {
    handle(HoldRequested{"recipes", minutes(30)});
    wall = wall - hours(24 * 365);
    start();
    pass(minutes(30));
    deadline();
    EXPECT_FALSE(is_held());
}

TEST_F(Held, SleepCountsAlthoughTheMonotonicClockStoodStill) {
    handle(HoldRequested{"recipes", minutes(30)});
    wall = wall + hours(8); // no step that the host would tell of
    deadline();
    EXPECT_TRUE(is_held()) << "it may yet be a step";
    pass(seconds(10));
    deadline();
    EXPECT_FALSE(is_held());
}

TEST_F(Held, NothingIsAskedWhileNothingWaits) {
    ProviderEnabled enabled;
    enabled.provider = "recipes";
    enabled.plugin = "files";
    enabled.apply_when = true;
    handle(enabled);
    handle(RecoverFinished{"recipes", JobStatus::ok, {}});
    pass(hours(5));
    deadline();
    EXPECT_EQ(asked, 0);
    EXPECT_NE(view().state, ProviderState::waiting);
}

TEST_F(Held, ItIsShownWhateverElseTheProviderIs) {
    handle(HoldRequested{"recipes", hours(2)});
    const ProviderView shown = view();
    ASSERT_EQ(shown.waits_on.size(), 1U);
    EXPECT_EQ(shown.waits_on[0].hindrance, Hindrance::held);
    EXPECT_EQ(shown.waits_on[0].until, wall + hours(2));
    EXPECT_THAT(shown.waits_on[0].text, HasSubstr("held on purpose until 2027-01-15 10:00 UTC"));
}

} // namespace
} // namespace stationsync::core
