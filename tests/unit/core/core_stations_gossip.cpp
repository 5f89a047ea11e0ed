// What stations tell each other of third ones: introductions and blocks; what is remembered and
// forgotten.
#include "stations_mesh.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::core::testing {
namespace {

using namespace std::chrono_literals;

struct StationGossip : ::testing::Test {
    Mesh mesh;

    static bool linked(Node& a, Node& b) {
        return a.stations.is_open(b.id()) && b.stations.is_open(a.id());
    }
    static bool listed(Node& node, const StationId& id) {
        const std::vector<StationView> views = node.stations.views();
        return std::any_of(views.begin(), views.end(),
                           [&](const StationView& view) { return view.id == id; });
    }
    template <typename Event>
    void command(Node& node, Event event) {
        node.context.now = {mesh.instant, mesh.wall + node.clock_offset};
        node.stations.on(event);
        mesh.settle();
    }
};

TEST_F(StationGossip, LinkedStationsAreIntroducedToEachOther) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    Node& c = mesh.add(3);
    mesh.configure(a, b.address());
    mesh.configure(c, b.address()); // a and c know only b
    EXPECT_TRUE(mesh.run_until([&] { return linked(a, c) && linked(a, b) && linked(b, c); }, 20s));
    EXPECT_TRUE(a.view(c.id()).found);
    EXPECT_TRUE(a.view(c.id()).found_by);
}

TEST_F(StationGossip, HearsayIsNotPassedOn) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    Introductions message;
    message.stations.push_back({station_id(0x77), "Ghost", {"h7:8883"}});
    a.stations.on_message(*a.stations.control_link(b.id()), message);
    Node& c = mesh.add(3);
    mesh.configure(c, a.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, c); }));
    mesh.run(1min);
    EXPECT_TRUE(listed(c, b.id()));
    EXPECT_FALSE(listed(c, station_id(0x77)));
    EXPECT_TRUE(listed(a, station_id(0x77)));
    EXPECT_EQ(a.state(station_id(0x77)), StationState::unreachable);
    EXPECT_FALSE(listed(b, station_id(0x77)));
    ASSERT_NE(a.stored(station_id(0x77)), nullptr) << "kept across restarts";
}

TEST_F(StationGossip, IntroductionOfOurselvesIsIgnored) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    std::size_t const before = a.stations.views().size();
    Introductions message;
    message.stations.push_back({a.id(), "Me", {"h7:8883"}});
    a.stations.on_message(*a.stations.control_link(b.id()), message);
    EXPECT_EQ(a.stations.views().size(), before);
}

TEST_F(StationGossip, FloodOfIntroductionsIsBounded) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    for (unsigned round = 0; round < 5; ++round) {
        Introductions message;
        for (unsigned i = 0; i < 1000; ++i) {
            StationId id = station_id(0x70);
            id.bytes[0] = static_cast<std::uint8_t>(round);
            id.bytes[1] = static_cast<std::uint8_t>(i);
            id.bytes[2] = static_cast<std::uint8_t>(i >> 8);
            message.stations.push_back({id, "Ghost", {"h7:" + std::to_string(i)}});
        }
        a.stations.on_message(*a.stations.control_link(b.id()), message);
    }
    EXPECT_LE(a.stations.views().size(), 1025u);
}

TEST_F(StationGossip, StationUnseenForThirtyDaysIsDropped) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    Node& c = mesh.add(3);
    mesh.configure(a, b.address());
    mesh.configure(a, c.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b) && linked(a, c); }));
    mesh.kill(c, true);
    mesh.measure_clocks = false;
    a.stations.on(CandidateLost{"static", c.address()});
    mesh.run(1min);
    mesh.wall = mesh.wall + 24h * 29;
    mesh.run(61min);
    EXPECT_TRUE(listed(a, c.id()));
    mesh.wall = mesh.wall + 24h * 2;
    mesh.run(61min);
    EXPECT_FALSE(listed(a, c.id()));
    EXPECT_EQ(a.stored(c.id()), nullptr);
    EXPECT_TRUE(listed(a, b.id())) << "linked all the time";
}

TEST_F(StationGossip, WrongClockOfALoneStationEmptiesNoList) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    mesh.kill(b, true);
    mesh.wall = mesh.wall + 24h * 365;
    mesh.run(3h);
    EXPECT_TRUE(listed(a, b.id()));
}

TEST_F(StationGossip, ForgottenStationStaysAwayUntilItIsSeen) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    Node& c = mesh.add(3);
    mesh.configure(b, a.address());
    mesh.configure(b, c.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b) && linked(a, c); }));
    command(a, ForgetRequested{c.id()});
    EXPECT_FALSE(a.all<CommandAnswered>().back().ok) << "it is linked";
    mesh.kill(c, true);
    command(a, ForgetRequested{c.id()});
    EXPECT_TRUE(a.all<CommandAnswered>().back().ok);
    EXPECT_FALSE(listed(a, c.id()));
    std::size_t const dials = a.count("Dial");
    Introductions again; // b still tells of it
    again.stations.push_back({c.id(), "S3", {c.address()}});
    a.stations.on_message(*a.stations.control_link(b.id()), again);
    mesh.run(5min);
    EXPECT_FALSE(listed(a, c.id()));
    EXPECT_EQ(a.count("Dial"), dials);
    Node& back = mesh.add(3);
    mesh.configure(back, a.address());
    EXPECT_TRUE(mesh.run_until([&] { return linked(a, back); }, 10s));
    EXPECT_TRUE(listed(a, c.id()));
}

TEST_F(StationGossip, ForgettingAnUnknownStationIsRefused) {
    Node& a = mesh.add(1);
    command(a, ForgetRequested{station_id(0x55)});
    EXPECT_FALSE(a.all<CommandAnswered>().back().ok);
}

// ---- blocking --------------------------------------------------------------------------------

TEST_F(StationGossip, BlockSpreadsAndClosesTheLinksEverywhere) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    Node& c = mesh.add(3);
    mesh.configure(a, b.address());
    mesh.configure(c, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, c) && linked(a, b) && linked(b, c); }));
    command(a, BlockRequested{c.id(), true});
    mesh.run(5min);
    for (Node* node : {&a, &b}) {
        EXPECT_FALSE(node->stations.is_open(c.id()));
        EXPECT_TRUE(node->stations.is_blocked(c.id()));
        EXPECT_EQ(node->state(c.id()), StationState::rejected);
        EXPECT_TRUE(node->view(c.id()).blocked);
        ASSERT_NE(node->reason(c.id(), "blocked"), nullptr);
        ASSERT_NE(node->stored(c.id()), nullptr);
        EXPECT_TRUE(node->stored(c.id())->blocked);
    }
    EXPECT_TRUE(linked(a, b));
    command(b, BlockRequested{c.id(), false});
    EXPECT_TRUE(mesh.run_until([&] { return linked(a, c) && linked(b, c); }, 3min));
}

TEST_F(StationGossip, BlockedStationStaysOutAfterARestart) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(b, a.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    command(a, BlockRequested{b.id(), true});
    const std::vector<StationRecord> records = {*a.stored(b.id())};
    mesh.kill(a, true);
    Node& again = mesh.add(1, {}, records);
    mesh.run(5min);
    EXPECT_FALSE(again.stations.is_open(b.id()));
    EXPECT_EQ(again.count("Dial"), 0u);
    EXPECT_EQ(again.state(b.id()), StationState::rejected);
}

TEST_F(StationGossip, StationThatWasAwayLearnsOfTheBlockWhenItLinks) {
    Node& a = mesh.add(1);
    command(a, BlockRequested{station_id(0x33), true});
    Node& b = mesh.add(2);
    mesh.configure(b, a.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    mesh.settle();
    EXPECT_TRUE(b.stations.is_blocked(station_id(0x33)));
}

TEST_F(StationGossip, LastWordWinsWhateverTheOrderOfArrival) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    const LinkId link = *a.stations.control_link(b.id());
    const BlockEntry block{station_id(0x33), true, {2'000, 0}, b.id()};
    const BlockEntry earlier{station_id(0x33), false, {1'000, 5}, b.id()};
    const BlockEntry same_time{station_id(0x33), false, {2'000, 0}, a.id()};
    a.stations.on_message(link, BlockList{{block}});
    a.stations.on_message(link, BlockList{{earlier}});
    a.stations.on_message(link, BlockList{{same_time}}); // the smaller id gives way
    EXPECT_TRUE(a.stations.is_blocked(station_id(0x33)));
    a.stations.on_message(link, BlockList{{{station_id(0x33), false, {2'000, 1}, a.id()}}});
    EXPECT_FALSE(a.stations.is_blocked(station_id(0x33)));
}

TEST_F(StationGossip, UnblockWinsAlthoughTheBlockersClockWasAhead) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    const BlockEntry ahead{station_id(0x33), true, {mesh.wall.us + 1'000'000'000'000, 0}, b.id()};
    a.stations.on_message(*a.stations.control_link(b.id()), BlockList{{ahead}});
    ASSERT_TRUE(a.stations.is_blocked(station_id(0x33)));
    command(a, BlockRequested{station_id(0x33), false});
    EXPECT_FALSE(a.stations.is_blocked(station_id(0x33)));
    EXPECT_FALSE(b.stations.is_blocked(station_id(0x33)));
}

TEST_F(StationGossip, NobodyBlocksHimself) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return linked(a, b); }));
    command(a, BlockRequested{a.id(), true});
    EXPECT_FALSE(a.all<CommandAnswered>().back().ok);
    a.stations.on_message(*a.stations.control_link(b.id()),
                          BlockList{{{a.id(), true, {2'000, 0}, b.id()}}});
    mesh.settle();
    EXPECT_TRUE(linked(a, b));
    EXPECT_FALSE(a.stations.is_blocked(a.id()));
    EXPECT_FALSE(listed(a, a.id()));
}

TEST_F(StationGossip, AllStationsFindEachOtherThroughOne) {
    std::vector<Node*> nodes;
    for (unsigned i = 0; i < 12; ++i) {
        std::uint8_t const number = static_cast<std::uint8_t>(i + 1);
        nodes.push_back(&mesh.add(number));
    }
    for (std::size_t i = 1; i < nodes.size(); ++i)
        mesh.configure(*nodes[i], nodes[0]->address());
    EXPECT_TRUE(mesh.run_until(
        [&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](Node* node) {
                return node->stations.open_peers().size() == nodes.size() - 1;
            });
        },
        2min));
}

} // namespace
} // namespace stationsync::core::testing
