// Whom we answer: rows 14, 15, 18, 29, 30 and 33 of the acceptance table.
#include "protocol_harness.hpp"

namespace stationsync::discovery_wsd {
namespace {

class ProtocolAnswer : public ProtocolTest {
protected:
    ProtocolAnswer() { settle(); }

    std::size_t answers() {
        run_for(Time(600));
        return sent_of(Kind::probe_matches).size() + sent_of(Kind::resolve_matches).size();
    }
};

TEST_F(ProtocolAnswer, IsGivenInTheVersionOfTheQuestion) {
    for (const Version version : all_versions) {
        sent.clear();
        const std::string id = new_id();
        receive(write_probe({version, id}, project_scope("Plant")), "10.0.0.2:50000");
        ASSERT_EQ(answers(), 1U);
        EXPECT_EQ(sent[0].message.version, version);
        EXPECT_EQ(sent[0].message.relates_to, id);
        EXPECT_EQ(record_of(sent[0].message.targets[0])->name, "Own");
    }
}

TEST_F(ProtocolAnswer, ComesOnceHoweverOftenTheQuestion) {
    const std::string question = probe("Plant");
    for (int i = 0; i < 4; ++i) {
        receive(question, "10.0.0.2:50000");
        run_for(Time(200));
    }
    EXPECT_EQ(answers(), 1U);
    EXPECT_EQ(protocol->dropped(DropReason::repeated), 3U);
}

TEST_F(ProtocolAnswer, IsSilenceForOtherProjectsAndThings) {
    receive(probe("Other"), "10.0.0.2:50000");
    std::string device = probe();
    device.replace(device.find("stn:Station"), 11, "wsd:Station");
    receive(device, "10.0.0.2:50000");
    EXPECT_EQ(answers(), 0U);
    EXPECT_EQ(protocol->dropped(DropReason::no_match), 2U);
    receive(probe(), "10.0.0.2:50000"); // of any project
    EXPECT_EQ(answers(), 1U);
}

TEST_F(ProtocolAnswer, ToAResolveComesAtOnceFromTheOwnerOnly) {
    const std::string id = new_id();
    receive(write_resolve({Version::oasis_2009, id}, endpoint_of(other_id)), "10.0.0.2:50000");
    EXPECT_EQ(answers(), 0U);
    const std::string second = new_id();
    const Time asked = now;
    receive(write_resolve({Version::oasis_2009, second}, endpoint_of(own_id)), "10.0.0.2:50000");
    ASSERT_EQ(answers(), 1U);
    EXPECT_EQ(sent[0].at, asked);
    EXPECT_EQ(sent[0].message.relates_to, second);
    EXPECT_EQ(sent[0].message.targets[0].addresses[0], "tcp://10.0.0.1:8883");
}

TEST_F(ProtocolAnswer, IsNotMadeLargeByTheMessageIdThatItEchoes) {
    std::string bytes = probe("Plant");
    const std::size_t id = bytes.find("urn:uuid:test-");
    receive(std::string(bytes).replace(id, 0, std::string(200, 'x')), "10.0.0.2:50000");
    receive(std::string(bytes).replace(id, 0, std::string(60, '"')), "10.0.0.2:50000");
    EXPECT_EQ(answers(), 0U);
    EXPECT_EQ(protocol->dropped(DropReason::answer_size), 2U);
    receive(bytes, "10.0.0.2:50000");
    EXPECT_EQ(answers(), 1U);
}

TEST_F(ProtocolAnswer, IsGivenToTheSenderOfTheDatagramOnly) {
    std::string bytes = probe("Plant");
    const std::string header = "<wsa:ReplyTo><wsa:Address>http://10.0.0.66:80/</wsa:Address>"
                               "</wsa:ReplyTo>";
    bytes.insert(bytes.find("</soap:Header>"), header);
    receive(bytes, "10.0.0.2:50000");
    ASSERT_EQ(answers(), 1U);
    EXPECT_EQ(sent[0].to, *parse_endpoint("10.0.0.2:50000"));
}

TEST_F(ProtocolAnswer, IsRefusedForWhatCannotBeMeant) {
    const struct {
        const char* from;
        bool to_group;
        DropReason reason;
    } samples[] = {
        {"10.0.0.2:50000", false, DropReason::not_to_group},
        {"10.0.1.2:50000", true, DropReason::off_link},
        {"127.0.0.1:50000", true, DropReason::off_link},
        {"10.0.0.2:53", true, DropReason::bad_source_port},
        {"10.0.0.2:1023", true, DropReason::bad_source_port},
        {"10.0.0.255:50000", true, DropReason::bad_source},
        {"239.255.255.250:50000", true, DropReason::bad_source},
        {"0.0.0.0:50000", true, DropReason::bad_source},
    };
    for (const auto& each : samples) {
        const auto before = protocol->dropped(each.reason);
        receive(probe("Plant"), each.from, false, each.to_group);
        EXPECT_EQ(protocol->dropped(each.reason), before + 1) << each.from;
    }
    receive(probe("Plant") + std::string(8193, ' '), "10.0.0.2:50000");
    EXPECT_EQ(protocol->dropped(DropReason::oversize), 1U);
    // A question at the socket for answers.
    receive(probe("Plant"), "10.0.0.2:50000", true);
    EXPECT_EQ(protocol->dropped(DropReason::not_asked), 1U);
    EXPECT_EQ(answers(), 0U);
}

TEST_F(ProtocolAnswer, IsNeverAFault) {
    for (const char* bytes : {"<:/>", "<a>", "", "<!DOCTYPE a><a/>", "\xff\xfe<"})
        receive(bytes, "10.0.0.2:50000");
    std::string nameless = probe("Plant");
    nameless.erase(nameless.find("<wsa:MessageID>"),
                   nameless.find("</wsa:MessageID>") + 16 - nameless.find("<wsa:MessageID>"));
    receive(nameless, "10.0.0.2:50000");
    run_for(Time(2000));
    EXPECT_TRUE(sent.empty());
    EXPECT_EQ(protocol->dropped(DropReason::incomplete), 1U);
}

TEST_F(ProtocolAnswer, WhatComesOverAnotherNetworkCountsAsAFloodLikeAnyOther) {
    const std::string bytes = probe("Plant");
    EXPECT_TRUE(protocol->receive(
        {ChannelId{}, true, false, *parse_endpoint("172.17.0.2:50000"), bytes}, now));
    EXPECT_EQ(protocol->dropped(DropReason::off_link), 1U);
}

TEST_F(ProtocolAnswer, IsBoundedForEachAskerAndInAll) {
    // 10,000 questions in a second from one host; another one asks in between.
    for (int i = 0; i < 10'000; ++i) {
        receive(probe("Plant"), "10.0.0.66:50000");
        if (i % 10 == 9)
            run_for(Time(1));
        if (i == 5000)
            receive(probe("Plant"), "10.0.0.2:50000");
    }
    run_for(Time(1000));
    std::size_t to_flooder = 0;
    std::size_t to_other = 0;
    for (const Sent& each : sent_of(Kind::probe_matches))
        ++(to_text(each.to.address) == "10.0.0.66" ? to_flooder : to_other);
    EXPECT_LE(to_flooder, 10U);
    EXPECT_EQ(to_other, 1U);
    EXPECT_GE(protocol->dropped(DropReason::source_rate), 9900U);
    // In all: many hosts.
    sent.clear();
    run_for(Time(5000));
    for (int i = 0; i < 250; ++i)
        receive(probe("Plant"), ("10.0.0." + std::to_string(i + 2) + ":50000").c_str());
    run_for(Time(600));
    EXPECT_LE(sent_of(Kind::probe_matches).size(), 31U);
}

TEST_F(ProtocolAnswer, DropsAreToldOncePerMinuteWithTheirNumber) {
    lines.clear();
    for (int i = 0; i < 100; ++i) {
        receive("<:/>", "10.0.0.2:50000");
        run_for(Time(1000));
    }
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].reason, DropReason::not_well_formed);
    EXPECT_EQ(lines[0].count, 1U);
    EXPECT_EQ(lines[1].count, 59U);
    EXPECT_EQ(to_text(lines[1].last_source), "10.0.0.2");
}

} // namespace
} // namespace stationsync::discovery_wsd
