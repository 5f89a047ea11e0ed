#include "doctor/firewall.hpp"

namespace stationsync::host::doctor {
namespace {

std::vector<FilterChain> chains_of(const FirewallListing& listing, const FilteredPacket& packet) {
    switch (listing.tool) {
    case FirewallTool::nftables:
        return parse_nft(listing.rules, packet);
    case FirewallTool::iptables:
        return parse_iptables(packet.v6 ? listing.rules_v6 : listing.rules, packet);
    case FirewallTool::ufw:
        return parse_ufw(listing.rules, packet);
    case FirewallTool::firewalld:
        return parse_firewalld(listing.rules, packet);
    case FirewallTool::windows:
        return parse_windows_rules(listing.rules, packet);
    default:
        return {};
    }
}

std::string iptables_remedy(const FilteredPacket& packet, const std::string& protocol,
                            const std::string& port) {
    return std::string(packet.v6 ? "ip6tables" : "iptables") + " -I INPUT -p " + protocol +
           " --dport " + port + " -j ACCEPT   (to last, save it: netfilter-persistent save)";
}

FirewallAnswer describe(FirewallTool tool, const FilterChain& chain, const FilteredPacket& packet) {
    const auto port = std::to_string(packet.port);
    const std::string protocol = packet.tcp ? "tcp" : "udp";
    FirewallAnswer answer;
    if (tool == FirewallTool::ufw) {
        answer.by = "ufw";
        answer.remedy = "ufw allow " + port + "/" + protocol;
    } else if (tool == FirewallTool::firewalld) {
        answer.by = "firewalld, zone " + chain.name;
        answer.remedy = "firewall-cmd --permanent --zone=" + chain.name + " --add-port=" + port +
                        "/" + protocol + " && firewall-cmd --reload";
    } else if (tool == FirewallTool::windows) {
        answer.by = "Windows Firewall";
        answer.remedy = "netsh advfirewall firewall add rule name=\"StationSync " + protocol + " " +
                        port + "\" dir=in action=allow protocol=" + (packet.tcp ? "TCP" : "UDP") +
                        " localport=" + port;
    } else if (tool == FirewallTool::iptables ||
               (chain.table == "filter" && chain.name == "INPUT")) {
        // nft lists the chains of iptables as well; rules of a tool are changed with the tool.
        answer.by = "iptables, chain " + chain.name;
        answer.remedy = iptables_remedy(packet, protocol, port);
    } else {
        const auto place = chain.family + " " + chain.table + " " + chain.name;
        answer.by = "nftables, chain " + place;
        answer.remedy = "nft insert rule " + place + " " + protocol + " dport " + port +
                        " accept   (to last, write the rule into /etc/nftables.conf)";
    }
    return answer;
}

} // namespace

FirewallAnswer ask_firewall(const FirewallListing& listing, const FilteredPacket& packet) {
    const auto chains = chains_of(listing, packet);
    const auto verdict = judge_filter(chains);
    FirewallAnswer answer;
    if (verdict.closed_by != nullptr) {
        answer = describe(listing.tool, *verdict.closed_by, packet);
    }
    answer.opening = verdict.opening;
    return answer;
}

} // namespace stationsync::host::doctor
