#include "channel.hpp"

#include <gtest/gtest.h>

namespace stationsync::discovery_wsd {
namespace {

Interface make(std::uint32_t index, const char* name, const std::vector<const char*>& networks) {
    Interface interface {
        index, name, true, false, false, true, {}
    };
    for (const char* network : networks)
        interface.addresses.push_back({*parse_prefix(network), true, true});
    return interface;
}

std::string text_of(const std::vector<Channel>& channels) {
    std::string text;
    for (const Channel& channel : channels)
        text += (text.empty() ? "" : " ") + channel.interface_name +
                (channel.family == Family::v4 ? "/4=" : "/6=") +
                to_text(channel.networks.front().address);
    return text;
}

TEST(ChannelChoice, TakesEachFamilyOfEachInterface) {
    const std::vector<Interface> interfaces{make(2, "eth0", {"10.0.0.1/24", "fe80::1/64"}),
                                            make(3, "eth1", {"10.0.1.1/24"})};
    EXPECT_EQ(text_of(channels_of(interfaces, {})),
              "eth0/4=10.0.0.1 eth0/6=fe80::1 eth1/4=10.0.1.1");
    EXPECT_EQ(text_of(channels_of(interfaces, {{}, {}, true, false})),
              "eth0/4=10.0.0.1 eth1/4=10.0.1.1");
    EXPECT_EQ(text_of(channels_of(interfaces, {{}, {}, false, true})), "eth0/6=fe80::1");
}

TEST(ChannelChoice, LeavesOutWhatCannotOrShouldNotBeUsed) {
    auto down = make(2, "eth0", {"10.0.0.1/24"});
    down.is_up = false;
    auto tunnel = make(3, "wg0", {"10.0.1.1/24"});
    tunnel.is_point_to_point = true;
    auto deaf = make(4, "tun0", {"10.0.2.1/24"});
    deaf.has_multicast = false;
    auto loop = make(1, "lo", {"127.0.0.1/8"});
    loop.is_loopback = true;
    const std::vector<Interface> interfaces{loop,
                                            down,
                                            tunnel,
                                            deaf,
                                            make(5, "docker0", {"172.17.0.1/16"}),
                                            make(6, "veth12", {"10.0.4.1/24"}),
                                            make(7, "br-ab", {"10.0.5.1/24"}),
                                            make(8, "eth1", {})};
    EXPECT_EQ(text_of(channels_of(interfaces, {})), "");
}

TEST(ChannelChoice, IsRuledByNamesAndNetworks) {
    auto loop = make(1, "lo", {"127.0.0.1/8"});
    loop.is_loopback = true;
    loop.has_multicast = false;
    const std::vector<Interface> interfaces{loop, make(2, "eth0", {"10.0.0.1/24"}),
                                            make(3, "eth1", {"10.1.0.1/24"}),
                                            make(4, "docker0", {"172.17.0.1/16"})};
    EXPECT_EQ(text_of(channels_of(interfaces, {{"eth1"}, {}})), "eth1/4=10.1.0.1");
    EXPECT_EQ(text_of(channels_of(interfaces, {{"10.0.0.0/16"}, {}})), "eth0/4=10.0.0.1");
    EXPECT_EQ(text_of(channels_of(interfaces, {{"docker*"}, {}})), "docker0/4=172.17.0.1");
    EXPECT_EQ(text_of(channels_of(interfaces, {{}, {"eth*"}})), "");
    EXPECT_EQ(text_of(channels_of(interfaces, {{"lo"}, {}})), "lo/4=127.0.0.1");
    // Only by its very name.
    EXPECT_EQ(text_of(channels_of(interfaces, {{"l*", "127.0.0.0/8"}, {}})), "");
}

TEST(ChannelChoice, AnnouncesTheAddressThatStays) {
    auto interface = make(
        2, "eth0", {"10.0.0.9/24", "10.0.0.1/24", "2001:db8::1/64", "fe80::7/64", "fe80::1/64"});
    interface.addresses[0].is_preferred = false;
    interface.addresses[3].is_ready = false;
    EXPECT_EQ(text_of(channels_of({interface}, {})), "eth0/4=10.0.0.1 eth0/6=fe80::1");
}

TEST(ChannelLink, KnowsWhoCanBeOnIt) {
    const auto channels =
        channels_of({make(2, "eth0", {"10.0.0.1/24", "fe80::1/64", "2001:db8::1/64"})}, {});
    EXPECT_TRUE(channels[0].is_on_link(*parse_ip("10.0.0.77")));
    EXPECT_FALSE(channels[0].is_on_link(*parse_ip("10.0.1.77")));
    EXPECT_FALSE(channels[0].is_on_link(*parse_ip("10.0.0.255")));
    EXPECT_FALSE(channels[0].is_on_link(*parse_ip("fe80::2")));
    EXPECT_TRUE(channels[1].is_on_link(*parse_ip("fe80:1:2:3::2")));
    EXPECT_TRUE(channels[1].is_on_link(*parse_ip("2001:db8::2")));
    EXPECT_FALSE(channels[1].is_on_link(*parse_ip("2001:db9::2")));
    EXPECT_TRUE(channels[0].is_own(*parse_ip("10.0.0.1")));
}

TEST(ChannelChoice, IsBounded) {
    std::vector<Interface> many;
    for (std::uint32_t i = 1; i <= 200; ++i)
        many.push_back(make(i, "vlan", {"10.0.0.1/24"}));
    EXPECT_EQ(channels_of(many, {}).size(), channels_max);
}

} // namespace
} // namespace stationsync::discovery_wsd
