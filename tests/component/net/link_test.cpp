// Links between two stations in one process, over real TLS on loopback.
#include "link_station.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

class LinkTest : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(a.start().empty());
        ASSERT_TRUE(b.start().empty());
    }
    bool until(const std::function<bool()>& done) { return run_until(context, done); }
    void connect() {
        a.dial(b.address());
        ASSERT_TRUE(until([&] { return a.up.size() == 1 && b.up.size() == 1; }));
    }

    boost::asio::io_context context{1};
    ProjectKey key = ProjectKey::generate();
    LinkStation a{context, "A", key};
    LinkStation b{context, "B", key};
};

TEST_F(LinkTest, BothSidesKnowTheProvenIdentityOfTheOther) {
    b.links->set_profile("B2", {"10.0.0.2:8883", "no address"});
    const DialId dial = a.dial(b.address());
    ASSERT_TRUE(until([&] { return a.up.size() == 1 && b.up.size() == 1; }));
    EXPECT_EQ(a.up[0].station, b.identity.id());
    EXPECT_EQ(a.up[0].run_id, b.config.run_id);
    EXPECT_EQ(a.up[0].station_name, "B2");
    EXPECT_EQ(a.up[0].peer_addresses, std::vector<std::string>{"10.0.0.2:8883"});
    EXPECT_TRUE(a.up[0].dialled);
    EXPECT_EQ(a.up[0].dial, dial);
    EXPECT_EQ(a.up[0].address, b.address());
    EXPECT_TRUE(a.up[0].current_key);
    EXPECT_EQ(b.up[0].station, a.identity.id());
    EXPECT_EQ(b.up[0].station_name, "A");
    EXPECT_FALSE(b.up[0].dialled);
    EXPECT_TRUE(b.up[0].address.starts_with("127.0.0.1:"));
}

TEST_F(LinkTest, DataTravelsBothWaysOverALinkDialledByOneSide) {
    ASSERT_NO_FATAL_FAILURE(connect());
    EXPECT_EQ(a.links->send_engine(a.up[0].link, bytes_of("to b")), LinkSend::queued);
    EXPECT_EQ(b.links->send_engine(b.up[0].link, bytes_of("to a")), LinkSend::queued);
    EXPECT_EQ(b.links->send_host(b.up[0].link, bytes_of("h")), LinkSend::queued);
    EXPECT_EQ(b.links->send_transfer(b.up[0].link, {}), LinkSend::queued);
    EXPECT_EQ(b.links->send_block(b.up[0].link, bytes_of("b")), LinkSend::queued);
    ASSERT_TRUE(until([&] { return a.received.size() == 4 && b.received.size() == 1; }));
    EXPECT_EQ(b.received[0].bytes, bytes_of("to b"));
    EXPECT_EQ(a.received[0].bytes, bytes_of("to a"));
    EXPECT_EQ(a.received[0].type, FrameType::engine);
    EXPECT_EQ(a.received[1].type, FrameType::host);
    EXPECT_EQ(a.received[2].type, FrameType::transfer);
    EXPECT_TRUE(a.received[2].bytes.empty());
    EXPECT_EQ(a.received[3].type, FrameType::block);
}

TEST_F(LinkTest, APairHasALinkFromEachSide) {
    a.dial(b.address());
    b.dial(a.address());
    ASSERT_TRUE(until([&] { return a.up.size() == 2 && b.up.size() == 2; }));
    EXPECT_NE(a.up[0].dialled, a.up[1].dialled);
    for (const LinkUpInfo& info : a.up) {
        EXPECT_EQ(a.links->send_engine(info.link, bytes_of("x")), LinkSend::queued);
    }
    ASSERT_TRUE(until([&] { return b.received.size() == 2; }));
    EXPECT_TRUE(a.down.empty());
}

TEST_F(LinkTest, BigFramesArriveWhole) {
    ASSERT_NO_FATAL_FAILURE(connect());
    Bytes engine(engine_bytes_max);
    Bytes block(block_bytes_max);
    fill_random(engine);
    fill_random(block);
    EXPECT_EQ(a.links->send_block(a.up[0].link, block), LinkSend::queued);
    EXPECT_EQ(a.links->send_engine(a.up[0].link, engine), LinkSend::queued);
    ASSERT_TRUE(until([&] { return b.received.size() == 2; }));
    for (const auto& received : b.received) {
        EXPECT_TRUE(received.bytes == (received.type == FrameType::engine ? engine : block));
    }
}

TEST_F(LinkTest, OversizedFrameOfTheCallerIsADefect) {
    ASSERT_NO_FATAL_FAILURE(connect());
    EXPECT_THROW(a.links->send_block(a.up[0].link, Bytes(block_bytes_max + 1)), std::length_error);
    EXPECT_THROW(a.links->send_engine(a.up[0].link, Bytes(engine_bytes_max + 1)),
                 std::length_error);
}

TEST_F(LinkTest, ControlOvertakesBlocksThatWait) {
    ASSERT_NO_FATAL_FAILURE(connect());
    LinkSend result = LinkSend::queued;
    int blocks = 0;
    while (result == LinkSend::queued) {
        result = a.links->send_block(a.up[0].link, Bytes(1 << 20));
        ++blocks;
    }
    EXPECT_EQ(result, LinkSend::queued_full);
    EXPECT_EQ(a.links->send_block(a.up[0].link, Bytes(1)), LinkSend::refused);
    EXPECT_EQ(a.links->send_engine(a.up[0].link, bytes_of("urgent")), LinkSend::queued);
    const auto count = static_cast<std::size_t>(blocks) + 1;
    ASSERT_TRUE(until([&] { return b.received.size() == count; }));
    EXPECT_NE(b.received.back().type, FrameType::engine);
    EXPECT_EQ(a.writable, 1);
}

TEST_F(LinkTest, WritableCallsForMoreBlocksUntilAllAreSent) {
    b.keep_bytes = false;
    int left = 64;
    const auto send = [&](LinkId link) {
        while (left > 0) {
            const LinkSend result = a.links->send_block(link, Bytes(std::size_t{512} * 1024));
            ASSERT_NE(result, LinkSend::no_link);
            left -= result == LinkSend::refused ? 0 : 1;
            if (result != LinkSend::queued) {
                return;
            }
        }
    };
    a.when_writable = send;
    ASSERT_NO_FATAL_FAILURE(connect());
    send(a.up[0].link);
    ASSERT_TRUE(until([&] { return b.block_bytes == 64ull * std::size_t{512} * 1024; }));
    EXPECT_GT(a.writable, 5);
    EXPECT_GE(a.links->traffic(a.up[0].link).sent_bytes, 64ull * std::size_t{512} * 1024);
    EXPECT_GE(b.links->traffic(b.up[0].link).received_bytes, 64ull * std::size_t{512} * 1024);
}

TEST_F(LinkTest, KeysAreRenewedOnALongLink) {
    a.config.limits.key_bytes_max = 100'000;
    b.config.limits.key_bytes_max = 150'000;
    ASSERT_TRUE(a.start().empty());
    ASSERT_TRUE(b.start().empty());
    ASSERT_NO_FATAL_FAILURE(connect());
    Bytes block(300'000);
    fill_random(block);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(a.links->send_block(a.up[0].link, block), LinkSend::queued);
        EXPECT_EQ(b.links->send_block(b.up[0].link, block), LinkSend::queued);
    }
    ASSERT_TRUE(until([&] { return a.received.size() == 10 && b.received.size() == 10; }));
    EXPECT_TRUE(a.received[9].bytes == block && b.received[9].bytes == block);
    EXPECT_TRUE(a.down.empty());
}

TEST_F(LinkTest, CloseTellsThePeerWhy) {
    ASSERT_NO_FATAL_FAILURE(connect());
    a.links->close(a.up[0].link, "the station is blocked");
    EXPECT_EQ(a.links->send_engine(a.up[0].link, bytes_of("x")), LinkSend::no_link);
    EXPECT_TRUE(a.down.empty()); // reported later, never from inside close()
    ASSERT_TRUE(until([&] { return a.down.size() == 1 && b.down.size() == 1; }));
    EXPECT_EQ(a.down[0].failure, LinkFailure::closed_here);
    EXPECT_EQ(b.down[0].failure, LinkFailure::closed_by_peer);
    EXPECT_NE(b.down[0].text.find("the station is blocked"), std::string::npos);
    a.links->close(a.up[0].link, "again");
}

TEST_F(LinkTest, ReasonIsHeardAlsoBehindQueuedBlocks) {
    ASSERT_NO_FATAL_FAILURE(connect());
    while (a.links->send_block(a.up[0].link, Bytes(1 << 20)) == LinkSend::queued) {
    }
    a.links->close(a.up[0].link, "reason");
    ASSERT_TRUE(until([&] { return b.down.size() == 1; }));
    EXPECT_EQ(b.down[0].failure, LinkFailure::closed_by_peer);
    EXPECT_LT(b.received.size(), 5u); // what had not begun was dropped
}

TEST_F(LinkTest, CloseFromInsideACallbackIsAllowed) {
    b.when_up = [&](const LinkUpInfo& info) { b.links->close(info.link, "refused"); };
    a.dial(b.address());
    ASSERT_TRUE(until([&] { return b.down.size() == 1 && a.down.size() == 1; }));
    EXPECT_EQ(a.down[0].failure, LinkFailure::closed_by_peer);
}

TEST_F(LinkTest, LinkThatBreaksIsReportedOnce) {
    ASSERT_NO_FATAL_FAILURE(connect());
    b.links.reset();
    ASSERT_TRUE(until([&] { return a.down.size() == 1; }));
    EXPECT_EQ(a.down[0].failure, LinkFailure::lost);
    EXPECT_TRUE(b.down.empty()); // stop() calls nobody
    EXPECT_EQ(a.links->send_engine(a.up[0].link, bytes_of("x")), LinkSend::no_link);
}

TEST_F(LinkTest, ProbeOfALivingPeerIsAnswered) {
    ASSERT_NO_FATAL_FAILURE(connect());
    a.links->probe(a.up[0].link);
    ASSERT_TRUE(until([&] { return a.alive.size() == 1; }));
    EXPECT_EQ(a.alive[0], a.up[0].link);
}

TEST_F(LinkTest, TimeIsMeasuredAgainAndAgain) {
    ASSERT_NO_FATAL_FAILURE(connect());
    ASSERT_TRUE(until([&] { return a.measured.size() >= 6 && b.measured.size() >= 6; }));
    EXPECT_LT(std::chrono::abs(a.measured.back().offset), std::chrono::milliseconds(20));
    EXPECT_LT(a.measured.back().round_trip, std::chrono::milliseconds(40));
}

TEST_F(LinkTest, PortIsFreeAtOnceAfterStop) {
    ASSERT_NO_FATAL_FAILURE(connect());
    const HostPort port = b.links->listening().at(0);
    b.links->stop();
    b.config.listen = {{port, false}};
    const auto failures = b.start();
    EXPECT_TRUE(failures.empty()) << failures.front();
    a.dial(b.address());
    ASSERT_TRUE(until([&] { return a.up.size() == 2; }));
}

TEST_F(LinkTest, LinksOfOneStationAreLimitedAndTheOldestGivesWay) {
    for (int i = 0; i < 5; ++i) {
        a.dial(b.address());
        ASSERT_TRUE(until([&] { return b.up.size() == static_cast<std::size_t>(i) + 1; }));
    }
    ASSERT_TRUE(until([&] { return a.down.size() == 1 && b.down.size() == 1; }));
    EXPECT_EQ(b.down[0].link, b.up[0].link);
}

class ClockTest : public ::testing::Test {
protected:
    boost::asio::io_context context{1};
    ProjectKey key = ProjectKey::generate();
    LinkStation a{context, "A", key};
    LinkStation b{context, "B", key};
    core::Duration ahead{0};

    void connect() {
        b.config.wall_now = [this] {
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            return core::WallTime{std::chrono::duration_cast<core::Duration>(now).count()} + ahead;
        };
        ASSERT_TRUE(a.start().empty());
        ASSERT_TRUE(b.start().empty());
        a.dial(b.address());
        ASSERT_TRUE(run_until(context, [&] { return !a.measured.empty() && !b.measured.empty(); }));
    }
};

TEST_F(ClockTest, DifferenceIsMeasuredOnBothSidesWithOppositeSigns) {
    ahead = std::chrono::seconds(61);
    ASSERT_NO_FATAL_FAILURE(connect());
    EXPECT_LT(std::chrono::abs(a.measured.back().offset - ahead), std::chrono::milliseconds(50));
    EXPECT_LT(std::chrono::abs(b.measured.back().offset + ahead), std::chrono::milliseconds(50));
}

TEST_F(ClockTest, StepOfThePeersClockIsNoticedOnTheStandingLink) {
    ASSERT_NO_FATAL_FAILURE(connect());
    ahead = -std::chrono::hours(24);
    ASSERT_TRUE(run_until(context, [&] {
        return std::chrono::abs(a.measured.back().offset - ahead) < std::chrono::milliseconds(50);
    }));
    EXPECT_TRUE(a.down.empty());
}

} // namespace
} // namespace stationsync::host
