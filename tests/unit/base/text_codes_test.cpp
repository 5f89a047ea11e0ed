#include "base/byte_stream.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/text_codes.hpp"

#include <gtest/gtest.h>

#include <set>

namespace stationsync::host {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

TEST(Hex, RoundTripsAndRefusesOtherCharacters) {
    EXPECT_EQ(to_hex(bytes_of("\x01\xAB")), "01ab");
    EXPECT_EQ(from_hex("01aB"), bytes_of("\x01\xAB"));
    EXPECT_FALSE(from_hex("0"));
    EXPECT_FALSE(from_hex("0g"));
}

TEST(Base32, RoundTripsEveryLength) {
    for (std::size_t length = 0; length < 40; ++length) {
        std::vector<std::byte> bytes(length);
        fill_random(bytes);
        EXPECT_EQ(from_base32(to_base32(bytes)), bytes);
    }
}

TEST(Base32, ForgivesWhatPeopleConfuse) {
    const std::vector<std::byte> bytes = bytes_of("hello");
    EXPECT_EQ(to_base32(bytes), "D1JPRV3F");
    EXPECT_EQ(from_base32("d1jp-rv3f"), bytes);
    EXPECT_EQ(from_base32("DIJP RV3F"), bytes);
    EXPECT_FALSE(from_base32("D1JPRV3U"));
    EXPECT_FALSE(from_base32("D1JPRV3F1")); // bits that belong to no byte
}

TEST(Sha256Digest, MatchesTheStandardsVectorHoweverItIsFed) {
    const std::string expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    EXPECT_EQ(to_hex(sha256("abc")), expected);
    Sha256 hash;
    hash.update(bytes_of("a"));
    EXPECT_EQ(to_hex(hash.peek()), to_hex(sha256("a")));
    hash.update(bytes_of("bc"));
    EXPECT_EQ(to_hex(hash.finish()), expected);
    hash.update(bytes_of("abc"));
    EXPECT_EQ(to_hex(hash.finish()), expected);
}

TEST(Random, DoesNotRepeat) {
    std::set<std::uint64_t> seen;
    for (int count = 0; count < 64; ++count) {
        EXPECT_TRUE(seen.insert(random_u64()).second);
    }
}

TEST(ByteReader, ReadingPastTheEndGivesNothingAndIsNoticed) {
    ByteWriter writer;
    writer.u32(7);
    writer.long_text("abc");
    const auto bytes = writer.take();
    ByteReader whole(bytes);
    EXPECT_EQ(whole.u32(), 7U);
    EXPECT_EQ(whole.long_text(3), "abc");
    EXPECT_TRUE(whole.at_end());
    ByteReader limited(bytes);
    limited.skip(4);
    EXPECT_EQ(limited.long_text(2), "");
    EXPECT_FALSE(limited.ok());
    ByteReader cut(std::span<const std::byte>(bytes).first(bytes.size() - 1));
    cut.skip(4);
    EXPECT_EQ(cut.long_text(100), "");
    EXPECT_FALSE(cut.ok());
}

} // namespace
} // namespace stationsync::host
