#include "doctor/firewall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr FilteredPacket link{true, 8883, false};

FirewallListing listing(FirewallTool tool, std::string rules) {
    FirewallListing made;
    made.tool = tool;
    made.rules = std::move(rules);
    return made;
}

TEST(FirewallAnswer, NftGetsARuleInTheChainThatCloses) {
    const auto answer = ask_firewall(
        listing(FirewallTool::nftables,
                "table inet plant {\n\tchain in {\n\t\ttype filter hook input priority "
                "filter; policy drop;\n\t}\n}\n"),
        link);
    EXPECT_EQ(answer.opening, Opening::closed);
    EXPECT_EQ(answer.by, "nftables, chain inet plant in");
    EXPECT_THAT(answer.remedy, StartsWith("nft insert rule inet plant in tcp dport 8883 accept"));
}

TEST(FirewallAnswer, ChainsThatIptablesWroteAreChangedWithIptables) {
    const auto answer =
        ask_firewall(listing(FirewallTool::nftables,
                             "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input "
                             "priority filter; policy drop;\n\t}\n}\n"),
                     link);
    EXPECT_THAT(answer.remedy, StartsWith("iptables -I INPUT -p tcp --dport 8883 -j ACCEPT"));
}

TEST(FirewallAnswer, EachToolGetsItsOwnCommand) {
    const auto ufw = ask_firewall(
        listing(FirewallTool::ufw, "Status: active\nDefault: deny (incoming), allow (outgoing)\n"),
        link);
    EXPECT_EQ(ufw.remedy, "ufw allow 8883/tcp");
    const auto firewalld = ask_firewall(
        listing(FirewallTool::firewalld, "public (active)\n  target: default\n  ports:\n"),
        {false, 3702, false});
    EXPECT_EQ(firewalld.remedy, "firewall-cmd --permanent --zone=public --add-port=3702/udp && "
                                "firewall-cmd --reload");
    const auto windows = ask_firewall(listing(FirewallTool::windows, "profile block\n"), link);
    EXPECT_THAT(windows.remedy, HasSubstr("action=allow protocol=TCP localport=8883"));
    const auto iptables = ask_firewall(listing(FirewallTool::iptables, "-P INPUT DROP\n"), link);
    EXPECT_THAT(iptables.remedy, StartsWith("iptables -I INPUT -p tcp --dport 8883 -j ACCEPT"));
}

TEST(FirewallAnswer, RulesOfNftAndOfOldTablesMustBothLetIn) {
    constexpr const char* closing = "table inet plant {\n\tchain in {\n\t\ttype filter hook input "
                                    "priority filter; policy drop;\n\t}\n}\n";
    auto both = listing(FirewallTool::nftables, closing);
    both.old_program = "iptables-legacy";
    both.old_rules = "-P INPUT ACCEPT\n";
    EXPECT_EQ(ask_firewall(both, link).opening, Opening::closed);
    EXPECT_EQ(ask_firewall(both, link).by, "nftables, chain inet plant in");
    both.rules.clear();
    EXPECT_EQ(ask_firewall(both, link).opening, Opening::open);
    both.old_rules = "-P INPUT DROP\n";
    const auto answer = ask_firewall(both, link);
    EXPECT_EQ(answer.opening, Opening::closed);
    EXPECT_THAT(answer.remedy, StartsWith("iptables-legacy -I INPUT -p tcp --dport 8883"));
    both.old_rules_v6 = both.old_rules;
    EXPECT_THAT(ask_firewall(both, {true, 8883, true}).remedy,
                StartsWith("ip6tables-legacy -I INPUT"));
}

constexpr const char* two_zones = "home (active)\n  target: default\n  ports: 8883/tcp\n\n"
                                  "public (active)\n  target: default\n  ports:\n\n"
                                  "trusted\n  target: ACCEPT\n";

TEST(FirewallAnswer, ZonesThatDifferAreNamedAndLeftToThePerson) {
    const auto differ = ask_firewall(listing(FirewallTool::firewalld, two_zones), link);
    EXPECT_EQ(differ.opening, Opening::partly);
    EXPECT_THAT(differ.but, HasSubstr("in through the zones home and"));
    EXPECT_THAT(differ.but, HasSubstr("through public"));
    EXPECT_THAT(differ.remedy, HasSubstr("--zone=public --add-port=8883/tcp"));
    EXPECT_THAT(differ.remedy, Not(HasSubstr("--zone=home")));
    const auto closed = ask_firewall(listing(FirewallTool::firewalld, two_zones), {true, 1, false});
    EXPECT_EQ(closed.opening, Opening::closed);
    EXPECT_EQ(closed.by, "firewalld, zones home, public");
    EXPECT_THAT(closed.remedy, HasSubstr("--zone=home"));
    EXPECT_THAT(closed.remedy, HasSubstr("--zone=public"));
}

TEST(FirewallAnswer, WithoutAnActiveZoneTheDefaultOneDecides) {
    auto zones =
        listing(FirewallTool::firewalld, "public (default)\n  target: default\n  ports: 22/tcp\n\n"
                                         "trusted\n  target: ACCEPT\n");
    EXPECT_EQ(ask_firewall(zones, link).opening, Opening::partly) << "not known which one";
    zones.default_zone = "public";
    EXPECT_EQ(ask_firewall(zones, link).opening, Opening::closed);
    EXPECT_EQ(ask_firewall(zones, {true, 22, false}).opening, Opening::open);
    zones.default_zone = "trusted";
    EXPECT_EQ(ask_firewall(zones, link).opening, Opening::open);
}

const Finding* find(const Findings& findings, std::string_view id) {
    const auto found = std::ranges::find(findings.all(), id, &Finding::id);
    return found == findings.all().end() ? nullptr : &*found;
}

TEST(FirewallFindings, APortThatAnotherComputerCameThroughIsNotTakenForClosed) {
    const auto closing = listing(FirewallTool::iptables, "-P INPUT DROP\n");
    for (const auto& [outside, severity] :
         {std::pair{true, Severity::warning}, std::pair{false, Severity::problem}}) {
        StationFacts facts;
        PeerFacts peer;
        peer.name = "B";
        peer.state = "rejected";
        peer.found_by = outside;
        peer.is_outside = true;
        facts.service.peers = {peer};
        Findings findings;
        check_listing(facts, closing, findings);
        ASSERT_NE(find(findings, "firewall.link"), nullptr);
        EXPECT_EQ(find(findings, "firewall.link")->severity, severity);
        EXPECT_EQ(find(findings, "firewall.link")->text.find("B reaches this station") !=
                      std::string::npos,
                  outside);
    }
}

StationFacts searching(std::int64_t probe_source_port) {
    StationFacts facts;
    facts.config.emplace();
    auto& discovery = facts.config->discoveries.emplace_back();
    discovery.name = "lan";
    discovery.plugin = "discovery-wsd";
    discovery.enabled = true;
    ConfigValue::Table own;
    own.push_back({"probe_source_port", 1, {probe_source_port, 1}});
    discovery.own = {std::move(own), 1};
    return facts;
}

TEST(FirewallFindings, AnswersToASearchNeedTheirPort) {
    const std::string rules = "-P INPUT DROP\n-A INPUT -p udp -m udp --dport 3702 -j ACCEPT\n";
    Findings any;
    check_listing(searching(0), listing(FirewallTool::iptables, rules), any);
    ASSERT_NE(find(any, "firewall.answers"), nullptr);
    EXPECT_THAT(find(any, "firewall.answers")->remedy,
                StartsWith("Set probe_source_port = 37020 in [discovery.lan] and open it: iptables "
                           "-I INPUT -p udp --dport 37020 -j ACCEPT"));
    Findings closed;
    check_listing(searching(40'000), listing(FirewallTool::iptables, rules), closed);
    ASSERT_NE(find(closed, "firewall.answers"), nullptr);
    EXPECT_THAT(find(closed, "firewall.answers")->remedy, HasSubstr("--dport 40000"));
    Findings open;
    check_listing(
        searching(40'000),
        listing(FirewallTool::iptables, rules + "-A INPUT -p udp -m udp --dport 40000 -j ACCEPT\n"),
        open);
    EXPECT_EQ(find(open, "firewall.answers"), nullptr);
}

TEST(FirewallAnswer, WithoutAToolEverythingIsOpen) {
    EXPECT_EQ(ask_firewall({}, link).opening, Opening::open);
}

} // namespace
} // namespace stationsync::host::doctor
