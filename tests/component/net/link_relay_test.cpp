// Links through a bad network.
#include "link_station.hpp"
#include "relay/tcp_relay.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using std::chrono::milliseconds;
using test::RelayMode;
using test::TcpRelay;

class RelayTest : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(a.start().empty());
        ASSERT_TRUE(b.start().empty());
        relay = std::make_unique<TcpRelay>("127.0.0.1:0", b.address());
    }
    bool until(const std::function<bool()>& done) { return run_until(context, done); }
    void connect() {
        a.dial(relay->address());
        ASSERT_TRUE(until([&] { return a.up.size() == 1 && b.up.size() == 1; }));
    }

    boost::asio::io_context context{1};
    ProjectKey key = ProjectKey::generate();
    LinkStation a{context, "A", key};
    LinkStation b{context, "B", key};
    std::unique_ptr<TcpRelay> relay;
};

TEST_F(RelayTest, AsymmetricDelayIsWrongByAtMostHalfTheRoundTrip) {
    ASSERT_NO_FATAL_FAILURE(connect());
    relay->set({RelayMode::pass, milliseconds(120), milliseconds(0), 0});
    a.measured.clear();
    ASSERT_TRUE(until(
        [&] { return !a.measured.empty() && a.measured.back().round_trip >= milliseconds(100); }));
    const auto& last = a.measured.back();
    EXPECT_GE(last.offset, milliseconds(40)); // half of what one way takes longer
    EXPECT_LE(std::chrono::abs(last.offset), last.round_trip / 2 + milliseconds(5));
    EXPECT_TRUE(a.down.empty());
}

TEST_F(RelayTest, QuickRoundTripsAreTrustedWhenTheLineBecomesSlow) {
    ASSERT_NO_FATAL_FAILURE(connect());
    ASSERT_TRUE(until([&] { return a.measured.size() >= 3; }));
    relay->set({RelayMode::pass, milliseconds(100), milliseconds(0), 0});
    const std::size_t before = a.measured.size();
    ASSERT_TRUE(until([&] { return a.measured.size() >= before + 3; }));
    EXPECT_LT(std::chrono::abs(a.measured[before + 2].offset), milliseconds(30));
}

TEST_F(RelayTest, LineThatSwallowsEndsTheLinkAsIdleOnBothSides) {
    ASSERT_NO_FATAL_FAILURE(connect());
    relay->set({RelayMode::swallow, {}, {}, 0});
    ASSERT_TRUE(until([&] { return a.down.size() == 1 && b.down.size() == 1; }));
    EXPECT_EQ(a.down[0].failure, LinkFailure::idle);
    EXPECT_EQ(b.down[0].failure, LinkFailure::idle);
}

TEST_F(RelayTest, ProbeFindsADeadLineSoonerThanTheIdleLimit) {
    ASSERT_NO_FATAL_FAILURE(connect());
    relay->set({RelayMode::swallow, {}, {}, 0});
    a.links->probe(a.up[0].link);
    ASSERT_TRUE(until([&] { return a.down.size() == 1; }));
    EXPECT_TRUE(b.down.empty());
    EXPECT_TRUE(a.alive.empty());
}

TEST_F(RelayTest, EachWayOfFailingHasItsCause) {
    relay->set({RelayMode::swallow, {}, {}, 0});
    LinkStation hasty(context, "hasty", key);
    hasty.config.limits.handshake_timeout = hasty_handshake;
    ASSERT_TRUE(hasty.start().empty());
    hasty.dial(relay->address());
    ASSERT_TRUE(until([&] { return hasty.failed.size() == 1; }));
    EXPECT_EQ(hasty.failed[0].failure, LinkFailure::timeout);
    relay->set({RelayMode::reset, {}, {}, 0});
    a.dial(relay->address());
    ASSERT_TRUE(until([&] { return a.failed.size() == 1; }));
    EXPECT_TRUE(a.failed[0].failure == LinkFailure::lost ||
                a.failed[0].failure == LinkFailure::refused)
        << a.failed[0].text;
    relay->set({RelayMode::refuse, {}, {}, 0});
    a.dial(relay->address());
    ASSERT_TRUE(until([&] { return a.failed.size() == 2; }));
    EXPECT_EQ(a.failed[1].failure, LinkFailure::refused);
    relay->set({RelayMode::pass, {}, {}, 0});
    a.dial(relay->address());
    ASSERT_TRUE(until([&] { return a.up.size() == 1; }));
}

TEST_F(RelayTest, CutLineIsALostLink) {
    ASSERT_NO_FATAL_FAILURE(connect());
    relay->cut();
    ASSERT_TRUE(until([&] { return a.down.size() == 1 && b.down.size() == 1; }));
    EXPECT_EQ(a.down[0].failure, LinkFailure::lost);
}

TEST_F(RelayTest, SlowLineKeepsTheLinkAndControlStaysAhead) {
    b.keep_bytes = false;
    ASSERT_NO_FATAL_FAILURE(connect());
    relay->set({RelayMode::pass, {}, {}, 2'000'000});
    while (a.links->send_block(a.up[0].link, Bytes(std::size_t{256} * 1024)) == LinkSend::queued) {
    }
    const std::size_t blocks_sent = 17;
    a.links->send_engine(a.up[0].link, bytes_of("urgent"));
    ASSERT_TRUE(until([&] {
        return std::any_of(b.received.begin(), b.received.end(),
                           [](const auto& each) { return each.type == FrameType::engine; });
    }));
    EXPECT_LT(b.received.size(), blocks_sent);
    EXPECT_TRUE(a.down.empty() && b.down.empty());
}

} // namespace
} // namespace stationsync::host
