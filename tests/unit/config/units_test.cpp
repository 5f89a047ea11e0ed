#include "config/units.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using std::chrono::milliseconds;

TEST(Durations, UnitsStandBehindWholeNumbersFromLargeToSmall) {
    EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(parse_duration("90s"), milliseconds(90'000));
    EXPECT_EQ(parse_duration("3m"), milliseconds(180'000));
    EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
    EXPECT_EQ(parse_duration("30d"), milliseconds(30LL * 86'400'000));
    EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Durations, WhatIsAmbiguousOrTooLargeIsRefused) {
    for (const auto* text : {"", "3", "m", "-3m", "3 m", "1.5h", "3min", "30m1h", "1h1h", "3M",
                             "11000d", "99999999999999999999s", "9223372036854775807d"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Durations, TextReadsBackAsTheSameDuration) {
    for (const auto value : {0, 1, 999, 1000, 61'000, 5'400'000, 90'061'001}) {
        EXPECT_EQ(parse_duration(duration_text(milliseconds(value))), milliseconds(value));
    }
}

TEST(Sizes, PowersOf1000And1024HaveDifferentNames) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("1500"), 1500U);
    EXPECT_EQ(parse_size("64MB"), 64'000'000U);
    EXPECT_EQ(parse_size("20 GB"), 20'000'000'000U);
    EXPECT_EQ(parse_size("1.5TB"), 1'500'000'000'000U);
    EXPECT_EQ(parse_size("4KiB"), 4096U);
    EXPECT_EQ(parse_size("1GiB"), 1'073'741'824U);
}

TEST(Sizes, WhatIsNoSizeIsRefused) {
    for (const auto* text :
         {"", "GB", "-1GB", "20gb", "20 GiGa", "1e9", "20  GB", "9999999999GB"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Sizes, ShownWithAtMostThreeDigits) {
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(999), "999 B");
    EXPECT_EQ(size_text(1500), "1.5 kB");
    EXPECT_EQ(size_text(999'499), "999 kB");
    EXPECT_EQ(size_text(999'999), "1.0 MB");
    EXPECT_EQ(size_text(64'000'000), "64 MB");
}

TEST(Endpoints, NumericAddressesWithAndWithoutPort) {
    EXPECT_EQ(parse_endpoint("127.0.0.1", 8883), (Endpoint{"127.0.0.1", 8883}));
    EXPECT_EQ(parse_endpoint("127.0.0.1:9", 8883), (Endpoint{"127.0.0.1", 9}));
    EXPECT_EQ(parse_endpoint("::1", 8883), (Endpoint{"::1", 8883}));
    EXPECT_EQ(parse_endpoint("[::1]:9", 8883), (Endpoint{"::1", 9}));
    EXPECT_EQ(parse_endpoint("[fe80::1%eth0]:9", 8883), (Endpoint{"fe80::1%eth0", 9}));
    EXPECT_EQ(parse_endpoint("::ffff:1.2.3.4", 1), (Endpoint{"::ffff:1.2.3.4", 1}));
    EXPECT_EQ(parse_endpoint("*:9", 8883), (Endpoint{"0.0.0.0", 9}));
}

TEST(Endpoints, NamesAndMalformedAddressesAreRefused) {
    for (const auto* text :
         {"", "localhost", "1.2.3", "1.2.3.256", "1.2.3.4:", "1.2.3.4:65536", "[::1", "[::1]9",
          "1:2:3", ":::", "1.2.3.4:-1", "[1.2.3.4]:1", "g::1", "1::2::3"}) {
        EXPECT_FALSE(parse_endpoint(text, 8883)) << text;
    }
}

TEST(Endpoints, TextReadsBackAsTheSameEndpoint) {
    for (const auto& endpoint : {Endpoint{"127.0.0.1", 8883}, Endpoint{"::1", 1}}) {
        EXPECT_EQ(parse_endpoint(to_text(endpoint), 0), endpoint);
    }
    EXPECT_TRUE(is_loopback({"127.8.9.1", 1}));
    EXPECT_TRUE(is_loopback({"::1", 1}));
    EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
    EXPECT_FALSE(is_loopback({"10.0.0.1", 1}));
}

TEST(Suggestions, ASlipFindsItsWordAndAnotherWordDoesNot) {
    EXPECT_EQ(nearest("lisen", {"listen", "api"}), "listen");
    EXPECT_EQ(nearest("enabeld", {"enabled", "plugin"}), "enabled");
    EXPECT_FALSE(nearest("password", {"listen", "api"}));
}

TEST(Names, ProviderNamesAreLowerCaseAndShort) {
    EXPECT_TRUE(is_provider_name("batch-db2"));
    EXPECT_FALSE(is_provider_name(""));
    EXPECT_FALSE(is_provider_name("Recipes"));
    EXPECT_FALSE(is_provider_name("a_b"));
    EXPECT_FALSE(is_provider_name(std::string(33, 'a')));
}

} // namespace
} // namespace stationsync::host
