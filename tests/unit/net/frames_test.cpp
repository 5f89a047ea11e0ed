#include "net/connect_limiter.hpp"
#include "net/frames.hpp"
#include "net/hello.hpp"
#include "net/link_text.hpp"
#include "net/out_queue.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

struct Collector : FrameReader::Sink {
    bool on_frame(FrameType type, Bytes payload) override {
        frames.emplace_back(type, std::move(payload));
        return frames.size() < stop_after;
    }
    std::vector<std::pair<FrameType, Bytes>> frames;
    std::size_t stop_after = SIZE_MAX;
};

Bytes frame(FrameType type, const Bytes& payload) {
    const auto header = frame_header(type, payload.size());
    Bytes bytes(header.begin(), header.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

TEST(FrameReader, CutsFramesWhateverThePiecesTheyComeIn) {
    Bytes stream;
    for (const std::size_t size : {0u, 1u, 5u, 1000u}) {
        const Bytes bytes = frame(FrameType::engine, Bytes(size, std::byte{7}));
        stream.insert(stream.end(), bytes.begin(), bytes.end());
    }
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        FrameReader reader;
        Collector sink;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            const auto part = std::span(stream).subspan(at, std::min(piece, stream.size() - at));
            ASSERT_FALSE(reader.feed(part, sink));
        }
        ASSERT_EQ(sink.frames.size(), 4u) << piece;
        EXPECT_EQ(sink.frames[3].second, Bytes(1000, std::byte{7}));
        EXPECT_FALSE(reader.is_mid_frame());
    }
}

TEST(FrameReader, LengthIsCheckedAgainstTheTypeBeforeAnythingElse) {
    for (int type = 0; type < 256; ++type) {
        const auto limit = frame_bytes_max(static_cast<std::uint8_t>(type));
        Collector sink;
        if (!limit) {
            FrameReader reader;
            EXPECT_TRUE(reader.feed(frame_header(static_cast<FrameType>(type), 0), sink));
            continue;
        }
        FrameReader good;
        EXPECT_FALSE(good.feed(frame_header(static_cast<FrameType>(type), *limit), sink));
        FrameReader bad;
        EXPECT_TRUE(bad.feed(frame_header(static_cast<FrameType>(type), *limit + 1), sink));
        FrameReader huge;
        EXPECT_TRUE(huge.feed(frame_header(static_cast<FrameType>(type), 0xffffffff), sink));
        EXPECT_TRUE(sink.frames.empty());
    }
}

TEST(FrameReader, StopsWhenTheSinkSaysSo) {
    Bytes stream = frame(FrameType::engine, Bytes(3));
    const Bytes second = stream;
    stream.insert(stream.end(), second.begin(), second.end());
    FrameReader reader;
    Collector sink;
    sink.stop_after = 1;
    EXPECT_FALSE(reader.feed(stream, sink));
    EXPECT_EQ(sink.frames.size(), 1u);
}

TEST(Hello, ReadsBackWhatWasWritten) {
    Hello hello;
    const StationIdentity identity = StationIdentity::generate();
    hello.protocol_major = 3;
    hello.protocol_minor = 4;
    hello.public_key = identity.public_key();
    hello.station = identity.id();
    hello.run_id = 0x0102030405060708;
    hello.name = "Station \xc3\x84";
    hello.addresses = {"a:1", "[::1]:2"};
    const auto read = decode_hello(encode(hello));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->protocol_major, 3);
    EXPECT_EQ(read->protocol_minor, 4);
    EXPECT_EQ(read->public_key, hello.public_key);
    EXPECT_EQ(read->station, hello.station);
    EXPECT_EQ(read->run_id, hello.run_id);
    EXPECT_EQ(read->name, hello.name);
    EXPECT_EQ(read->addresses, hello.addresses);
}

TEST(Hello, FormatNeverChanges) {
    Hello hello;
    hello.public_key.fill(std::byte{0});
    hello.station = station_id_of(hello.public_key);
    hello.run_id = 1;
    hello.name = "A";
    hello.addresses = {"h:1"};
    const Bytes bytes = encode(hello);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ASSERT_EQ(bytes.size(), 8 + 4 + 32 + 16 + 8 + 2 + 1 + 4 + 2u);
    EXPECT_EQ(text.substr(0, 12), std::string_view("STNSYNC1\0\1\0\0", 12));
    EXPECT_EQ(text.substr(44, 4), "\x66\x68\x7a\xad");
    EXPECT_EQ(text.substr(60), std::string_view("\0\0\0\0\0\0\0\1\1A\1\3h:1\0\0", 17));
}

TEST(Hello, ExtensionsOfLaterVersionsAreSteppedOver) {
    Hello hello;
    hello.station = station_id_of(hello.public_key);
    hello.name = "A";
    Bytes bytes = encode(hello);
    bytes.back() = std::byte{3};
    bytes.insert(bytes.end(), 3, std::byte{9});
    EXPECT_TRUE(decode_hello(bytes));
    bytes.pop_back();
    EXPECT_FALSE(decode_hello(bytes));
}

TEST(Hello, EveryCutAndForeignIdIsRefused) {
    Hello hello;
    hello.station = station_id_of(hello.public_key);
    hello.name = "A";
    hello.addresses = {"h:1"};
    const Bytes bytes = encode(hello);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_hello(std::span(bytes).first(size))) << size;
    }
    hello.station.bytes[0] ^= 1;
    EXPECT_FALSE(decode_hello(encode(hello)));
    hello.station.bytes[0] ^= 1;
    hello.name = "a\nb";
    EXPECT_FALSE(decode_hello(encode(hello)));
}

TEST(OutQueue, ControlOvertakesBlocksBetweenFramesOnly) {
    OutQueue queue;
    TimeFilter filter;
    queue.push_block(Bytes(100, std::byte{'b'}));
    queue.push_block(Bytes(100, std::byte{'b'}));
    Bytes out(50);
    ASSERT_EQ(queue.fill(out, {}, filter), 50u); // in the middle of the first block
    queue.push_control(FrameType::engine, Bytes(10, std::byte{'c'}));
    queue.request_ping();
    Bytes rest(1000);
    rest.resize(queue.fill(rest, {}, filter));
    out.insert(out.end(), rest.begin(), rest.end());
    FrameReader reader;
    Collector sink;
    ASSERT_FALSE(reader.feed(out, sink));
    std::vector<FrameType> order;
    for (const auto& [type, payload] : sink.frames) {
        order.push_back(type);
    }
    EXPECT_EQ(order, (std::vector{FrameType::block, FrameType::ping, FrameType::engine,
                                  FrameType::block}));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.block_bytes(), 0u);
    EXPECT_EQ(queue.control_bytes(), 0u);
}

TEST(OutQueue, PingsThatFloodAreNotAllAnswered) {
    OutQueue queue;
    TimeFilter filter;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        queue.answer({i, {}}, {});
    }
    Bytes out(100'000);
    EXPECT_LE(queue.fill(out, {}, filter), 4 * (frame_header_bytes + pong_bytes));
}

TEST(ConnectLimiter, BurstThenSteadyRateForEachHost) {
    ConnectLimiter limiter(1, 5);
    core::Instant now{0};
    int admitted = 0;
    for (int i = 0; i < 100; ++i) {
        admitted += limiter.admit("a", now) ? 1 : 0;
    }
    EXPECT_EQ(admitted, 5);
    EXPECT_TRUE(limiter.admit("b", now));
    EXPECT_FALSE(limiter.admit("a", now + std::chrono::milliseconds(900)));
    EXPECT_TRUE(limiter.admit("a", now + std::chrono::milliseconds(1100)));
}

TEST(ConnectLimiter, RemembersABoundedNumberOfHosts) {
    ConnectLimiter limiter(1, 2);
    int admitted = 0;
    for (int i = 0; i < 100'000; ++i) {
        admitted += limiter.admit(std::to_string(i), {0}) ? 1 : 0;
    }
    EXPECT_LE(admitted, static_cast<int>(ConnectLimiter::hosts_max) + 2);
    // Later, all those are forgotten.
    EXPECT_TRUE(limiter.admit("new", {10'000'000}));
}

TEST(PeerText, IsOneLineOfValidUtf8) {
    EXPECT_EQ(clean_peer_text("a\nb\x01"), "a b ");
    EXPECT_EQ(clean_peer_text("\xff").find('\xff'), std::string::npos);
}

} // namespace
} // namespace stationsync::host
