// Rows 12, 13, 20 and 24 of the acceptance table, as far as they need no network.
#include "protocol_harness.hpp"

#include <map>

namespace stationsync::discovery_wsd {
namespace {

using ProtocolTiming = ProtocolTest;

TEST_F(ProtocolTiming, HelloIsSentThriceInEachVersionWithGrowingGaps) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        make(seed);
        const Time begin = now;
        protocol->set_channels({eth}, {}, now);
        announce();
        run_for(Time(2000));
        std::map<Version, std::vector<Sent>> by_version;
        for (const Sent& each : sent_of(Kind::hello))
            by_version[each.message.version].push_back(each);
        ASSERT_EQ(by_version.size(), 2U);
        for (const auto& [version, hellos] : by_version) {
            ASSERT_EQ(hellos.size(), 3U);
            EXPECT_LE(hellos[0].at - begin, Time(500));
            const Time gap = hellos[1].at - hellos[0].at;
            EXPECT_GE(gap, Time(50));
            EXPECT_LE(gap, Time(250));
            EXPECT_EQ(hellos[2].at - hellos[1].at, std::min(2 * gap, Time(500)));
            for (const Sent& each : hellos) {
                EXPECT_EQ(each.bytes, hellos[0].bytes); // same MessageID, same MessageNumber
                EXPECT_EQ(each.to.port, 0);             // to the group
                EXPECT_FALSE(each.is_question);
                EXPECT_EQ(each.message.targets[0].addresses[0], "tcp://10.0.0.1:8883");
            }
        }
    }
}

TEST_F(ProtocolTiming, AnswersAreSpreadOverHalfASecond) {
    settings.limits.source_answers = 1000;
    settings.limits.total_answers = 1000;
    settings.limits.source_datagrams = 1000;
    make();
    settle();
    std::vector<Time> delays;
    for (int i = 0; i < 100; ++i) {
        const Time asked = now;
        receive(probe("Plant"), "10.0.0.2:50000");
        run_for(Time(600));
        const auto answers = sent_of(Kind::probe_matches);
        ASSERT_EQ(answers.size(), 1U);
        EXPECT_EQ(answers[0].to, *parse_endpoint("10.0.0.2:50000"));
        EXPECT_FALSE(answers[0].is_question); // so it leaves from port 3702
        delays.push_back(answers[0].at - asked);
        sent.clear();
    }
    std::sort(delays.begin(), delays.end());
    EXPECT_LT(delays.front(), Time(50));
    EXPECT_GT(delays.back(), Time(450));
    EXPECT_LE(delays.back(), Time(500));
    EXPECT_GT(delays[50], Time(150));
    EXPECT_LT(delays[50], Time(350));
}

TEST_F(ProtocolTiming, ProbesComeOncePerPeriodAndSeldomWhenAllIsQuiet) {
    settle();
    std::vector<Time> rounds;
    std::string last;
    for (int i = 0; i < 3000; ++i) {
        run_for(Time(1000));
        for (const Sent& each : sent_of(Kind::probe)) {
            EXPECT_TRUE(each.is_question);
            if (each.message.version == Version::draft_2005 && each.message.message_id != last) {
                last = each.message.message_id;
                rounds.push_back(each.at);
                receive(matches(last, record_named(other_id, "B"), "tcp://10.0.0.2:8883"),
                        "10.0.0.2:3702", true);
            }
        }
        sent.clear();
    }
    ASSERT_GT(rounds.size(), 10U);
    for (std::size_t i = 1; i < rounds.size(); ++i) {
        const Time gap = rounds[i] - rounds[i - 1];
        const bool is_quiet = i >= 8; // five rounds after the first find, and the one under way
        if (i == 6 || i == 7)
            continue;
        EXPECT_GE(gap, is_quiet ? Time(239'000) : Time(47'000)) << i;
        EXPECT_LE(gap, is_quiet ? Time(361'000) : Time(73'000)) << i;
    }
    // Told again in time, with the longer validity.
    EXPECT_EQ(changes.front().what, FindChange::What::found);
    EXPECT_EQ(changes.front().find.ttl, Time(180'000));
    EXPECT_EQ(changes.back().find.ttl, Time(900'000));
    for (const FindChange& each : changes)
        EXPECT_NE(each.what, FindChange::What::lost);
}

TEST_F(ProtocolTiming, ByeIsSaidAtOnceInBothVersionsOnEveryChannel) {
    const Channel second = channel_of(3, "fe80::1/64");
    protocol->set_channels({eth, second}, {}, now);
    protocol->announce({record_named(own_id, "Own"),
                        {{IpAddress{}, 8883}, {IpAddress{Family::v6, {}}, 8883}},
                        100,
                        1},
                       now);
    run_for(Time(100)); // Hellos still wait
    sent.clear();
    const Time begin = now;
    protocol->withdraw(now);
    run_for(Time(2000));
    std::map<std::pair<ChannelId, Version>, int> byes;
    for (const Sent& each : sent) {
        ASSERT_TRUE(each.message.kind == Kind::bye || each.is_question) << each.bytes;
        if (each.message.kind != Kind::bye)
            continue;
        ++byes[{each.channel, each.message.version}];
        EXPECT_LE(each.at - begin, Time(300));
        EXPECT_EQ(each.message.targets[0].endpoint, endpoint_of(own_id));
    }
    EXPECT_EQ(byes.size(), 4U);
    for (const auto& [place, count] : byes)
        EXPECT_EQ(count, 3);
    // And no answer any more.
    receive(probe("Plant"), "10.0.0.2:50000");
    run_for(Time(1000));
    EXPECT_TRUE(sent_of(Kind::probe_matches).empty());
}

TEST_F(ProtocolTiming, EachChannelIsToldItsOwnAddressOnly) {
    const Channel second = channel_of(3, "10.1.0.1/24");
    protocol->set_channels({eth, second}, {}, now);
    announce();
    run_for(Time(2000));
    for (const Sent& each : sent_of(Kind::hello))
        EXPECT_EQ(each.message.targets[0].addresses,
                  std::vector<std::string>{each.channel == eth.id() ? "tcp://10.0.0.1:8883"
                                                                    : "tcp://10.1.0.1:8883"});
    sent.clear();
    receive_on(second, probe("Plant"), "10.1.0.2:50000");
    receive_on(second, probe("Plant"), "10.0.0.2:50000"); // not from there
    run_for(Time(1000));
    const auto answers = sent_of(Kind::probe_matches);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].channel, second.id());
    EXPECT_EQ(answers[0].message.targets[0].addresses[0], "tcp://10.1.0.1:8883");
}

TEST_F(ProtocolTiming, NothingIsAnnouncedWhereNobodyListens) {
    const Channel second = channel_of(3, "10.1.0.1/24");
    protocol->set_channels({eth, second}, {}, now);
    protocol->announce({record_named(own_id, "Own"), {*parse_endpoint("10.1.0.1:9000")}, 100, 1},
                       now);
    run_for(Time(2000));
    for (const Sent& each : sent_of(Kind::hello)) {
        EXPECT_EQ(each.channel, second.id());
        EXPECT_EQ(each.message.targets[0].addresses[0], "tcp://10.1.0.1:9000");
    }
    EXPECT_EQ(sent_of(Kind::hello).size(), 6U);
    sent.clear();
    receive(probe("Plant"), "10.0.0.2:50000");
    run_for(Time(1000));
    EXPECT_TRUE(sent_of(Kind::probe_matches).empty());
}

TEST_F(ProtocolTiming, AChannelThatIsNewOrHasAnotherAddressIsGreeted) {
    settle();
    protocol->set_channels({eth}, {}, now);
    run_for(Time(2000));
    EXPECT_TRUE(sent.empty()) << "nothing has changed";
    const auto greeted = [&] {
        run_for(Time(2000));
        const bool is_greeted =
            sent_of(Kind::hello).size() == 6 && sent_of(Kind::probe).size() == 6;
        sent.clear();
        return is_greeted;
    };
    const Channel moved = channel_of(2, "10.0.0.9/24");
    protocol->set_channels({moved}, {}, now);
    EXPECT_TRUE(greeted());
    protocol->set_channels({moved}, {moved.id()}, now); // its interface was made anew
    EXPECT_TRUE(greeted());
    protocol->set_channels({}, {}, now);
    protocol->set_channels({moved}, {moved.id()}, now);
    EXPECT_TRUE(greeted());
}

TEST_F(ProtocolTiming, MessageNumbersGrowAndBelongToTheInstance) {
    settle();
    announce("Other name", 2);
    run_for(Time(2000));
    std::uint32_t last = 0;
    for (const Sent& each : sent_of(Kind::hello)) {
        EXPECT_EQ(each.message.sequence->instance_id, 100U);
        EXPECT_GT(each.message.sequence->message_number, 2U); // those of the first Hellos
        last = std::max(last, each.message.sequence->message_number);
        EXPECT_EQ(each.message.targets[0].metadata_version, 2U);
        EXPECT_EQ(record_of(each.message.targets[0])->name, "Other name");
    }
    EXPECT_EQ(last, 4U);
}

} // namespace
} // namespace stationsync::discovery_wsd
