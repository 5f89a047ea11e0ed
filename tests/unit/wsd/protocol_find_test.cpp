// What we find and believe: rows 6, 7, 11, 19, 31, 32 and 34 of the acceptance table.
#include "protocol_harness.hpp"

namespace stationsync::discovery_wsd {
namespace {

class ProtocolFind : public ProtocolTest {
protected:
    ProtocolFind() {
        settle();
        run_for(Time(57'000)); // to the next round, whose Probe is open now
        EXPECT_TRUE(wait_for_probe());
    }

    bool wait_for_probe() {
        sent.clear();
        for (int i = 0; i < 100 && sent_of(Kind::probe).empty(); ++i)
            run_for(Time(1000));
        return !sent_of(Kind::probe).empty();
    }

    const StationRecord b = record_named(other_id, "B");
};

TEST_F(ProtocolFind, AHelloMakesAFind) {
    receive(hello(b, "tcp://10.0.0.2:8883"), "10.0.0.2:3702");
    run_for(Time(0));
    ASSERT_EQ(told(), "found 2 10.0.0.2:8883");
    EXPECT_EQ(changes[0].find.record, b);
    EXPECT_EQ(changes[0].find.via, "eth2");
    EXPECT_EQ(changes[0].find.source, "10.0.0.2");
    EXPECT_FALSE(changes[0].find.is_verified);
}

TEST_F(ProtocolFind, AnAnswerMakesAVerifiedFind) {
    receive(matches(question(), b, "tcp://10.0.0.2:8983"), "10.0.0.2:3702", true);
    run_for(Time(0));
    ASSERT_EQ(told(), "found 2 10.0.0.2:8983");
    EXPECT_TRUE(changes[0].find.is_verified);
    EXPECT_TRUE(protocol->complaints().empty());
}

TEST_F(ProtocolFind, ALinkLocalFindHasTheZoneOfItsInterface) {
    const Channel second = channel_of(7, "fe80::1/64");
    protocol->set_channels({eth, second}, {}, now);
    receive_on(second, hello(b, "tcp://[fe80::2]:8883"), "[fe80::2]:3702");
    receive(hello(b, "tcp://10.0.0.2:8883", {1, 2}), "10.0.0.2:3702");
    run_for(Time(2000));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883 [fe80::2%7]:8883");
}

TEST_F(ProtocolFind, ForeignDevicesAreIgnored) {
    std::string device = hello(b, "http://10.0.0.2:5357/x");
    device.replace(device.find("stn:Station"), 11, "wsd:Station");
    receive(device, "10.0.0.2:3702");
    std::string answer = matches(question(), b, "tcp://10.0.0.2:3702");
    answer.replace(answer.find("stn:Station"), 11, "wsd:Station");
    receive(answer, "10.0.0.2:3702", true);
    run_for(Time(0));
    EXPECT_EQ(told(), "");
    EXPECT_EQ(protocol->dropped(DropReason::foreign_device), 2U);
    EXPECT_EQ(lines.back().reason, DropReason::foreign_device);
}

TEST_F(ProtocolFind, OtherProjectsAreFoundOnlyWhenAskedFor) {
    const StationRecord foreign = record_named(other_id, "B", "Other");
    receive(hello(foreign, "tcp://10.0.0.2:8883"), "10.0.0.2:3702");
    receive(matches(question(), foreign, "tcp://10.0.0.2:8883"), "10.0.0.2:3702", true);
    run_for(Time(0));
    EXPECT_EQ(told(), "");
    EXPECT_EQ(protocol->dropped(DropReason::other_project), 2U);
    sent.clear();
    protocol->probe("*", now);
    run_for(Time(0));
    for (const Sent& each : sent_of(Kind::probe))
        EXPECT_TRUE(each.message.targets[0].scopes.empty());
    receive(matches(question(), foreign, "tcp://10.0.0.2:8883"), "10.0.0.2:3702", true);
    run_for(Time(0));
    ASSERT_EQ(told(), "found 2 10.0.0.2:8883");
    EXPECT_EQ(changes[0].find.record.project, "Other");
    // Once known, its news are taken.
    receive(bye(other_id), "10.0.0.2:3702");
    run_for(Time(2000));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883; lost 2");
}

TEST_F(ProtocolFind, AHelloWithoutAddressIsResolvedOnce) {
    std::string silent = hello(b, "tcp://10.0.0.2:8883");
    const auto cut = [](std::string text) {
        const auto begin = text.find("<wsd:XAddrs>");
        return text.erase(begin, text.find("</wsd:XAddrs>") + 13 - begin);
    };
    receive(cut(silent), "10.0.0.2:3702");
    receive(cut(hello(b, "tcp://10.0.0.2:8883", {1, 2})), "10.0.0.2:3702");
    run_for(Time(1000));
    const auto asked = sent_of(Kind::resolve);
    ASSERT_EQ(asked.size(), 3U); // one message, with its repeats
    EXPECT_EQ(asked[0].bytes, asked[2].bytes);
    EXPECT_EQ(asked[0].message.targets[0].endpoint, endpoint_of(other_id));
    EXPECT_EQ(told(), "");
    receive(
        matches(question(Kind::resolve), b, "tcp://10.0.0.2:8883", {1, 3}, Kind::resolve_matches),
        "10.0.0.2:3702", true);
    run_for(Time(0));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883");
}

TEST_F(ProtocolFind, NobodySendsUsToSomebodyElse) {
    int number = 0;
    for (const char* address : {"tcp://10.0.0.99:8883", "tcp://127.0.0.1:8883", "tcp://10.0.0.2:22",
                                "tcp://239.1.1.1:8883", "http://10.0.0.2:8883/",
                                "tcp://station-b:8883", "tcp://[fe80::2]:8883", "tcp://10.0.0.2",
                                "tcp://10.0.0.2:8883/x", "tcp://10.0.0.1:8883"}) {
        StationRecord each = b;
        each.station_id[0] = static_cast<char>('1' + number++ % 9);
        receive(hello(each, address), "10.0.0.2:3702");
        run_for(Time(100));
    }
    EXPECT_EQ(told(), "");
    EXPECT_EQ(protocol->dropped(DropReason::unusable_address), 9U);
    EXPECT_EQ(protocol->dropped(DropReason::low_link_port), 1U);
    receive(hello(b, "http://10.0.0.9/ tcp://10.0.0.99:8883 tcp://10.0.0.2:8883/"),
            "10.0.0.2:3702");
    run_for(Time(0));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883");
}

TEST_F(ProtocolFind, AnswersAreTakenToOpenQuestionsOnly) {
    const std::string open = question();
    receive(matches("urn:uuid:guessed", b, "tcp://10.0.0.2:8883"), "10.0.0.2:3702", true);
    receive(matches(open, b, "tcp://10.0.0.2:8883"), "10.0.0.2:3702"); // at the group
    receive(matches(open, b, "tcp://10.0.0.2:8883", {1, 1}, Kind::resolve_matches), "10.0.0.2:3702",
            true);
    const Channel second = channel_of(3, "10.1.0.1/24");
    protocol->set_channels({eth, second}, {}, now);
    receive_on(second, matches(open, b, "tcp://10.1.0.2:8883"), "10.1.0.2:3702", true);
    run_for(Time(5000));
    receive(matches(open, b, "tcp://10.0.0.2:8883"), "10.0.0.2:3702", true); // too late
    run_for(Time(0));
    EXPECT_EQ(told(), "");
    EXPECT_EQ(protocol->dropped(DropReason::not_asked), 5U);
}

TEST_F(ProtocolFind, OwnMessagesAreIgnored) {
    receive(hello(record_named(own_id, "Own"), "tcp://10.0.0.1:8883", {100, 1}), "10.0.0.1:3702");
    receive(matches(question(), record_named(own_id, "Own"), "tcp://10.0.0.1:8883", {100, 2}),
            "10.0.0.1:3702", true);
    receive(sent_of(Kind::probe)[0].bytes, "10.0.0.1:50000");
    run_for(Time(1000));
    EXPECT_EQ(told(), "");
    EXPECT_EQ(protocol->dropped(DropReason::own), 3U);
    EXPECT_TRUE(sent_of(Kind::probe_matches).empty());
}

TEST_F(ProtocolFind, AByeCountsFromWhereTheStationWasAnnouncedOnly) {
    receive(hello(b, "tcp://10.0.0.2:8883", {5, 1}), "10.0.0.2:3702");
    run_for(Time(0));
    receive(bye(other_id, {4'294'967'295U, 1}), "10.0.0.66:3702");
    receive(bye(other_id, {5, 1}), "10.0.0.2:3702"); // older than the Hello
    run_for(Time(2000));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883");
    EXPECT_EQ(protocol->dropped(DropReason::unknown_bye), 1U);
    EXPECT_EQ(protocol->dropped(DropReason::stale), 1U);
    receive(bye(other_id, {5, 2}), "10.0.0.2:3702");
    run_for(Time(0));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883; lost 2");
}

TEST_F(ProtocolFind, AForgedInstanceOfAnotherAddressChangesNothing) {
    receive(matches(question(), b, "tcp://10.0.0.2:8883", {5, 1}), "10.0.0.2:3702", true);
    run_for(Time(0));
    StationRecord forged = b;
    forged.name = "Evil";
    forged.project = "Other";
    receive(hello(forged, "tcp://10.0.0.66:8883", {4'294'967'295U, 4'294'967'295U}),
            "10.0.0.66:3702");
    run_for(Time(2000));
    StationRecord renamed = b;
    renamed.name = "B2";
    receive(hello(renamed, "tcp://10.0.0.2:8883", {5, 2}), "10.0.0.2:3702");
    run_for(Time(2000));
    for (const FindChange& each : changes) {
        EXPECT_EQ(each.find.record.project, "Plant");
        EXPECT_NE(each.find.record.name, "Evil");
        EXPECT_EQ(each.find.endpoints[0], "10.0.0.2:8883");
    }
    EXPECT_EQ(changes.back().find.record.name, "B2");
}

TEST_F(ProtocolFind, FindsEndWhenTheyAreNotHeardForThreePeriods) {
    receive(hello(b, "tcp://10.0.0.2:8883"), "10.0.0.2:3702");
    run_for(Time(179'000));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883");
    run_for(Time(2000));
    EXPECT_EQ(told(), "found 2 10.0.0.2:8883; lost 2");
}

TEST_F(ProtocolFind, SilenceOfAllIsTold) {
    EXPECT_TRUE(protocol->complaints().empty());
    run_for(Time(300'000));
    ASSERT_EQ(protocol->complaints().size(), 1U);
    EXPECT_NE(protocol->complaints()[0].find("No station has ever answered"), std::string::npos);
    receive(hello(b, "tcp://10.0.0.2:8883"), "10.0.0.2:3702");
    EXPECT_NE(protocol->complaints()[0].find("Stations are heard"), std::string::npos);
    ASSERT_TRUE(wait_for_probe());
    receive(matches(question(), b, "tcp://10.0.0.2:8883", {1, 2}), "10.0.0.2:3702", true);
    EXPECT_TRUE(protocol->complaints().empty());
}

TEST_F(ProtocolFind, ACopiedDiskIsTold) {
    receive(hello(record_named(own_id, "Own"), "tcp://10.0.0.2:8883", {200, 1}), "10.0.0.2:3702");
    run_for(Time(0));
    EXPECT_EQ(told(), "");
    ASSERT_EQ(protocol->complaints().size(), 1U);
    EXPECT_NE(protocol->complaints()[0].find("10.0.0.2, uses the id of this station"),
              std::string::npos);
    // Another address each time makes no other sentence: whoever forges them fills no log.
    receive(hello(record_named(own_id, "Own"), "tcp://10.0.0.3:8883", {201, 1}), "10.0.0.3:3702");
    ASSERT_EQ(protocol->complaints().size(), 1U);
    EXPECT_NE(protocol->complaints()[0].find("10.0.0.2, uses"), std::string::npos);
    run_for(Time(181'000));
    for (const std::string& text : protocol->complaints())
        EXPECT_EQ(text.find("uses the id"), std::string::npos);
}

TEST_F(ProtocolFind, APortBelow1024IsToldOnBothSides) {
    receive(hello(b, "tcp://10.0.0.2:443"), "10.0.0.2:3702");
    run_for(Time(0));
    EXPECT_EQ(told(), "");
    EXPECT_EQ(protocol->dropped(DropReason::low_link_port), 1U);
    protocol->announce({record_named(own_id, "Own"), {{IpAddress{}, 443}}, 100, 2}, now);
    ASSERT_EQ(protocol->complaints().size(), 1U);
    EXPECT_NE(protocol->complaints()[0].find("port 443"), std::string::npos);
}

TEST_F(ProtocolFind, AHintWithAnIdAsksForThatStation) {
    sent.clear();
    protocol->probe(other_id, now);
    run_for(Time(1000));
    EXPECT_EQ(sent_of(Kind::resolve).size(), 6U);
    EXPECT_TRUE(sent_of(Kind::probe).empty());
    protocol->probe("station-b", now); // a name is nothing that could be asked for
    run_for(Time(1000));
    EXPECT_EQ(sent_of(Kind::probe).size(), 6U);
}

} // namespace
} // namespace stationsync::discovery_wsd
