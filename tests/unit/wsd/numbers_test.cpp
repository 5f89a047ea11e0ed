// Numbers that grow, ids, budgets, and what was seen already.
#include "outbox.hpp"
#include "own_sequence.hpp"
#include "rates.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace stationsync::discovery_wsd {
namespace {

Random make_random(unsigned seed) {
    return [engine = std::make_shared<std::mt19937>(seed)] {
        return static_cast<std::uint32_t>((*engine)());
    };
}

TEST(OwnInstance, GrowsWithEveryStartWhateverTheClockSays) {
    EXPECT_EQ(next_instance_id(std::nullopt, 1'700'000'000), 1'700'000'000U);
    EXPECT_EQ(next_instance_id("1700000000", 1'700'000'000), 1'700'000'001U);
    EXPECT_EQ(next_instance_id("1700000000", 1'600'000'000), 1'700'000'001U);
    EXPECT_EQ(next_instance_id("1700000000", 1'800'000'000), 1'800'000'000U);
    EXPECT_EQ(next_instance_id("4294967295", 1'800'000'000), 4'294'967'295U);
    EXPECT_EQ(next_instance_id("damaged", 5), 5U);
    EXPECT_EQ(next_instance_id(std::nullopt, 0), 1U);
}

TEST(OwnMetadata, GrowsWithEveryChangeAndOnlyThen) {
    const Metadata first = next_metadata(std::nullopt, "a", 100);
    EXPECT_EQ(first.version, 100U);
    const Metadata same = next_metadata(first, "a", 200);
    EXPECT_EQ(same.version, 100U);
    const Metadata other = next_metadata(same, "b", 100);
    EXPECT_EQ(other.version, 101U);
    const auto kept = decode_metadata(encode(other));
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->version, 101U);
    EXPECT_EQ(next_metadata(kept, "b", 50).version, 101U);
    EXPECT_EQ(next_metadata(kept, "a\nb", 50).version, 102U);
    EXPECT_FALSE(decode_metadata("nothing"));
    EXPECT_FALSE(decode_metadata("x\na"));
}

TEST(MessageId, IsARandomUuid) {
    std::set<std::string> ids;
    const Random random = make_random(1);
    for (int i = 0; i < 1000; ++i) {
        const std::string id = new_message_id(random);
        ASSERT_EQ(id.size(), 45U);
        ASSERT_EQ(id.substr(0, 9), "urn:uuid:");
        ASSERT_EQ(id[9 + 14], '4');
        ASSERT_NE(std::string("89ab").find(id[9 + 19]), std::string::npos);
        ids.insert(id);
    }
    EXPECT_EQ(ids.size(), 1000U);
}

TEST(Repeats, AreThreeWithGapsThatDoubleUpToHalfASecond) {
    const Random random = make_random(2);
    for (int i = 0; i < 1000; ++i) {
        const auto times = multicast_times(Time(7), random);
        ASSERT_EQ(times.size(), 3U);
        const Time first = times[1] - times[0];
        EXPECT_EQ(times[0], Time(7));
        EXPECT_GE(first, Time(50));
        EXPECT_LE(first, Time(250));
        EXPECT_EQ(times[2] - times[1], std::min(2 * first, Time(500)));
        EXPECT_LE(bye_times(Time(0), random).back(), Time(300));
    }
}

TEST(Budget, GivesItsRateAndItsBurst) {
    Bucket bucket(5, 10);
    int taken = 0;
    for (int i = 0; i < 100; ++i)
        taken += bucket.take(Time(1000)) ? 1 : 0;
    EXPECT_EQ(taken, 10);
    for (int ms = 1000; ms < 11'000; ++ms)
        taken += bucket.take(Time(ms)) ? 1 : 0;
    EXPECT_GE(taken, 10 + 49);
    EXPECT_LE(taken, 10 + 50);
    EXPECT_TRUE(bucket.take(Time(1'000'000'000)));
}

TEST(SourceBudget, IsEachSourcesOwnAndItsTableBounded) {
    Limits limits;
    limits.sources = 8;
    SourceRates rates(limits);
    const auto first = *parse_ip("10.0.0.1");
    for (int i = 0; i < 40; ++i)
        EXPECT_TRUE(rates.take_datagram(first, 2, Time(0)));
    EXPECT_FALSE(rates.take_datagram(first, 2, Time(0)));
    EXPECT_TRUE(rates.take_datagram(first, 3, Time(0))); // another link
    EXPECT_TRUE(rates.take_datagram(*parse_ip("10.0.0.2"), 2, Time(0)));
    for (int i = 0; i < 200; ++i) {
        IpAddress address = first;
        address.bytes[2] = static_cast<std::uint8_t>(i);
        rates.take_datagram(address, 2, Time(0));
        EXPECT_FALSE(rates.take_datagram(first, 2, Time(0)))
            << "who keeps sending is not forgotten";
    }
    EXPECT_EQ(rates.size(), 8U);
}

TEST(SeenMessage, IsKnownForAMinuteAndByItsSource) {
    SeenMessages seen;
    const auto source = *parse_ip("10.0.0.1");
    EXPECT_TRUE(seen.add("urn:uuid:1", source, Time(0)));
    EXPECT_FALSE(seen.add("urn:uuid:1", source, Time(59'999)));
    EXPECT_TRUE(seen.add("urn:uuid:1", *parse_ip("10.0.0.2"), Time(59'999)));
    EXPECT_TRUE(seen.add("urn:uuid:1", source, Time(60'000)));
    for (int i = 0; i < 5000; ++i)
        seen.add("x" + std::to_string(i), source, Time(60'001));
    EXPECT_EQ(seen.size(), 1024U);
}

TEST(OutboxLimit, KeepsWhatFits) {
    Outbox outbox;
    for (int i = 0; i < 5000; ++i)
        outbox.add({1, Kind::hello, {}, nullptr}, {Time(i)});
    EXPECT_EQ(outbox.take_due(Time(1'000'000)).size(), 2048U);
    EXPECT_FALSE(outbox.next_due());
}

} // namespace
} // namespace stationsync::discovery_wsd
