#include "doctor/firewall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host::doctor {
namespace {

using testing::HasSubstr;
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

TEST(FirewallAnswer, WithoutAToolEverythingIsOpen) {
    EXPECT_EQ(ask_firewall({}, link).opening, Opening::open);
}

} // namespace
} // namespace stationsync::host::doctor
