// The station half inside of the whole engine: what reaches it, and when.
#include "stationsync/core/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::core {
namespace {

using namespace std::chrono_literals;

StationId station(std::uint8_t fill) {
    StationId id;
    id.bytes.fill(fill);
    return id;
}

struct StationsInEngine : ::testing::Test {
    Now now{Instant{1'000'000}, WallTime{1'800'000'000'000'000}};
    Engine engine{config(), {}, now};
    std::vector<Action> actions;

    static EngineConfig config() {
        EngineConfig made;
        made.self = station(0x11);
        made.run_id = 1;
        made.station_name = "S1";
        made.project = "Plant";
        return made;
    }
    void feed(const Event& event) {
        engine.handle(event, now);
        take();
    }
    void take() {
        for (Action& action : engine.take_actions()) {
            if (const auto* persist = std::get_if<Persist>(&action))
                engine.handle(Persisted{persist->id}, now);
            actions.push_back(std::move(action));
        }
    }
    void pass(Duration time) {
        const Instant end = now.instant + time;
        while (now.instant < end) {
            const Instant next = std::min(engine.next_deadline().value_or(end), end);
            now.wall = now.wall + (next - now.instant);
            now.instant = std::max(next, now.instant + 1ms);
            engine.handle_deadline(now);
            take();
        }
    }
    LinkUp up(std::uint64_t link, std::uint64_t run_id) {
        LinkUp event;
        event.link = LinkId{link};
        event.station = station(0x22);
        event.run_id = run_id;
        event.name = "S2";
        event.address = "10.0.0.2:40000";
        return event;
    }
    Profile profile(std::uint64_t run_id) {
        Profile made;
        made.station = station(0x22);
        made.run_id = run_id;
        made.station_name = "S2";
        made.project = "Plant";
        return made;
    }
    bool closed(std::uint64_t link) const {
        return std::any_of(actions.begin(), actions.end(), [&](const Action& action) {
            const auto* close = std::get_if<CloseLink>(&action);
            return close != nullptr && close->link == LinkId{link};
        });
    }
};

TEST_F(StationsInEngine, RestartedStationIsHeardBeforeItsOldLinkIsFoundDead) {
    feed(up(1, 100));
    feed(MessageReceived{LinkId{1}, profile(100)});
    feed(up(2, 200)); // restarted; the host has not noticed the end of link 1 yet
    feed(MessageReceived{LinkId{2}, profile(200)});
    feed(LinkDown{LinkId{1}, "connection lost"});
    pass(40s);
    EXPECT_FALSE(closed(2)) << "its profile was heard";
    ASSERT_EQ(engine.stations().size(), 1u);
    EXPECT_EQ(engine.stations()[0].state, StationState::checking);
}

TEST_F(StationsInEngine, LinkOfACloneStaysOpenWhileItIsRefused) {
    feed(up(1, 100));
    feed(MessageReceived{LinkId{1}, profile(100)});
    feed(up(2, 200));
    feed(MessageReceived{LinkId{2}, profile(200)});
    feed(LinkAlive{LinkId{1}});
    pass(5s);
    feed(LinkAlive{LinkId{1}});
    feed(LinkAlive{LinkId{2}});
    pass(1min);
    EXPECT_FALSE(closed(1));
    EXPECT_FALSE(closed(2));
    EXPECT_EQ(engine.stations().at(0).state, StationState::rejected);
    EXPECT_FALSE(engine.may_exchange(station(0x22)));
}

TEST_F(StationsInEngine, DurableStationsAreListedAfterAStart) {
    DurableState state;
    StationRecord record;
    record.id = station(0x33);
    record.name = "S3";
    record.addresses = {"h3:8883"};
    record.last_seen = now.wall;
    state.stations.push_back(record);
    Engine again(config(), state, now);
    ASSERT_EQ(again.stations().size(), 1u);
    EXPECT_EQ(again.stations()[0].name, "S3");
    EXPECT_EQ(again.station_name(station(0x33)), "S3");
}

// An open pair with one provider; what the peer says of its objects reaches the engine.
struct ObjectsOfAPeer : StationsInEngine {
    const ObjectId batch{"batchdb", "batch.db"};

    void SetUp() override {
        ProviderEnabled enabled;
        enabled.provider = "batchdb";
        enabled.plugin = "sqlite";
        enabled.plugin_version = "1.0.0";
        feed(enabled);
        feed(ProviderTokens{"batchdb", true, {}});
        feed(RecoverFinished{"batchdb", JobStatus::ok, {}});
        ProviderProfile provider;
        provider.name = "batchdb";
        provider.plugin = "sqlite";
        provider.plugin_version = "1.0.0";
        provider.known = true;
        Profile theirs = profile(100);
        theirs.providers = {provider};
        feed(up(1, 100));
        feed(MessageReceived{LinkId{1}, theirs});
        feed(ClockMeasured{LinkId{1}, {}, 1ms});
        feed(MessageReceived{LinkId{1}, TimeReport{{}, 1ms}});
        feed(MessageReceived{LinkId{1}, Verdicts{{{"/time", true, {}}, {"batchdb", true, {}}}}});
        for (const Action& action : std::vector(actions))
            if (const auto* asked = std::get_if<JudgeTokens>(&action))
                feed(TokensJudged{asked->job, true, {}});
        ASSERT_TRUE(engine.may_exchange(station(0x22)));
    }
};

TEST_F(ObjectsOfAPeer, ObjectBeforeItsFirstContentIsNotInSync) {
    feed(MessageReceived{LinkId{1}, PendingChange{batch, true, now.wall}});
    const auto view = engine.object(batch);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->state, ObjectState::waiting);
    EXPECT_NE(view->reason.find("S2"), std::string::npos) << view->reason;
    ASSERT_EQ(engine.providers().size(), 1u);
    EXPECT_EQ(engine.providers()[0].unsynced, 1u);

    feed(MessageReceived{LinkId{1}, PendingChange{batch, false, now.wall}});
    EXPECT_TRUE(engine.objects().empty()) << "it was thought better of";
    EXPECT_EQ(engine.providers()[0].unsynced, 0u);
}

TEST_F(ObjectsOfAPeer, ObjectBeforeItsFirstContentIsForgottenWithTheLink) {
    feed(MessageReceived{LinkId{1}, PendingChange{batch, true, now.wall}});
    feed(LinkDown{LinkId{1}, "connection lost"});
    EXPECT_TRUE(engine.objects().empty());
    EXPECT_EQ(engine.providers()[0].unsynced, 0u);
}

} // namespace
} // namespace stationsync::core
