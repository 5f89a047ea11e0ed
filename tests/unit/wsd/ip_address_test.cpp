#include "ip_address.hpp"

#include <gtest/gtest.h>

namespace stationsync::discovery_wsd {
namespace {

TEST(IpAddressText, IsReadAndWrittenInOneForm) {
    const std::pair<const char*, const char*> samples[] = {
        {"10.77.0.1", "10.77.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"fe80::1", "fe80::1"},
        {"FE80:0:0:0:0:0:0:1", "fe80::1"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
        {"1::", "1::"},
    };
    for (const auto& [text, written] : samples) {
        const auto address = parse_ip(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_text(*address), written);
    }
}

TEST(IpAddressText, RefusesWhatIsNone) {
    for (const char* text :
         {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.a", "1.2.3.4 ", ":",
          ":::", "1:2", "1::2::3", "12345::", "fe80::1%2", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8:9",
          "1:2:3:4:5:6:7:8::", "g::", "1:", "host"})
        EXPECT_FALSE(parse_ip(text)) << text;
}

TEST(IpAddressText, EndpointHasBracketsForIpv6Only) {
    EXPECT_EQ(to_text(*parse_endpoint("10.0.0.1:8883")), "10.0.0.1:8883");
    EXPECT_EQ(to_text(*parse_endpoint("[fe80::1]:8883"), 2), "[fe80::1%2]:8883");
    for (const char* text :
         {"10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "fe80::1:8883", "[10.0.0.1]:1",
          "[fe80::1]", "[fe80::1:1", "host:1", ":1", "[]:1"})
        EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(IpAddressKind, KnowsAddressesThatAreNoHost) {
    const auto is = [](const char* text) { return *parse_ip(text); };
    EXPECT_TRUE(is("0.0.0.0").is_unspecified());
    EXPECT_TRUE(is("0.1.2.3").is_unspecified());
    EXPECT_TRUE(is("::").is_unspecified());
    EXPECT_TRUE(is("127.8.9.1").is_loopback());
    EXPECT_TRUE(is("::1").is_loopback());
    EXPECT_TRUE(is("239.255.255.250").is_multicast());
    EXPECT_TRUE(is("255.255.255.255").is_multicast());
    EXPECT_TRUE(is("ff02::c").is_multicast());
    EXPECT_TRUE(is("fe80::1").is_link_local());
    EXPECT_TRUE(is("febf::1").is_link_local());
    EXPECT_FALSE(is("fec0::1").is_link_local());
    EXPECT_FALSE(is("10.0.0.1").is_multicast());
}

TEST(IpPrefix, ComparesItsBitsOnly) {
    const auto net = *parse_prefix("10.77.3.1/22");
    EXPECT_TRUE(net.contains(*parse_ip("10.77.0.1")));
    EXPECT_TRUE(net.contains(*parse_ip("10.77.3.254")));
    EXPECT_FALSE(net.contains(*parse_ip("10.77.4.1")));
    EXPECT_FALSE(net.contains(*parse_ip("fe80::1")));
    EXPECT_TRUE(net.is_broadcast(*parse_ip("10.77.3.255")));
    EXPECT_FALSE(net.is_broadcast(*parse_ip("10.77.2.255")));
    EXPECT_TRUE(parse_prefix("0.0.0.0/0")->contains(*parse_ip("1.2.3.4")));
    EXPECT_FALSE(parse_prefix("1.2.3.4/32")->contains(*parse_ip("1.2.3.5")));
    EXPECT_FALSE(parse_prefix("1.2.3.4/31")->is_broadcast(*parse_ip("1.2.3.5")));
    EXPECT_TRUE(parse_prefix("2001:db8::/33")->contains(*parse_ip("2001:db8:7fff::1")));
    EXPECT_FALSE(parse_prefix("2001:db8::/33")->contains(*parse_ip("2001:db8:8000::1")));
    for (const char* text : {"10.0.0.0", "10.0.0.0/33", "fe80::/129", "10.0.0.0/", "x/8", "eth0"})
        EXPECT_FALSE(parse_prefix(text)) << text;
}

} // namespace
} // namespace stationsync::discovery_wsd
