// Outputs of real tools: nft 1.0.6, iptables 1.8.9 (nf_tables), ufw 0.36, firewalld 1.3.
#include "doctor/packet_filter.hpp"

#include <gtest/gtest.h>

namespace stationsync::host::doctor {
namespace {

constexpr FilteredPacket tcp(std::uint16_t port, bool v6 = false) {
    return {true, port, v6};
}
constexpr FilteredPacket udp(std::uint16_t port) {
    return {false, port, false};
}

constexpr const char* nft_ruleset = R"(table inet filter {
	set admin {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 192.168.1.5 }
	}

	set plant_ports {
		type inet_service
		flags interval
		elements = { 22, 8000-8100,
			     8883 }
	}

	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
		iif "lo" accept
		meta l4proto { icmp, ipv6-icmp } accept
		tcp flags fin,syn / fin,syn drop
		tcp dport { 22, 80, 443 } ct state new accept
		ip saddr @admin tcp dport 9000 accept
		udp dport 3702 counter packets 0 bytes 0 accept comment "WS-Discovery; stations"
		tcp dport @plant_ports limit rate 10/second accept
		jump rest
	}

	chain rest {
		tcp dport 7000-7010 accept
		log prefix "gone: " level info
		reject
	}

	chain output {
		type filter hook output priority filter; policy drop;
	}
}
)";

Opening nft(const FilteredPacket& packet, std::string_view ruleset = nft_ruleset) {
    return judge_filter(parse_nft(ruleset, packet)).opening;
}

TEST(NftRules, APortOfASetOrARangeIsOpen) {
    EXPECT_EQ(nft(tcp(8883)), Opening::open); // element on a further line of a named set
    EXPECT_EQ(nft(tcp(8050)), Opening::open);
    EXPECT_EQ(nft(tcp(443)), Opening::open);
    EXPECT_EQ(nft(tcp(7005)), Opening::open); // in a chain that is jumped to
    EXPECT_EQ(nft(udp(3702)), Opening::open);
}

TEST(NftRules, WhatNoRuleAcceptsIsClosed) {
    EXPECT_EQ(nft(tcp(8101)), Opening::closed);
    EXPECT_EQ(nft(tcp(3702)), Opening::closed); // the rule is of UDP
    EXPECT_EQ(nft(udp(8883)), Opening::closed);
}

TEST(NftRules, WhatOnlySomeSendersReachIsPartlyOpen) {
    EXPECT_EQ(nft(tcp(9000)), Opening::partly);
    EXPECT_EQ(nft(tcp(9000, true)), Opening::closed); // the senders are of IPv4
}

TEST(NftRules, TheClosingChainIsNamed) {
    const auto chains = parse_nft(nft_ruleset, tcp(1));
    const auto verdict = judge_filter(chains);
    ASSERT_NE(verdict.closed_by, nullptr);
    EXPECT_EQ(verdict.closed_by->family, "inet");
    EXPECT_EQ(verdict.closed_by->table, "filter");
    EXPECT_EQ(verdict.closed_by->name, "input");
}

TEST(NftRules, ADropRuleClosesDespiteAnAcceptingPolicy) {
    constexpr const char* ruleset = R"(table ip stsync {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 8883 tcp flags syn / syn,ack drop
	}
}
)";
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(8884), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(8883, true), ruleset), Opening::open); // a table of IPv4
    EXPECT_EQ(nft(udp(8883), ruleset), Opening::open);
}

TEST(NftRules, EveryInputChainMustAccept) {
    constexpr const char* ruleset = R"(table inet first {
	chain input {
		type filter hook input priority filter; policy accept;
	}
}
table inet second {
	chain in {
		type filter hook input priority filter + 10; policy drop;
		ct state { established, related } accept
	}
}
)";
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(8883), ""), Opening::open);
}

TEST(NftRules, ChainsOfIptablesAreRead) {
    constexpr const char* ruleset =
        R"(# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		iifname "lo" counter packets 0 bytes 0 accept
		ct state related,established counter packets 0 bytes 0 accept
		meta l4proto tcp tcp dport { 22, 8000-8100 } counter packets 0 bytes 0 accept
		counter packets 0 bytes 0 jump PLANT
		iifname != "eth9" tcp dport 7000 limit rate 10/second counter packets 0 bytes 0 accept
		counter packets 0 bytes 0 log prefix "no: "
	}

	chain PLANT {
		ip saddr 10.0.0.0/8 tcp dport 9000 counter packets 0 bytes 0 accept
		udp dport 3702  counter packets 0 bytes 0 accept
	}
}
)";
    EXPECT_EQ(nft(tcp(8050), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::closed);
    EXPECT_EQ(nft(udp(3702), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(9000), ruleset), Opening::partly);
    EXPECT_EQ(nft(tcp(7000), ruleset), Opening::partly); // by its interface
}

TEST(NftRules, VerdictMapsAndJumpsInACircleEnd) {
    constexpr const char* ruleset = R"(table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport vmap { 22 : accept, 8883 : jump closed, 9000-9100 : drop }
	}

	chain closed {
		jump closed
		drop
	}
}
)";
    EXPECT_EQ(nft(tcp(22), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(9050), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(23), ruleset), Opening::open);
}

TEST(NftRules, AVerdictMapOfInterfacesIsUndecided) {
    constexpr const char* ruleset = R"(table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
		iifname vmap { "lo" : accept, "eth0" : jump wan, "eth1" : drop }
	}

	chain wan {
		tcp dport { 22, 8883 } accept
	}
}
)";
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::partly);
    EXPECT_EQ(nft(tcp(8884), ruleset), Opening::closed); // on every interface
    EXPECT_EQ(nft(udp(8883), ruleset), Opening::closed);
}

TEST(NftRules, ANamedVerdictMapDecides) {
    constexpr const char* ruleset = R"(table inet filter {
	map ports {
		type inet_service : verdict
		flags interval
		elements = { 22 : jump admin,
			     8883 counter packets 3 bytes 180 : accept,
			     9000-9100 : drop }
	}

	map elsewhere {
		type ipv4_addr : verdict
		elements = { 10.0.0.1 : jump admin }
	}

	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport vmap @ports
		udp dport vmap @not_listed
		ip saddr vmap @elsewhere
	}

	chain admin {
		tcp dport 7000 accept
	}
}
)";
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(22), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(9050), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(8884), ruleset), Opening::closed);
    EXPECT_EQ(nft(udp(3702), ruleset), Opening::partly); // by a map that is not known
    EXPECT_EQ(nft(tcp(7000), ruleset), Opening::partly); // from a sender
}

TEST(NftRules, TheRestOfAVerdictMapDecidesLast) {
    constexpr const char* ruleset = R"(table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport vmap { * : accept, 8883 : drop }
	}
}
)";
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::closed);
    EXPECT_EQ(nft(tcp(8884), ruleset), Opening::open);
}

TEST(NftRules, FieldsThatAreComparedTogetherAreToldApart) {
    constexpr const char* ruleset = R"(table inet filter {
	set pairs {
		type inet_proto . inet_service
		elements = { tcp . 9000, udp . 9001 }
	}

	chain input {
		type filter hook input priority filter; policy drop;
		meta l4proto . th dport { tcp . 22, tcp . 8883, udp . 3702 } accept
		meta l4proto . th dport @pairs accept
		ip saddr . tcp dport { 10.0.0.1 . 7000, 10.0.0.2 . 7001-7010 } accept
		iifname . tcp dport vmap { "lo" . 7100 : accept, "eth0" . 7101 : accept }
		ip saddr . tcp dport 10.0.0.3 . 7200 accept
		fib saddr . iif oif missing drop
	}
}
)";
    // What one of the rules cannot tell opens every port a little: that of a single value.
    constexpr auto least = Opening::partly;
    EXPECT_EQ(nft(tcp(8883), ruleset), Opening::open);
    EXPECT_EQ(nft(udp(3702), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(9000), ruleset), Opening::open);
    EXPECT_EQ(nft(tcp(7005), ruleset), Opening::partly);
    EXPECT_EQ(nft(tcp(7101), ruleset), Opening::partly);
    EXPECT_EQ(nft(tcp(8884), ruleset), least);
    std::string without(ruleset);
    without.erase(without.find("\t\tip saddr . tcp dport 10.0.0.3"),
                  std::string_view("\t\tip saddr . tcp dport 10.0.0.3 . 7200 accept\n").size());
    EXPECT_EQ(nft(tcp(8884), without), Opening::closed);
    EXPECT_EQ(nft(udp(8883), without), Opening::closed);
    EXPECT_EQ(nft(tcp(9001), without), Opening::closed);
    EXPECT_EQ(nft(tcp(7100), without), Opening::closed); // of this computer itself
    EXPECT_EQ(nft(tcp(7000, true), without), Opening::partly);
}

TEST(NftRules, BrokenTextIsNoRule) {
    constexpr const char* half_a_rule = "table inet f {\nchain input {\ntype filter hook input "
                                        "priority 0; policy drop;\ntcp dport\n";
    for (const auto* const text : {"table", "table inet x {", "chain x {\n", "}}}}", half_a_rule}) {
        EXPECT_NO_FATAL_FAILURE(static_cast<void>(nft(tcp(1), text)));
    }
}

constexpr const char* iptables_rules = R"(-P INPUT DROP
-P FORWARD ACCEPT
-P OUTPUT ACCEPT
-N PLANT
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,8000:8100 -j ACCEPT
-A INPUT -j PLANT
-A INPUT ! -i eth9 -p tcp -m tcp --dport 7000 -m limit --limit 10/sec -j ACCEPT
-A INPUT -j LOG --log-prefix "no: "
-A PLANT -s 10.0.0.0/8 -p tcp -m tcp --dport 9000 -j ACCEPT
-A PLANT -p udp -m udp --dport 3702 -m comment --comment "WS discovery" -j ACCEPT
)";

Opening iptables(const FilteredPacket& packet) {
    return judge_filter(parse_iptables(iptables_rules, packet)).opening;
}

TEST(IptablesRules, PortsAreJudgedThroughChains) {
    EXPECT_EQ(iptables(tcp(8050)), Opening::open);
    EXPECT_EQ(iptables(tcp(8883)), Opening::closed);
    EXPECT_EQ(iptables(udp(3702)), Opening::open);
    EXPECT_EQ(iptables(udp(8050)), Opening::closed);
    EXPECT_EQ(iptables(tcp(9000)), Opening::partly);
    EXPECT_EQ(iptables(tcp(7000)), Opening::partly);
}

constexpr const char* ufw_status = R"(Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere
80,443/tcp (Nginx Full)    ALLOW IN    Anywhere
8884/tcp                   DENY IN     Anywhere
8880:8890/tcp              LIMIT IN    Anywhere
3702/udp                   ALLOW IN    192.168.1.0/24
9000 on eth0               ALLOW IN    Anywhere
22/tcp (v6)                ALLOW IN    Anywhere (v6)
)";

Opening ufw(const FilteredPacket& packet) {
    return judge_filter(parse_ufw(ufw_status, packet)).opening;
}

TEST(UfwStatus, TheFirstRuleThatFitsDecides) {
    EXPECT_EQ(ufw(tcp(8883)), Opening::open);
    EXPECT_EQ(ufw(tcp(8884)), Opening::closed);
    EXPECT_EQ(ufw(tcp(443)), Opening::open);
    EXPECT_EQ(ufw(tcp(8891)), Opening::closed);
    EXPECT_EQ(ufw(udp(3702)), Opening::partly);
    EXPECT_EQ(ufw(tcp(9000)), Opening::partly);
    EXPECT_EQ(ufw(tcp(22, true)), Opening::open);
    EXPECT_EQ(ufw(tcp(8883, true)), Opening::closed); // its rule is of IPv4
}

TEST(UfwStatus, WhenInactiveThereAreNoRules) {
    EXPECT_TRUE(parse_ufw("Status: inactive\n", tcp(8883)).empty());
}

constexpr const char* zones = R"(block
  target: %%REJECT%%
  ports:

public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources:
  services: dhcpv6-client ssh ws-discovery
  ports: 8000-8100/tcp 9999/udp
  protocols:
  forward: yes
  rich rules:
	rule family="ipv4" source address="10.0.0.0/8" port port="9000" protocol="tcp" accept

trusted
  target: ACCEPT
  services:
)";

Opening firewalld(const FilteredPacket& packet) {
    return judge_filter(parse_firewalld(zones, packet)).opening;
}

TEST(FirewalldZones, OnlyActiveZonesCount) {
    EXPECT_EQ(firewalld(tcp(8050)), Opening::open);
    EXPECT_EQ(firewalld(tcp(8883)), Opening::closed);
    EXPECT_EQ(firewalld(udp(8050)), Opening::closed);
    EXPECT_EQ(firewalld(udp(3702)), Opening::open); // by the service's name
    EXPECT_EQ(firewalld(tcp(9000)), Opening::partly);
}

TEST(WindowsRules, BlockingRulesWinWhereverTheyStand) {
    constexpr const char* listing = "profile block\n"
                                    "rule allow tcp 8883,9000-9010 any\n"
                                    "rule allow tcp 7000 some\n"
                                    "rule block any 9005 any\n"
                                    "rule allow udp any any\n";
    const auto windows = [&](const FilteredPacket& packet) {
        return judge_filter(parse_windows_rules(listing, packet)).opening;
    };
    EXPECT_EQ(windows(tcp(8883)), Opening::open);
    EXPECT_EQ(windows(tcp(9005)), Opening::closed);
    EXPECT_EQ(windows(tcp(7000)), Opening::partly);
    EXPECT_EQ(windows(tcp(1)), Opening::closed);
    EXPECT_EQ(windows(udp(3702)), Opening::open);
}

Opening iptables(const FilteredPacket& packet, std::string_view rules) {
    return judge_filter(parse_iptables(rules, packet)).opening;
}

TEST(RulesForSomeSenders, ARefusalForThePortIsToldAndOneForOtherThingsIsNot) {
    EXPECT_EQ(iptables(tcp(8883), "-P INPUT ACCEPT\n"
                                  "-A INPUT ! -s 10.1.0.0/16 -p tcp -m tcp --dport 8883 -j DROP\n"),
              Opening::partly);
    EXPECT_EQ(iptables(tcp(8883), "-P INPUT ACCEPT\n-A INPUT -s 10.9.9.9/32 -j DROP\n"),
              Opening::open);
    EXPECT_EQ(nft(tcp(8883), "table ip filter {\n\tchain input {\n"
                             "\t\ttype filter hook input priority filter; policy accept;\n"
                             "\t\tip saddr != 10.1.0.0/16 tcp dport 8883 drop\n\t}\n}\n"),
              Opening::partly);
}

TEST(RulesForSomeSenders, AChainThatSomeLeaveRefusesTheRestOnly) {
    constexpr std::string_view rules = "-P INPUT ACCEPT\n-N PLANT\n-A INPUT -j PLANT\n"
                                       "-A PLANT -s 10.0.0.0/8 -j RETURN\n"
                                       "-A PLANT -p tcp -m tcp --dport 8883 -j DROP\n";
    EXPECT_EQ(iptables(tcp(8883), rules), Opening::partly);
    EXPECT_EQ(iptables(tcp(8883), "-P INPUT DROP\n-A INPUT -s 10.0.0.0/8 -j RETURN\n"),
              Opening::closed);
}

TEST(RulesForTheGroup, ArePassedByQuestionsOfDiscovery) {
    constexpr std::string_view nft_rules =
        "table ip filter {\n\tchain input {\n"
        "\t\ttype filter hook input priority filter; policy drop;\n"
        "\t\tip daddr 239.255.255.250 udp dport 3702 accept\n"
        "\t}\n}\n";
    EXPECT_EQ(nft(udp(3702), nft_rules), Opening::open);
    const std::string other =
        std::string(nft_rules).replace(nft_rules.find("239.255.255.250"), 15, "224.0.0.251");
    EXPECT_EQ(nft(udp(3702), other), Opening::closed);
    EXPECT_EQ(iptables(udp(3702), "-P INPUT DROP\n-A INPUT -d 239.255.255.250/32 -p udp -m udp "
                                  "--dport 3702 -j ACCEPT\n"),
              Opening::open);
    EXPECT_EQ(
        iptables(udp(3702), "-P INPUT DROP\n-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT\n"),
        Opening::closed);
}

} // namespace
} // namespace stationsync::host::doctor
