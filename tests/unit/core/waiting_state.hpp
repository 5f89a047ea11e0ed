// One engine with a state of another station that waits to be applied.
#pragma once

#include "stationsync/core/engine.hpp"

#include <gtest/gtest.h>

namespace stationsync::core::testing {

inline StationId station(std::uint8_t fill) {
    StationId id;
    id.bytes.fill(fill);
    return id;
}

// A state of another station that is here, and that nothing keeps from the live data but, where it
// is set, apply_when.
class WaitingState : public ::testing::Test {
protected:
    explicit WaitingState(bool apply_when) : apply_when_(apply_when) {}

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
        enabled.scan_interval = std::chrono::seconds(60);
        enabled.apply_when = apply_when_;
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
        handle(ClockMeasured{LinkId{1}, {}, std::chrono::milliseconds(1)});
        handle(MessageReceived{LinkId{1}, TimeReport{{}, std::chrono::milliseconds(1)}});
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

private:
    bool apply_when_;
};

} // namespace stationsync::core::testing
