// Links of a pair: both directions, duplicates, sessions, cloned disks.
#include "stations_mesh.hpp"

#include <gtest/gtest.h>

namespace stationsync::core::testing {
namespace {

using namespace std::chrono_literals;

struct StationLinks : ::testing::Test {
    Mesh mesh;

    void link_both(Node& a, Node& b) {
        mesh.configure(a, b.address());
        mesh.configure(b, a.address());
        ASSERT_TRUE(mesh.run_until(
            [&] { return a.stations.is_open(b.id()) && b.stations.is_open(a.id()); }));
    }
};

TEST_F(StationLinks, BothDirectionsStayUp) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    mesh.run(5min);
    for (const auto& [node, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
        const StationView view = node->view(other->id());
        EXPECT_TRUE(view.found);
        EXPECT_TRUE(view.found_by);
        EXPECT_EQ(view.state, StationState::connected);
        EXPECT_TRUE(view.reasons.empty());
        EXPECT_EQ(node->told.size(), 1u) << "the peer never closed";
    }
}

TEST_F(StationLinks, ControlRunsOnTheLinkDialledByTheSmallerId) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    EXPECT_EQ(a.stations.control_link(b.id()), b.stations.control_link(a.id()));
}

TEST_F(StationLinks, OneDirectionIsEnoughAndTheOtherIsExplained) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.unreachable.insert({b.address(), a.address()});
    link_both(a, b);
    mesh.run(30s);
    const StationView by_a = a.view(b.id());
    EXPECT_TRUE(by_a.found);
    EXPECT_FALSE(by_a.found_by);
    EXPECT_EQ(by_a.state, StationState::connected);
    ASSERT_NE(a.reason(b.id(), "found-by"), nullptr);
    EXPECT_EQ(a.reason(b.id(), "found-by")->text,
              "\"S2\" does not reach \"S1\": firewall, name or route");
    const StationView by_b = b.view(a.id());
    EXPECT_FALSE(by_b.found);
    EXPECT_TRUE(by_b.found_by);
    ASSERT_NE(b.reason(a.id(), "found"), nullptr);
    EXPECT_NE(b.reason(a.id(), "found")->text.find("timed out"), std::string::npos);
}

TEST_F(StationLinks, StationThatOnlyDialsUsIsDialledBackAtWhatItsProfileSays) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    EXPECT_TRUE(mesh.run_until([&] { return b.view(a.id()).found; }, 30s));
}

TEST_F(StationLinks, LossOfTheControlLinkBeginsANewSessionOnBothSides) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    ASSERT_TRUE(mesh.run_until([&] { return a.view(b.id()).found_by && a.view(b.id()).found; }));
    mesh.drop_link(*a.stations.control_link(b.id()));
    mesh.settle();
    EXPECT_TRUE(mesh.run_until([&] {
        return a.stations.is_open(b.id()) && b.stations.is_open(a.id()) && a.view(b.id()).found &&
               a.view(b.id()).found_by;
    }));
    EXPECT_GE(a.count("CloseLink"), 1u) << "nothing of the old session goes on over the other link";
    const std::vector<std::string> begun_anew = {"opened 22", "closed 22", "opened 22"};
    EXPECT_EQ(a.told, begun_anew);
    EXPECT_EQ(b.told, (std::vector<std::string>{"opened 11", "closed 11", "opened 11"}));
}

TEST_F(StationLinks, LossOfTheOtherLinkDisturbsNothing) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    ASSERT_TRUE(mesh.run_until([&] { return a.view(b.id()).found_by && a.view(b.id()).found; }));
    const LinkId control = *a.stations.control_link(b.id());
    mesh.drop_link(control == LinkId{1} ? LinkId{2} : LinkId{1});
    mesh.run(10s);
    EXPECT_EQ(a.told.size(), 1u);
    EXPECT_TRUE(a.view(b.id()).found && a.view(b.id()).found_by);
}

TEST_F(StationLinks, OldLinkOfARestartedStationIsProbedAndGivesWay) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    mesh.kill(b, false); // a does not notice
    Node& again = mesh.add(2);
    mesh.configure(again, a.address());
    ASSERT_TRUE(mesh.run_until(
        [&] { return a.stations.is_open(b.id()) && again.stations.is_open(a.id()); }));
    EXPECT_GE(a.count("ProbeLink"), 1u);
    EXPECT_EQ(a.told.back(), "opened 22");
    EXPECT_EQ(a.state(b.id()), StationState::connected);
}

TEST_F(StationLinks, DuplicateOfALinkThatWeDialledIsClosedWhenTheOlderIsAlive) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    mesh.connect(a, b);
    mesh.settle();
    mesh.run(1min);
    EXPECT_EQ(a.count("CloseLink"), 1u);
    EXPECT_EQ(b.count("CloseLink"), 0u);
    EXPECT_EQ(a.told.size(), 1u) << "the session goes on";
}

TEST_F(StationLinks, StationWithManyAcceptedLinksLosesTheOldest) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    for (int i = 0; i < 10; ++i) {
        // As a peer does that does not tidy up its own duplicates.
        LinkUp event;
        event.link = LinkId{100u + static_cast<unsigned>(i)};
        event.station = b.id();
        event.run_id = b.context.config.run_id;
        a.context.now = {mesh.instant, mesh.wall};
        a.stations.on(event);
    }
    mesh.settle();
    EXPECT_EQ(a.count("CloseLink"), 6u);
}

TEST_F(StationLinks, PeerThatSendsNoProfileIsClosedAfterHalfAMinute) {
    Node& a = mesh.add(1);
    LinkUp event;
    event.link = LinkId{77};
    event.station = station_id(0x99);
    event.run_id = 5;
    a.context.now = {mesh.instant, mesh.wall};
    a.stations.on(event);
    mesh.run(29s);
    EXPECT_EQ(a.count("CloseLink"), 0u);
    EXPECT_EQ(a.state(station_id(0x99)), StationState::checking);
    mesh.run(2s);
    EXPECT_EQ(a.count("CloseLink"), 1u);
    EXPECT_EQ(a.state(station_id(0x99)), StationState::unreachable);
}

TEST_F(StationLinks, ProfileOfAnotherStationClosesTheLink) {
    Node& a = mesh.add(1);
    LinkUp event;
    event.link = LinkId{77};
    event.station = station_id(0x99);
    a.stations.on(event);
    Profile wrong;
    wrong.station = station_id(0x98);
    a.stations.on_message(LinkId{77}, wrong);
    mesh.settle();
    EXPECT_EQ(a.count("CloseLink"), 1u);
    EXPECT_FALSE(a.stations.station_of(LinkId{77}));
}

TEST_F(StationLinks, StationThatCannotBeDialledIsListedOnce) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.unreachable.insert({a.address(), b.address()});
    mesh.configure(a, b.address());
    mesh.configure(b, a.address());
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }));
    EXPECT_EQ(a.stations.views().size(), 1u) << "it listens at the address that is in our list";
    mesh.kill(b, true);
    mesh.run(1min);
    EXPECT_EQ(a.stations.views().size(), 1u);
    EXPECT_EQ(a.state(b.id()), StationState::unreachable);
}

// ---- cloned disks ----------------------------------------------------------------------------

TEST_F(StationLinks, ClonedStationIsRefusedTwiceWhileBothAreReachable) {
    Node& a = mesh.add(1);
    Node& original = mesh.add(2);
    link_both(a, original);
    Node& copy = mesh.add(2, [](EngineConfig& config) { config.addresses = {"h3:8883"}; });
    mesh.configure(copy, a.address());
    mesh.run(1min);
    EXPECT_FALSE(a.stations.is_open(original.id()));
    EXPECT_EQ(a.state(original.id()), StationState::rejected);
    ASSERT_NE(a.reason(original.id(), "clone"), nullptr);
    EXPECT_FALSE(original.stations.is_open(a.id()));
    EXPECT_FALSE(copy.stations.is_open(a.id()));
    ASSERT_NE(original.reason(a.id(), "clone"), nullptr);
    ASSERT_NE(copy.reason(a.id(), "clone"), nullptr);
    EXPECT_EQ(original.reason(a.id(), "clone")->text, a.reason(original.id(), "clone")->text);
    const auto raised = a.all<RaiseMessage>();
    ASSERT_EQ(raised.size(), 1u);
    EXPECT_EQ(raised[0].id, "station-clone");
    EXPECT_NE(raised[0].remedy.find("new-identity"), std::string::npos);
}

TEST_F(StationLinks, OriginalIsAdmittedAgainWhenItsCopyIsGone) {
    Node& a = mesh.add(1);
    Node& original = mesh.add(2);
    link_both(a, original);
    Node& copy = mesh.add(2, [](EngineConfig& config) { config.addresses = {"h3:8883"}; });
    mesh.configure(copy, a.address());
    mesh.run(1min);
    mesh.kill(copy, false); // found dead by the next probe
    ASSERT_TRUE(mesh.run_until(
        [&] { return a.stations.is_open(original.id()) && original.stations.is_open(a.id()); }));
    EXPECT_EQ(a.count("ClearMessage"), 1u);
    EXPECT_EQ(a.state(original.id()), StationState::connected);
}

TEST_F(StationLinks, OriginalKeepsItsNameAndAddressesBesideItsCopy) {
    Node& a = mesh.add(1);
    Node& original = mesh.add(2);
    link_both(a, original);
    Node& copy = mesh.add(2, [](EngineConfig& config) {
        config.station_name = "copy";
        config.addresses = {"h3:8883"};
    });
    mesh.configure(copy, a.address());
    mesh.configure(a, "h3:8883");
    mesh.run(1min);
    EXPECT_EQ(a.view(original.id()).name, "S2");
    mesh.kill(copy, true);
    ASSERT_TRUE(mesh.run_until(
        [&] { return a.stations.is_open(original.id()) && original.stations.is_open(a.id()); }));
    EXPECT_EQ(a.view(original.id()).name, "S2");
    EXPECT_EQ(a.view(original.id()).addresses, (std::vector<std::string>{"h2:8883"}));
    EXPECT_EQ(a.stored(original.id())->name, "S2");
}

TEST_F(StationLinks, CopyThatIsLeftAloneIsKnownByItsOwnNameAndAddress) {
    Node& a = mesh.add(1);
    Node& original = mesh.add(2);
    link_both(a, original);
    Node& copy = mesh.add(2, [](EngineConfig& config) {
        config.station_name = "copy";
        config.addresses = {"h3:8883"};
    });
    mesh.configure(a, "h3:8883");
    mesh.run(1min);
    EXPECT_EQ(a.state(original.id()), StationState::rejected);
    mesh.kill(original, true);
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(copy.id()); }));
    EXPECT_EQ(a.view(copy.id()).name, "copy");
    EXPECT_EQ(a.view(copy.id()).addresses.front(), "h3:8883");
}

TEST_F(StationLinks, StationRestartedUnderANewNameIsKnownByIt) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    mesh.kill(b, false);
    Node& again = mesh.add(2, [](EngineConfig& config) { config.station_name = "Line 2"; });
    mesh.configure(again, a.address());
    ASSERT_TRUE(mesh.run_until([&] { return again.stations.is_open(a.id()); }));
    EXPECT_EQ(a.view(b.id()).name, "Line 2");
}

TEST_F(StationLinks, StationThatMeetsItsOwnCopyExchangesWithNobody) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    Node& copy = mesh.add(1, [](EngineConfig& config) { config.addresses = {"h3:8883"}; });
    mesh.unreachable.insert({"h3:8883", b.address()});
    mesh.unreachable.insert({b.address(), "h3:8883"});
    mesh.configure(a, copy.address());
    mesh.run(30s);
    EXPECT_FALSE(a.stations.is_open(b.id()));
    EXPECT_FALSE(b.stations.is_open(a.id()));
    EXPECT_EQ(b.state(a.id()), StationState::rejected);
    ASSERT_NE(b.reason(a.id(), "clone"), nullptr);
    mesh.kill(copy, true);
    EXPECT_TRUE(
        mesh.run_until([&] { return a.stations.is_open(b.id()) && b.stations.is_open(a.id()); }));
}

TEST_F(StationLinks, RestartedStationIsNoClone) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    link_both(a, b);
    for (int i = 0; i < 3; ++i) {
        mesh.kill(*&b, false);
        Node& again = mesh.add(2);
        mesh.configure(again, a.address());
        ASSERT_TRUE(mesh.run_until([&] { return again.stations.is_open(a.id()); })) << i;
        mesh.kill(again, false);
    }
    for (const RaiseMessage& message : a.all<RaiseMessage>())
        EXPECT_NE(message.id, "station-clone");
}

} // namespace
} // namespace stationsync::core::testing
