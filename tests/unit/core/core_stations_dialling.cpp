// Whom to dial and when: again and again, with growing pauses, until a link dialled by us stands.
#include "stations_mesh.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::core::testing {
namespace {

using namespace std::chrono_literals;

struct StationDialling : ::testing::Test {
    Mesh mesh;

    CandidateFound found(std::string handle, std::vector<std::string> addresses) {
        CandidateFound event;
        event.source = CandidateSource::discovered;
        event.origin = "wsd";
        event.handle = std::move(handle);
        event.addresses = std::move(addresses);
        return event;
    }
    CandidateFound introduced(std::string handle, std::vector<std::string> addresses) {
        CandidateFound event = found(std::move(handle), std::move(addresses));
        event.source = CandidateSource::introduced;
        return event;
    }
    void tell(Node& node, const CandidateFound& event) {
        node.context.now = {mesh.instant, mesh.wall};
        node.stations.on(event);
        mesh.settle();
    }
    const StationView* address_only(Node& node) {
        views_ = node.stations.views();
        const auto place = std::find_if(views_.begin(), views_.end(),
                                        [](const StationView& view) { return !view.id; });
        return place == views_.end() ? nullptr : &*place;
    }
    std::size_t dials_ordered(Node& node) {
        node.context.out.seal_batch();
        std::size_t dials = 0;
        for (const Action& action : node.context.out.take())
            dials += std::holds_alternative<Dial>(action) ? 1 : 0;
        return dials;
    }
    std::vector<StationView> views_;
};

TEST_F(StationDialling, ConfiguredAddressIsDialledUntilItAnswers) {
    Node& a = mesh.add(1);
    mesh.configure(a, "h2:8883");
    mesh.run(10min);
    EXPECT_GT(a.count("Dial"), 10u);
    ASSERT_NE(address_only(a), nullptr);
    EXPECT_EQ(address_only(a)->state, StationState::searching);
    EXPECT_NE(address_only(a)->reasons.at(0).text.find("timed out"), std::string::npos);
    Node& b = mesh.add(2);
    EXPECT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }, 2min));
    EXPECT_EQ(address_only(a), nullptr) << "it is a station now";
}

TEST_F(StationDialling, PausesGrowToAMinute) {
    Node& a = mesh.add(1);
    mesh.configure(a, "h2:8883");
    std::vector<Instant> times;
    std::size_t seen = 0;
    for (int i = 0; i < 6'000; ++i) {
        mesh.run(100ms);
        if (a.count("Dial") != seen) {
            seen = a.count("Dial");
            times.push_back(mesh.instant);
        }
    }
    ASSERT_GT(times.size(), 8u);
    EXPECT_LT(times[1] - times[0], 2s);
    for (std::size_t i = 8; i < times.size(); ++i) {
        EXPECT_GT(times[i] - times[i - 1], 40s);
        EXPECT_LT(times[i] - times[i - 1], 80s);
    }
}

TEST_F(StationDialling, LinkedStationIsNotDialledAgainAtAnotherAddress) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }));
    CandidateFound event = found("x", {"elsewhere:8883"});
    event.id = b.id();
    tell(a, event);
    mesh.run(5min);
    EXPECT_EQ(a.count("Dial"), 1u);
}

TEST_F(StationDialling, LostLinkIsDialledAgainAtOnce) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }));
    mesh.run(1min);
    mesh.drop_link(LinkId{1});
    EXPECT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }, 3s));
}

TEST_F(StationDialling, LinkThatFallsAtOnceIsDialledWithGrowingPauses) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.unreachable.insert({b.address(), a.address()});
    mesh.configure(a, b.address());
    const Instant end = mesh.instant + 10min;
    for (std::uint64_t link = 1; mesh.instant < end; ++link) {
        mesh.run_until([&] { return a.count("Dial") >= link; }, 2min);
        mesh.drop_link(LinkId{link});
    }
    EXPECT_GT(a.count("Dial"), 8u);
    EXPECT_LT(a.count("Dial"), 25u);
}

TEST_F(StationDialling, OwnRowInTheStationListIsSkipped) {
    Node& a = mesh.add(1);
    mesh.configure(a, a.address());
    mesh.run(5min);
    EXPECT_EQ(a.count("Dial"), 0u);
    EXPECT_TRUE(a.stations.views().empty());
}

TEST_F(StationDialling, OwnAddressByAnotherNameIsRecognisedByItsAnswer) {
    Node& a = mesh.add(1);
    mesh.answers["alias:8883"] = DialFailed{{}, "it is this station itself", false, true};
    mesh.configure(a, "alias:8883");
    mesh.run(5min);
    EXPECT_EQ(a.count("Dial"), 1u);
    EXPECT_TRUE(a.stations.views().empty());
}

TEST_F(StationDialling, AtMostSixteenDialsAtOnce) {
    Node& a = mesh.add(1);
    for (int i = 0; i < 200; ++i) {
        const CandidateFound event =
            introduced(std::to_string(i), {"q" + std::to_string(i) + ":8883"});
        a.stations.on(event);
    }
    EXPECT_EQ(dials_ordered(a), 16u);
}

TEST_F(StationDialling, AnnouncedAddressesGetFourDialsAtOnceAndTwoInASecond) {
    Node& a = mesh.add(1);
    for (int i = 0; i < 200; ++i)
        a.stations.on(found(std::to_string(i), {"q" + std::to_string(i) + ":8883"}));
    std::vector<std::size_t> dials;
    for (int half_second = 0; half_second < 6; ++half_second) {
        dials.push_back(dials_ordered(a));
        mesh.instant = mesh.instant + 500ms;
        a.context.now = {mesh.instant, mesh.wall};
        a.stations.handle_deadline();
    }
    EXPECT_EQ(dials, (std::vector<std::size_t>{1, 1, 1, 1, 0, 0})) << "none of them was answered";
}

TEST_F(StationDialling, AnnouncementsTakeNoDialFromStationsThatAPersonNamed) {
    Node& a = mesh.add(1);
    for (int i = 0; i < 200; ++i)
        a.stations.on(found(std::to_string(i), {"q" + std::to_string(i) + ":8883"}));
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    EXPECT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }, 2s));
}

TEST_F(StationDialling, PausesOfWhatIsOnlyAnnouncedGrowFromFiveSecondsToFiveMinutes) {
    Node& a = mesh.add(1);
    std::vector<Instant> times;
    for (std::size_t seen = 0; times.size() < 12;) {
        tell(a, found("x", {"h2:8883"})); // again and again: it does not get more for it
        mesh.run(1s);
        if (a.count("Dial") != seen) {
            seen = a.count("Dial");
            times.push_back(mesh.instant);
        }
    }
    EXPECT_GE(times[1] - times[0], 3s);
    EXPECT_LT(times[1] - times[0], 15s);
    EXPECT_GT(times[11] - times[10], 200s);
    EXPECT_LT(times[11] - times[10], 400s);
}

TEST_F(StationDialling, AStationThatTellsOfAnAnnouncedAddressEndsItsLongPause) {
    Node& a = mesh.add(1);
    tell(a, found("x", {"h2:8883"}));
    mesh.run(30min);
    Node& b = mesh.add(2);
    tell(a, introduced("y", {"h2:8883"}));
    EXPECT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }, 2s));
}

TEST_F(StationDialling, WhatWasOnlyAnnouncedIsKeptAsSuchUntilAStationTellsOfIt) {
    Node& a = mesh.add(1);
    CandidateFound event = found("x", {"h2:8883"});
    event.id = station_id(0x22);
    event.name = "B";
    tell(a, event);
    mesh.run(1min);
    EXPECT_EQ(a.state(station_id(0x22)), StationState::unreachable);
    EXPECT_EQ(a.view(station_id(0x22)).addresses, event.addresses);
    ASSERT_NE(a.stored(station_id(0x22)), nullptr);
    const std::vector<StationRecord> records = {*a.stored(station_id(0x22))};
    mesh.kill(a, true);
    Node& again = mesh.add(1, {}, records);
    mesh.run(10min);
    EXPECT_LT(again.count("Dial"), 9u) << "the pauses of an announcement";
    event.source = CandidateSource::introduced;
    tell(again, event);
    const std::size_t before = again.count("Dial");
    mesh.run(10min);
    EXPECT_GT(again.count("Dial"), before + 9) << "those of an introduction";
}

TEST_F(StationDialling, AnnouncementsGiveAKnownStationNoAddressForGood) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }));
    CandidateFound event = found("x", {"victim:8883"});
    event.id = b.id();
    tell(a, event);
    mesh.run(1min);
    EXPECT_EQ(a.stored(b.id())->addresses, std::vector<std::string>{b.address()});
}

TEST_F(StationDialling, AnnouncementsFillNoPlaceOfIntroducedStations) {
    Node& a = mesh.add(1);
    const auto announce = [&](int number, CandidateSource source) {
        CandidateFound event = found(std::to_string(number), {"q" + std::to_string(number) + ":1"});
        event.source = source;
        event.id = station_id(0);
        event.id->bytes[0] = static_cast<std::uint8_t>(number);
        event.id->bytes[1] = static_cast<std::uint8_t>(1 + number / 256);
        tell(a, event);
        return a.stored(*event.id) != nullptr;
    };
    for (int i = 0; i < 256; ++i)
        ASSERT_TRUE(announce(i, CandidateSource::discovered));
    EXPECT_FALSE(announce(256, CandidateSource::discovered));
    EXPECT_TRUE(announce(257, CandidateSource::introduced));
}

TEST_F(StationDialling, EveryAddressGetsItsTurnWhenAllFail) {
    Node& a = mesh.add(1);
    for (int i = 0; i < 200; ++i)
        tell(a, found(std::to_string(i), {"q" + std::to_string(i) + ":8883"}));
    mesh.run(2min);
    std::set<std::string> dialled;
    for (const Dial& dial : a.all<Dial>())
        dialled.insert(dial.address);
    EXPECT_EQ(dialled.size(), 200u);
}

TEST_F(StationDialling, LostCandidateIsNoLongerDialled) {
    Node& a = mesh.add(1);
    tell(a, found("x", {"h7:8883"}));
    mesh.run(10s);
    std::size_t const before = a.count("Dial");
    EXPECT_GT(before, 0u);
    a.stations.on(CandidateLost{"wsd", "x"});
    mesh.run(10min);
    EXPECT_EQ(a.count("Dial"), before);
    EXPECT_TRUE(a.stations.views().empty());
}

TEST_F(StationDialling, AnnouncedStationThatTookItsLeaveIsNoLongerDialled) {
    Node& a = mesh.add(1);
    CandidateFound event = found("x", {"h7:8883"});
    event.id = station_id(0x77);
    event.name = "G";
    tell(a, event);
    mesh.run(10s);
    const std::size_t before = a.count("Dial");
    EXPECT_GT(before, 0u);
    a.stations.on(CandidateLost{"wsd", "x"});
    mesh.run(30min);
    EXPECT_EQ(a.count("Dial"), before);
    event.name = "renamed";
    tell(a, event);
    EXPECT_EQ(a.view(*event.id).name, "renamed");
    mesh.run(1s);
    EXPECT_GT(a.count("Dial"), before) << "it is back";
}

TEST_F(StationDialling, WrongKeyIsTakenBackWithTheAddressThatHadIt) {
    Node& a = mesh.add(1);
    mesh.answers["h9:8883"] = DialFailed{{}, "handshake failed", true, false};
    tell(a, found("x", {"h9:8883"}));
    mesh.run(1min);
    ASSERT_EQ(a.count("RaiseMessage"), 1u);
    tell(a, found("x", {"h2:8883"}));
    EXPECT_EQ(a.count("ClearMessage"), 1u);
}

TEST_F(StationDialling, FoundAgainMeansDialledSoon) {
    Node& a = mesh.add(1);
    tell(a, introduced("x", {"h2:8883"}));
    mesh.run(10min); // the pauses are a minute by now
    Node& b = mesh.add(2);
    tell(a, introduced("x", {"h2:8883"}));
    mesh.run(6s);
    tell(a, introduced("x", {"h2:8883"}));
    EXPECT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }, 2s));
}

TEST_F(StationDialling, StationOfAnotherProjectIsShownAndNotDialled) {
    Node& a = mesh.add(1);
    CandidateFound event = found("x", {"h9:8883"});
    event.project = "Other";
    event.name = "Stranger";
    tell(a, event);
    mesh.run(5min);
    EXPECT_EQ(a.count("Dial"), 0u);
    ASSERT_NE(address_only(a), nullptr);
    EXPECT_EQ(address_only(a)->state, StationState::rejected);
    EXPECT_EQ(address_only(a)->reasons.at(0).check, "project");
}

TEST_F(StationDialling, WrongKeyIsRejectedWithTheNameThatDiscoveryGave) {
    Node& a = mesh.add(1);
    mesh.answers["h9:8883"] = DialFailed{{}, "handshake failed", true, false};
    CandidateFound event = found("x", {"h9:8883"});
    event.name = "Stranger";
    tell(a, event);
    mesh.run(5min);
    ASSERT_NE(address_only(a), nullptr);
    EXPECT_EQ(address_only(a)->state, StationState::rejected);
    EXPECT_EQ(address_only(a)->reasons.at(0).check, "key");
    EXPECT_EQ(
        address_only(a)->reasons.at(0).text,
        "\"Stranger\" (h9:8883) does not hold the key of project \"Plant\": other project, or "
        "key changed");
    EXPECT_EQ(a.count("RaiseMessage"), 1u) << "once, however often it is dialled";
    mesh.answers.clear();
    mesh.run(15min);
    EXPECT_EQ(a.count("ClearMessage"), 1u);
}

TEST_F(StationDialling, AStationThatMayNotBeDialledIsShownWithTheReason) {
    Node& a = mesh.add(1);
    CandidateFound event = found("x", {"h8:9999"});
    event.name = "Other port";
    event.not_dialled = "It announces h8:9999, which is no port to dial";
    tell(a, event);
    mesh.run(5min);
    EXPECT_EQ(a.count("Dial"), 0u);
    ASSERT_NE(address_only(a), nullptr);
    EXPECT_EQ(address_only(a)->state, StationState::unreachable);
    EXPECT_EQ(address_only(a)->reasons.at(0).text, event.not_dialled);
}

TEST_F(StationDialling, AKnownStationThatWorksForAnotherProjectNowIsShownWithIt) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, "h2:8883");
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }, 2min));
    const StationId id = b.id();
    mesh.kill(b, true);
    mesh.run(5min);
    CandidateFound event = found("x", {"h2:8883"});
    event.id = id;
    event.project = "Other plant";
    event.protocol = "1.0";
    tell(a, event);
    const auto views = a.stations.views();
    const auto view = std::find_if(views.begin(), views.end(),
                                   [&](const StationView& each) { return each.id == id; });
    ASSERT_NE(view, views.end());
    EXPECT_EQ(view->project, "Other plant");
    EXPECT_EQ(view->state, StationState::rejected);
    ASSERT_EQ(view->reasons.size(), 1u);
    EXPECT_EQ(view->reasons[0].check, "project");
    EXPECT_EQ(view->reasons[0].remedy, "");
}

TEST_F(StationDialling, ASentenceAboutAnAddressNamesItOnce) {
    Node& a = mesh.add(1);
    mesh.answers["h8:8883"] = DialFailed{{}, "h8:8883 refuses the connection", false, false};
    mesh.answers["h9:8883"] = DialFailed{{}, "It went wrong", false, false};
    tell(a, found("x", {"h8:8883", "h9:8883"}));
    mesh.run(5min);
    ASSERT_NE(address_only(a), nullptr);
    ASSERT_EQ(address_only(a)->reasons.size(), 2u);
    EXPECT_EQ(address_only(a)->reasons[0].text, "h8:8883 refuses the connection");
    EXPECT_EQ(address_only(a)->reasons[1].text, "h9:8883: It went wrong");
}

TEST_F(StationDialling, OneMessageTellsOfAWrongKeyInBothDirections) {
    Node& a = mesh.add(1);
    mesh.answers["h9:8883"] = DialFailed{{}, "handshake failed", true, false};
    a.stations.on(IncomingRefused{"h9", "wrong key", true});
    mesh.settle();
    EXPECT_EQ(a.count("RaiseMessage"), 1u);
    tell(a, found("x", {"h9:8883"}));
    mesh.run(1min);
    EXPECT_EQ(a.count("RaiseMessage"), 2u) << "with the port now";
    EXPECT_EQ(a.count("ClearMessage"), 1u) << "instead of the one without";
    a.stations.on(IncomingRefused{"h9", "wrong key", true});
    mesh.settle();
    EXPECT_EQ(a.count("RaiseMessage"), 2u);
}

TEST_F(StationDialling, WhoConnectsWithAWrongKeyIsShownForAWhile) {
    Node& a = mesh.add(1);
    for (int i = 0; i < 100; ++i)
        a.stations.on(IncomingRefused{"10.0.0.9", "wrong key", true});
    mesh.settle();
    ASSERT_NE(address_only(a), nullptr);
    EXPECT_EQ(address_only(a)->state, StationState::rejected);
    EXPECT_EQ(address_only(a)->reasons.at(0).check, "key");
    EXPECT_EQ(a.count("RaiseMessage"), 1u);
    mesh.run(10min);
    EXPECT_EQ(address_only(a), nullptr);
    EXPECT_EQ(a.count("ClearMessage"), 1u);
}

TEST_F(StationDialling, ManyStrangersTakeNoMoreThanABoundedList) {
    Node& a = mesh.add(1);
    for (int i = 0; i < 5000; ++i)
        a.stations.on(IncomingRefused{"10.0.0." + std::to_string(i), "wrong key", true});
    EXPECT_LE(a.stations.views().size(), 256u);
}

TEST_F(StationDialling, RememberedStationsAreDialledAfterARestart) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }));
    ASSERT_NE(a.stored(b.id()), nullptr);
    const std::vector<StationRecord> records = {*a.stored(b.id())};
    mesh.kill(a, true);
    Node& again = mesh.add(1, {}, records); // without the station list
    EXPECT_TRUE(mesh.run_until([&] { return again.stations.is_open(b.id()); }, 10s));
}

TEST_F(StationDialling, AddressClaimedForTwoStationsIsDialledWhileOneIsMissing) {
    Node& a = mesh.add(1);
    Node& b = mesh.add(2);
    Node& c = mesh.add(3);
    mesh.configure(a, b.address());
    ASSERT_TRUE(mesh.run_until([&] { return a.stations.is_open(b.id()); }));
    // Somebody still believes that c's address is b's.
    CandidateFound old = found("old", {c.address()});
    old.id = b.id();
    tell(a, old);
    CandidateFound now = found("now", {c.address()});
    now.id = c.id();
    tell(a, now);
    EXPECT_TRUE(mesh.run_until([&] { return a.stations.is_open(c.id()); }, 10s));
}

} // namespace
} // namespace stationsync::core::testing
