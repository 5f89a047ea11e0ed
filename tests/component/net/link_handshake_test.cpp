// Who gets in and who does not, and what it costs: real TLS on loopback.
#include "link_station.hpp"
#include "raw_peer.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <map>
#include <set>
#include <thread>

namespace stationsync::host {
namespace {

class HandshakeTest : public ::testing::Test {
protected:
    bool until(const std::function<bool()>& done) { return run_until(context, done); }
    void start_listener() { ASSERT_TRUE(b.start().empty()); }
    // Runs `attack` against b and waits until it is over.
    void attack(const std::function<void(RawPeer&)>& work) {
        std::atomic<bool> done{false};
        const std::string address = b.address();
        Background thread([&] {
            RawPeer peer(address);
            work(peer);
            done = true;
        });
        ASSERT_TRUE(until([&] { return done.load(); }));
    }
    void expect_still_serving() {
        LinkStation friendly(context, "friend", key);
        ASSERT_TRUE(friendly.start().empty());
        const std::size_t before = b.up.size();
        friendly.dial(b.address());
        ASSERT_TRUE(until([&] { return friendly.up.size() == 1 && b.up.size() == before + 1; }));
    }

    boost::asio::io_context context{1};
    ProjectKey key = ProjectKey::generate();
    LinkStation b{context, "B", key};
};

TEST_F(HandshakeTest, WrongKeyIsNamedOnBothSides) {
    start_listener();
    LinkStation a(context, "A", ProjectKey::generate());
    ASSERT_TRUE(a.start().empty());
    a.dial(b.address());
    ASSERT_TRUE(until([&] { return a.failed.size() == 1 && b.refused.size() == 1; }));
    EXPECT_EQ(a.failed[0].failure, LinkFailure::wrong_key);
    EXPECT_EQ(b.refused[0].failure, LinkFailure::wrong_key);
    for (const std::string& text : {a.failed[0].text, b.refused[0].text}) {
        EXPECT_NE(text.find("does not hold the key of project Plant"), std::string::npos) << text;
    }
    EXPECT_TRUE(a.up.empty() && b.up.empty());
}

TEST_F(HandshakeTest, RefusalsOfOneCauseAreReportedOncePerMinute) {
    start_listener();
    LinkStation a(context, "A", ProjectKey::generate());
    ASSERT_TRUE(a.start().empty());
    for (std::size_t i = 1; i <= 5; ++i) {
        a.dial(b.address());
        ASSERT_TRUE(until([&] { return a.failed.size() == i; }));
    }
    ASSERT_TRUE(until([&] { return b.refused.size() == 1; }));
    a.dial(b.address());
    ASSERT_TRUE(until([&] { return a.failed.size() == 6; }));
    const auto later = std::chrono::steady_clock::now() + b.config.limits.doubt_timeout * 2;
    ASSERT_TRUE(until([&] { return std::chrono::steady_clock::now() > later; }));
    EXPECT_EQ(b.refused.size(), 1u);
}

TEST_F(HandshakeTest, ClientWithoutKeyGetsNoFurther) {
    start_listener();
    attack([](RawPeer& peer) { EXPECT_FALSE(peer.handshake_without_key(false)); });
    attack([](RawPeer& peer) { EXPECT_FALSE(peer.handshake_without_key(true)); });
    ASSERT_TRUE(until([&] { return b.refused.size() == 1; }));
    EXPECT_EQ(b.refused[0].failure, LinkFailure::not_station);
    EXPECT_TRUE(b.up.empty());
}

TEST_F(HandshakeTest, ServerWithACertificateInsteadOfTheKeyIsRefused) {
    start_listener();
    CertificateServer server;
    b.dial(server.address());
    ASSERT_TRUE(until([&] { return b.failed.size() == 1; }));
    EXPECT_EQ(b.failed[0].failure, LinkFailure::not_station) << b.failed[0].text;
    EXPECT_NE(b.failed[0].text.find("MQTT"), std::string::npos);
}

TEST_F(HandshakeTest, StationThatMissedARotationStillConnectsBothWays) {
    start_listener();
    LinkStation a(context, "A", key);
    ASSERT_TRUE(a.start().empty());
    a.ring->rotate({2000});
    a.config.wall_now = [] { return core::WallTime{3000}; };
    ASSERT_TRUE(a.start().empty());
    a.dial(b.address()); // the new key is unknown there: the old one is tried
    ASSERT_TRUE(until([&] { return a.up.size() == 1 && b.up.size() == 1; }));
    EXPECT_FALSE(a.up[0].current_key);
    EXPECT_TRUE(b.up[0].current_key);
    EXPECT_EQ(a.up[0].key_fingerprint, key.fingerprint());
    b.dial(a.address());
    ASSERT_TRUE(until([&] { return a.up.size() == 2 && b.up.size() == 2; }));
    const auto later = std::chrono::steady_clock::now() + b.config.limits.doubt_timeout * 2;
    ASSERT_TRUE(until([&] { return std::chrono::steady_clock::now() > later; }));
    EXPECT_TRUE(b.refused.empty()); // no false alarm about the first try
}

TEST_F(HandshakeTest, RetiredKeyEndsItsLinksAndIsRefused) {
    start_listener();
    LinkStation a(context, "A", key);
    ASSERT_TRUE(a.start().empty());
    b.dial(a.address());
    ASSERT_TRUE(until([&] { return a.up.size() == 1 && b.up.size() == 1; }));
    auto ring = std::make_shared<KeyRing>(*a.ring);
    ring->rotate({2000});
    a.links->set_keys(ring);
    b.dial(a.address());
    const auto now = core::WallTime{std::chrono::duration_cast<core::Duration>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count()};
    ASSERT_TRUE(until([&] { return b.up.size() == 2 || !b.failed.empty(); }));
    ring = std::make_shared<KeyRing>(*ring);
    ring->retire(now);
    a.links->set_keys(ring);
    ASSERT_TRUE(until([&] { return !b.down.empty(); }));
    EXPECT_EQ(a.down[0].failure, LinkFailure::key_retired);
    const std::size_t failures = b.failed.size();
    b.dial(a.address());
    ASSERT_TRUE(until([&] { return b.failed.size() == failures + 1; }));
    EXPECT_EQ(b.failed.back().failure, LinkFailure::wrong_key);
}

TEST_F(HandshakeTest, OwnAddressIsRecognised) {
    start_listener();
    b.dial(b.address());
    ASSERT_TRUE(until([&] { return b.failed.size() == 1; }));
    EXPECT_EQ(b.failed[0].failure, LinkFailure::is_self);
    EXPECT_TRUE(b.up.empty() && b.refused.empty());
}

TEST_F(HandshakeTest, CopyOfOurDiskIsRefusedWithARemedy) {
    start_listener();
    attack([&](RawPeer& peer) {
        ASSERT_TRUE(peer.handshake(key));
        peer.introduce(b.identity);
        peer.read_to_end();
    });
    ASSERT_TRUE(until([&] { return b.refused.size() == 1; }));
    EXPECT_EQ(b.refused[0].failure, LinkFailure::clone);
    EXPECT_NE(b.refused[0].text.find("new-identity"), std::string::npos);
    EXPECT_TRUE(b.up.empty());
}

TEST_F(HandshakeTest, ProperPeerOfTheTestGetsIn) { // else the attacks below would prove nothing
    start_listener();
    const StationIdentity identity = StationIdentity::generate();
    attack([&](RawPeer& peer) {
        ASSERT_TRUE(peer.handshake(key));
        peer.introduce(identity);
        peer.write_frame(FrameType::engine, bytes_of("hello"));
        peer.write_header(3, 200); // a type of a later version is skipped
        peer.write(bytes_of("abc"));
        peer.write_frame(FrameType::engine, bytes_of("there"));
        peer.read_to_end();
    });
    ASSERT_TRUE(until([&] { return b.received.size() == 2; }));
    EXPECT_EQ(b.up.at(0).station, identity.id());
    EXPECT_EQ(b.received[1].bytes, bytes_of("there"));
}

TEST_F(HandshakeTest, NobodySpeaksForAnotherStation) {
    start_listener();
    const StationIdentity victim = StationIdentity::generate();
    const StationIdentity attacker = StationIdentity::generate();
    Hello hello;
    hello.public_key = victim.public_key();
    hello.station = victim.id();
    hello.name = "victim";
    const Bytes payload = encode(hello);
    const auto with_proof = [&](const std::function<Signature(RawPeer&)>& make) {
        attack([&](RawPeer& peer) {
            ASSERT_TRUE(peer.handshake(key));
            peer.write_frame(FrameType::hello, payload);
            peer.write_frame(FrameType::proof, make(peer));
            peer.write_frame(FrameType::engine, bytes_of("evil"));
            peer.read_to_end();
        });
    };
    with_proof([&](RawPeer& peer) { // signed by somebody else
        return attacker.sign(proof_message(LinkRole::dialler, peer.exporter(), payload));
    });
    with_proof([&](RawPeer&) { // for another connection
        return victim.sign(proof_message(LinkRole::dialler, Exporter{}, payload));
    });
    with_proof([&](RawPeer& peer) { // in the other role: a reflected proof
        return victim.sign(proof_message(LinkRole::listener, peer.exporter(), payload));
    });
    with_proof([&](RawPeer& peer) { // for another hello
        Hello other = hello;
        other.name = "other";
        return victim.sign(proof_message(LinkRole::dialler, peer.exporter(), encode(other)));
    });
    EXPECT_TRUE(b.up.empty());
    EXPECT_TRUE(b.received.empty());
    EXPECT_EQ(b.refused.at(0).failure, LinkFailure::protocol);
}

TEST_F(HandshakeTest, NothingIsTakenBeforeTheProof) {
    start_listener();
    attack([&](RawPeer& peer) {
        ASSERT_TRUE(peer.handshake(key));
        peer.write_frame(FrameType::engine, bytes_of("early"));
        peer.read_to_end();
    });
    attack([&](RawPeer& peer) {
        ASSERT_TRUE(peer.handshake(key));
        peer.write_header(hello_bytes_max + 1, 1);
        peer.read_to_end();
    });
    EXPECT_TRUE(b.up.empty());
    EXPECT_TRUE(b.received.empty());
    expect_still_serving();
}

TEST_F(HandshakeTest, FourGibibyteLengthEndsTheLinkBeforeAnythingIsAllocated) {
    start_listener();
    const StationIdentity identity = StationIdentity::generate();
    for (const std::uint8_t type : std::initializer_list<std::uint8_t>{4, 5, 6, 7, 8, 9, 200}) {
        attack([&](RawPeer& peer) {
            ASSERT_TRUE(peer.handshake(key));
            peer.introduce(identity);
            peer.write_header(0xffffffff, type);
            peer.read_to_end();
        });
    }
    ASSERT_TRUE(until([&] { return b.down.size() == 7; }));
    for (const auto& down : b.down) {
        EXPECT_EQ(down.failure, LinkFailure::protocol);
        EXPECT_NE(down.text.find("4294967295"), std::string::npos) << down.text;
    }
}

TEST_F(HandshakeTest, GarbageAndHalvesEndTheirConnectionOnly) {
    b.config.limits.handshake_timeout = hasty_handshake;
    start_listener();
    attack([](RawPeer& peer) { // no TLS at all
        peer.write(bytes_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        peer.read_to_end();
    });
    attack([](RawPeer& peer) {
        Bytes garbage(100'000);
        fill_random(garbage);
        peer.write(garbage);
        peer.read_to_end();
    });
    attack([&](RawPeer& peer) { // garbage inside TLS
        ASSERT_TRUE(peer.handshake(key));
        Bytes garbage(100'000, std::byte{0xa5});
        peer.write(garbage);
        peer.read_to_end();
    });
    attack([&](RawPeer& peer) { // half a header, half a hello
        ASSERT_TRUE(peer.handshake(key));
        peer.write(bytes_of("\0\0"));
    });
    attack([&](RawPeer& peer) {
        ASSERT_TRUE(peer.handshake(key));
        peer.write_header(200, 1);
        peer.write(bytes_of("half"));
        peer.read_to_end(); // closed by the handshake timeout
    });
    attack([](RawPeer& peer) { peer.read_to_end(); }); // silence
    EXPECT_TRUE(b.up.empty());
    expect_still_serving();
}

TEST_F(HandshakeTest, HalfAFrameFollowedBySilenceEndsTheLinkAsIdle) {
    start_listener();
    const StationIdentity identity = StationIdentity::generate();
    attack([&](RawPeer& peer) {
        ASSERT_TRUE(peer.handshake(key));
        peer.introduce(identity);
        peer.write_header(engine_bytes_max, 5);
        peer.write(bytes_of("half"));
        peer.read_to_end();
    });
    ASSERT_TRUE(until([&] { return b.down.size() == 1; }));
    EXPECT_EQ(b.down[0].failure, LinkFailure::idle);
    EXPECT_TRUE(b.received.empty());
}

TEST_F(HandshakeTest, PeerThatStopsReadingEndsAsSlowAndQueuesStayBounded) {
    start_listener();
    const StationIdentity identity = StationIdentity::generate();
    std::atomic<bool> over{false};
    const std::string address = b.address();
    Background thread([&] {
        RawPeer peer(address);
        ASSERT_TRUE(peer.handshake(key));
        peer.introduce(identity);
        while (!over) { // alive, but it reads nothing
            peer.write_frame(FrameType::transfer, {});
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    ASSERT_TRUE(until([&] { return b.up.size() == 1; }));
    std::size_t taken = 0;
    const bool ended = until([&] {
        if (b.links->send_block(b.up[0].link, Bytes(std::size_t{256} * 1024)) !=
            LinkSend::refused) {
            taken += std::size_t{256} * 1024;
        }
        return b.down.size() == 1;
    });
    over = true;
    ASSERT_TRUE(ended);
    EXPECT_EQ(b.down[0].failure, LinkFailure::slow);
    EXPECT_LT(taken, std::size_t{40} << 20); // the kernel's buffers and ours
}

TEST_F(HandshakeTest, ControlThatIsNotTakenEndsTheLinkAsSlow) {
    b.config.limits.control_bytes_max = 1 << 20;
    b.config.limits.slow_timeout = std::chrono::seconds(60);
    b.config.limits.idle_timeout = std::chrono::seconds(60);
    start_listener();
    const StationIdentity identity = StationIdentity::generate();
    std::atomic<bool> over{false};
    const std::string address = b.address();
    Background thread([&] {
        RawPeer peer(address);
        ASSERT_TRUE(peer.handshake(key));
        peer.introduce(identity);
        while (!over) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    ASSERT_TRUE(until([&] { return b.up.size() == 1; }));
    LinkSend result = LinkSend::queued;
    for (int i = 0; i < 1000 && result == LinkSend::queued; ++i) {
        result = b.links->send_engine(b.up[0].link, Bytes(std::size_t{256} * 1024));
        context.poll();
    }
    over = true;
    EXPECT_EQ(result, LinkSend::no_link);
    ASSERT_TRUE(until([&] { return b.down.size() == 1; }));
    EXPECT_EQ(b.down[0].failure, LinkFailure::slow);
}

TEST_F(HandshakeTest, ReconnectingInALoopIsLimitedAndReportedOnce) {
    b.config.limits.connects_burst = 10;
    start_listener();
    std::atomic<bool> done{false};
    const std::string address = b.address();
    {
        Background thread([&] {
            for (int i = 0; i < 100; ++i) {
                RawPeer peer(address);
                peer.write(bytes_of("x"));
            }
            done = true;
        });
        ASSERT_TRUE(until([&] { return done.load(); }));
    }
    ASSERT_TRUE(until([&] { return !b.refused.empty(); }));
    EXPECT_LE(b.refused.size(), 3u); // one for each cause
    std::set<LinkFailure> causes;
    for (const auto& refused : b.refused) {
        EXPECT_TRUE(causes.insert(refused.failure).second);
    }
    EXPECT_TRUE(causes.contains(LinkFailure::busy));
}

TEST_F(HandshakeTest, HandshakesThatOnlyHoldAPlaceGiveWay) {
    b.config.limits.handshakes_per_address_max = 4;
    b.config.limits.handshake_timeout = std::chrono::seconds(60);
    start_listener();
    std::vector<std::unique_ptr<RawPeer>> silent;
    silent.reserve(12);
    for (int i = 0; i < 12; ++i) {
        silent.push_back(std::make_unique<RawPeer>(b.address()));
    }
    expect_still_serving();
    EXPECT_EQ(b.refused.at(0).failure, LinkFailure::busy);
}

TEST_F(HandshakeTest, DialTellsRefusedTimeoutAndBadNamesApart) {
    start_listener();
    LinkStation gone(context, "gone", key);
    ASSERT_TRUE(gone.start().empty());
    const std::string closed_port = gone.address();
    gone.links->stop();
    b.dial(closed_port);
    b.dial("no.such.host.invalid:8883");
    b.dial("not an address");
    b.dial("");
    ASSERT_TRUE(until([&] { return b.failed.size() == 4; }));
    std::map<DialId, LinkFailure> by_dial;
    for (const auto& failed : b.failed) {
        by_dial[failed.dial] = failed.failure;
        EXPECT_TRUE(failed.text.ends_with('.')) << failed.text;
    }
    EXPECT_EQ(by_dial[DialId{1}], LinkFailure::refused);
    EXPECT_EQ(by_dial[DialId{2}], LinkFailure::name);
    EXPECT_EQ(by_dial[DialId{3}], LinkFailure::name);
    EXPECT_EQ(by_dial[DialId{4}], LinkFailure::name);
}

TEST_F(HandshakeTest, HostNamesAreResolved) {
    start_listener();
    LinkStation a(context, "A", key);
    ASSERT_TRUE(a.start().empty());
    const std::string address = b.address();
    a.dial("localhost" + address.substr(address.rfind(':'))); // ::1 refuses, 127.0.0.1 answers
    ASSERT_TRUE(until([&] { return a.up.size() == 1; }));
}

TEST_F(HandshakeTest, ServerThatAcceptsAndSaysNothingIsATimeout) {
    b.config.limits.handshake_timeout = hasty_handshake;
    start_listener();
    using boost::asio::ip::tcp;
    tcp::acceptor silent(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    b.dial("127.0.0.1:" + std::to_string(silent.local_endpoint().port()));
    ASSERT_TRUE(until([&] { return b.failed.size() == 1; }));
    EXPECT_EQ(b.failed[0].failure, LinkFailure::timeout);
}

TEST_F(HandshakeTest, PortInUseIsSaidWithARemedy) {
    start_listener();
    LinkStation second(context, "second", key);
    second.config.listen = {{b.links->listening().at(0), false}};
    const auto failures = second.start();
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_NE(failures[0].find("MQTT"), std::string::npos) << failures[0];
    EXPECT_NE(failures[0].find("station.toml"), std::string::npos);
}

TEST_F(HandshakeTest, AddressThatThisComputerLacksIsSaidAndOptionalOnesAreNot) {
    b.config.listen = {{HostPort{"192.0.2.1", 8883}, false},
                       {HostPort{"2001:db8::1", 8883}, true},
                       {HostPort{"127.0.0.1", 0}, false}};
    const auto failures = b.start();
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_NE(failures[0].find("192.0.2.1:8883"), std::string::npos);
    EXPECT_EQ(b.links->listening().size(), 1u);
}

TEST_F(HandshakeTest, StationsOnOneComputerAreToldApartByTheirLoopbackAddresses) {
    start_listener();
    LinkStation a(context, "A", key, quick_limits(), "127.0.0.5");
    ASSERT_TRUE(a.start().empty());
    a.dial(b.address());
    ASSERT_TRUE(until([&] { return b.up.size() == 1; }));
    EXPECT_TRUE(b.up[0].address.starts_with("127.0.0.5:")) << b.up[0].address;
}

} // namespace
} // namespace stationsync::host
