// Admission and rejection of a pair as it lives: time, versions, back ends.
#include "stations_mesh.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::core::testing {
namespace {

using namespace std::chrono_literals;

struct StationAdmission : ::testing::Test {
    Mesh mesh;
    Node* a = nullptr;
    Node* b = nullptr;

    void pair(const std::function<void(EngineConfig&)>& change_b = {}) {
        a = &mesh.add(1);
        b = &mesh.add(2, change_b);
    }
    void link() {
        mesh.configure(*a, b->address());
        mesh.configure(*b, a->address());
        mesh.run(5s);
    }
    bool both_open() const { return a->stations.is_open(b->id()) && b->stations.is_open(a->id()); }
    bool both_rejected() const {
        return a->state(b->id()) == StationState::rejected &&
               b->state(a->id()) == StationState::rejected;
    }
    void expect_same_reason(std::string_view check) {
        ASSERT_NE(a->reason(b->id(), check), nullptr) << check;
        const CheckResult ours = *a->reason(b->id(), check);
        ASSERT_NE(b->reason(a->id(), check), nullptr) << check;
        const CheckResult theirs = *b->reason(a->id(), check);
        EXPECT_EQ(ours.text, theirs.text);
        EXPECT_EQ(ours.ours, theirs.check == "time" ? ours.ours : theirs.theirs);
        EXPECT_FALSE(ours.limit.empty());
    }
    static ProviderProfile provider(std::string version) {
        return {"batchdb", "sqlserver", "1.0", true, {{"sqlserver.version", std::move(version), 0}},
                false};
    }
};

TEST_F(StationAdmission, NothingIsOpenBeforeTheTimeIsMeasured) {
    mesh.measure_clocks = false;
    pair();
    link();
    mesh.run(1min);
    EXPECT_EQ(a->state(b->id()), StationState::checking);
    EXPECT_FALSE(a->stations.is_open(b->id()));
    EXPECT_TRUE(a->told.empty());
    mesh.measure_clocks = true;
    EXPECT_TRUE(mesh.run_until([&] { return both_open(); }, 5s));
}

TEST_F(StationAdmission, ProfileIsTheFirstMessageOnEveryLink) {
    pair();
    link();
    mesh.run(1min);
    std::set<LinkId> seen;
    for (const SendMessage& sent : a->all<SendMessage>())
        if (seen.insert(sent.link).second) {
            EXPECT_TRUE(std::holds_alternative<Profile>(sent.message)) << to_text(Action{sent});
        }
    EXPECT_EQ(seen.size(), 2u);
}

TEST_F(StationAdmission, ClockSixtyOneSecondsOffIsRejectedOnBothSides) {
    pair();
    b->clock_offset = 61s;
    link();
    EXPECT_TRUE(both_rejected());
    expect_same_reason("time");
    EXPECT_FALSE(a->stations.clock_agrees());
    EXPECT_EQ(a->stations.clock_error_bound(), 60s);
    ASSERT_TRUE(a->view(b->id()).time_difference);
    EXPECT_EQ(*a->view(b->id()).time_difference, 61s);
    ASSERT_EQ(a->count("RaiseMessage"), 1u);
    mesh.run(5min);
    EXPECT_EQ(a->count("RaiseMessage"), 1u) << "told once";
    EXPECT_EQ(a->count("CloseLink"), 0u) << "the link stays open";
}

TEST_F(StationAdmission, RejectedPairJoinsByItselfOnlyBelowTheLowerLimit) {
    pair();
    b->clock_offset = 61s;
    link();
    ASSERT_TRUE(both_rejected());
    b->clock_offset = 56s;
    mesh.run(1min);
    EXPECT_TRUE(both_rejected());
    b->clock_offset = 54s;
    EXPECT_TRUE(mesh.run_until([&] { return both_open(); }, 15s));
    EXPECT_EQ(a->count("ClearMessage"), 1u);
    EXPECT_EQ(a->stations.clock_error_bound(), 54s);
    EXPECT_TRUE(a->stations.clock_agrees());
}

TEST_F(StationAdmission, FiftySixSecondsAreAdmittedWhenNeverRejected) {
    pair();
    b->clock_offset = -56s;
    link();
    EXPECT_TRUE(both_open());
}

TEST_F(StationAdmission, DriftPastTheLimitClosesTheOpenPairOnBothSides) {
    pair();
    link();
    ASSERT_TRUE(both_open());
    b->clock_offset = 70s;
    mesh.run(5s);
    EXPECT_TRUE(both_rejected());
    EXPECT_EQ(a->told, (std::vector<std::string>{"opened 22", "closed 22"}));
    EXPECT_EQ(b->told, (std::vector<std::string>{"opened 11", "closed 11"}));
}

TEST_F(StationAdmission, ProductVersionIsCheckedAgainWhenTheProfileChanges) {
    pair([](EngineConfig& config) { config.product_version = "4.3"; });
    link();
    EXPECT_TRUE(both_rejected());
    expect_same_reason("product-version");
    b->stations.on(ProfileChanged{"S2", "4.2", {b->address()}});
    mesh.settle();
    EXPECT_TRUE(both_open()) << "at once, without waiting for the next judgement";
}

TEST_F(StationAdmission, RejectionIsToldAnewWithEachNewValue) {
    pair([](EngineConfig& config) { config.product_version = "4.3"; });
    link();
    ASSERT_TRUE(both_rejected());
    for (Node* node : {a, b}) {
        const std::size_t before = node->count("RaiseMessage");
        b->stations.on(ProfileChanged{"S2", node == a ? "4.4" : "4.5", {b->address()}});
        mesh.settle();
        EXPECT_GT(node->count("RaiseMessage"), before);
    }
}

TEST_F(StationAdmission, OtherProtocolIsRejectedAlthoughNoVerdictEverComes) {
    pair();
    LinkUp up;
    up.link = LinkId{50};
    up.station = station_id(0x99);
    a->stations.on(up);
    Profile newer;
    newer.protocol_major = 2;
    newer.station = up.station;
    newer.station_name = "New";
    newer.project = "Plant";
    newer.product_version = "4.2";
    a->stations.on_message(LinkId{50}, newer);
    mesh.settle();
    EXPECT_EQ(a->state(up.station), StationState::rejected);
    EXPECT_NE(a->reason(up.station, "protocol"), nullptr);
    EXPECT_EQ(a->count("CloseLink"), 0u);
}

TEST_F(StationAdmission, AVerdictThatWasOvertakenOnTheOtherLinkChangesNothing) {
    pair();
    link();
    ASSERT_TRUE(both_open());
    const auto sent = b->all<SendMessage>();
    const auto last = std::find_if(sent.rbegin(), sent.rend(), [](const SendMessage& each) {
        return std::holds_alternative<Verdicts>(each.message);
    });
    ASSERT_NE(last, sent.rend());
    Verdicts older = std::get<Verdicts>(last->message);
    ASSERT_GT(older.number, 0u);
    for (TokenVerdict& verdict : older.verdicts)
        verdict.compatible = false;
    Verdicts newer = older;
    --older.number;
    ++newer.number;
    const LinkId link_to_b = a->all<SendMessage>().front().link;
    a->stations.on_message(link_to_b, older);
    EXPECT_TRUE(a->stations.is_open(b->id()));
    a->stations.on_message(link_to_b, newer);
    EXPECT_FALSE(a->stations.is_open(b->id())) << "what is newer counts";
}

TEST_F(StationAdmission, RefusalByThePluginOfOneSideRejectsBoth) {
    pair();
    b->plugin = [](const JudgeTokens&) {
        return TokenVerdict{{}, false, "an older server cannot restore it"};
    };
    a->stations.set_provider(provider("16.0"));
    b->stations.set_provider(provider("15.0"));
    link();
    EXPECT_TRUE(both_rejected());
    expect_same_reason("provider:batchdb");
    EXPECT_NE(a->reason(b->id(), "provider:batchdb")->text.find("an older server cannot"),
              std::string::npos);
}

TEST_F(StationAdmission, TheMessageHoldsTheReasonThatIsShownWhoeverJudgedFirst) {
    pair();
    a->plugin = [](const JudgeTokens&) { return TokenVerdict{{}, false, "16.0 is newer"}; };
    b->plugin = [](const JudgeTokens&) { return TokenVerdict{{}, false, "15.0 is older"}; };
    a->stations.set_provider(provider("15.0"));
    b->stations.set_provider(provider("16.0"));
    link();
    EXPECT_TRUE(both_rejected());
    for (Node* node : {a, b}) {
        const auto raised = node->all<RaiseMessage>();
        ASSERT_FALSE(raised.empty());
        const Node& other = node == a ? *b : *a;
        const std::string& shown = node->reason(other.id(), "provider:batchdb")->text;
        EXPECT_NE(raised.back().text.find(shown), std::string::npos) << raised.back().text;
    }
}

TEST_F(StationAdmission, BackEndNotKnownSuspendsOnlyItsProvider) {
    pair();
    ProviderProfile down = provider("16.0");
    down.known = false;
    down.tokens.clear();
    a->stations.set_provider(provider("16.0"));
    b->stations.set_provider(down);
    a->stations.set_provider({"recipes", "filesync", "1.0", true, {}, false});
    b->stations.set_provider({"recipes", "filesync", "1.1", true, {}, true});
    link();
    EXPECT_TRUE(both_open());
    EXPECT_FALSE(a->stations.provider_open(b->id(), "batchdb"));
    EXPECT_TRUE(a->stations.provider_open(b->id(), "recipes"));
    const CheckResult* rests = a->reason(b->id(), "provider:batchdb");
    ASSERT_NE(rests, nullptr);
    EXPECT_EQ(rests->remedy, "") << "there is nothing to do: it goes on by itself";
    EXPECT_TRUE(a->stations.peer_established(b->id(), "recipes"));
    EXPECT_FALSE(b->stations.peer_established(a->id(), "recipes"));
    a->told.clear();
    b->stations.set_provider(provider("16.0"));
    mesh.settle();
    EXPECT_TRUE(a->stations.provider_open(b->id(), "batchdb"));
    EXPECT_TRUE(b->stations.provider_open(a->id(), "batchdb"));
    EXPECT_EQ(a->told, std::vector<std::string>{"providers 22"});
}

TEST_F(StationAdmission, PluginThatDoesNotAnswerHoldsUpOnlyItsProvider) {
    pair();
    b->plugin = [](const JudgeTokens&) { return std::nullopt; };
    for (Node* node : {a, b}) {
        node->stations.set_provider(provider("16.0"));
        node->stations.set_provider({"recipes", "filesync", "1.0", true, {}, false});
    }
    link();
    EXPECT_FALSE(both_open());
    EXPECT_TRUE(mesh.run_until([&] { return both_open(); }, 15s));
    EXPECT_TRUE(a->stations.provider_open(b->id(), "recipes"));
    EXPECT_FALSE(a->stations.provider_open(b->id(), "batchdb"));
}

TEST_F(StationAdmission, RemovedProviderIsClosedOnBothSides) {
    pair();
    for (Node* node : {a, b})
        node->stations.set_provider({"recipes", "filesync", "1.0", true, {}, false});
    link();
    ASSERT_TRUE(b->stations.provider_open(a->id(), "recipes"));
    a->stations.remove_provider("recipes");
    mesh.settle();
    EXPECT_FALSE(a->stations.provider_open(b->id(), "recipes"));
    EXPECT_FALSE(b->stations.provider_open(a->id(), "recipes"));
    EXPECT_TRUE(both_open());
}

TEST_F(StationAdmission, EverythingToJudgeByArrivesBeforeAnythingElseOnTheLink) {
    // Both sides open from the same messages: what the first one sends next finds the other one
    // open.
    pair();
    link();
    for (Node* node : {a, b}) {
        bool verdict_told = false;
        for (const SendMessage& sent : node->all<SendMessage>()) {
            if (const auto* verdicts = std::get_if<Verdicts>(&sent.message))
                verdict_told = verdict_told || !verdicts->verdicts.empty();
            if (std::holds_alternative<Introductions>(sent.message) ||
                std::holds_alternative<BlockList>(sent.message)) {
                EXPECT_TRUE(verdict_told);
            }
        }
        EXPECT_TRUE(verdict_told);
    }
}

} // namespace
} // namespace stationsync::core::testing
