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
        return parse_firewalld(listing.rules, packet, listing.default_zone);
    case FirewallTool::windows:
        return parse_windows_rules(listing.rules, packet);
    default:
        return {};
    }
}

std::string iptables_remedy(const std::string& program, const FilteredPacket& packet,
                            const std::string& protocol, const std::string& port) {
    return (packet.v6 ? "ip6" + program.substr(2) : program) + " -I INPUT -p " + protocol +
           " --dport " + port + " -j ACCEPT   (to last, save it: netfilter-persistent save)";
}

FirewallAnswer describe(FirewallTool tool, const FilterChain& chain, const FilteredPacket& packet,
                        const std::string& program = "iptables") {
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
        answer.remedy = iptables_remedy(program, packet, protocol, port);
    } else {
        const auto place = chain.family + " " + chain.table + " " + chain.name;
        answer.by = "nftables, chain " + place;
        answer.remedy = "nft insert rule " + place + " " + protocol + " dport " + port +
                        " accept   (to last, write the rule into /etc/nftables.conf)";
    }
    return answer;
}

// Which zone a packet comes through depends on its interface and its sender.
FirewallAnswer ask_zones(const std::vector<FilterChain>& zones, const FilteredPacket& packet) {
    std::string keeping;
    std::string letting;
    FirewallAnswer answer;
    bool partly = false;
    for (const auto& zone : zones) {
        const auto opening = judge_filter({zone}).opening;
        auto& names = opening == Opening::open ? letting : keeping;
        names += (names.empty() ? "" : ", ") + zone.name;
        partly = partly || opening == Opening::partly;
        if (opening != Opening::open) {
            const auto one = describe(FirewallTool::firewalld, zone, packet);
            answer.by = one.by;
            answer.remedy += (answer.remedy.empty() ? "" : "   or: ") + one.remedy;
        }
    }
    if (zones.empty()) {
        return {Opening::partly, "firewalld", "has no zone that could be judged",
                "firewall-cmd --get-active-zones   shows them."};
    }
    if (keeping.empty()) {
        return answer;
    }
    answer.opening = partly || !letting.empty() ? Opening::partly : Opening::closed;
    if (zones.size() > 1) {
        answer.by = "firewalld, zones " + keeping;
    }
    if (!letting.empty()) {
        answer.by = "firewalld";
        answer.but = "lets it in through the zones " + letting + " and not, or not everybody, " +
                     "through " + keeping;
    }
    return answer;
}

// Later ones are worse.
int weight(Opening opening) {
    return opening == Opening::open ? 0 : opening == Opening::partly ? 1 : 2;
}

} // namespace

FirewallAnswer ask_firewall(const FirewallListing& listing, const FilteredPacket& packet) {
    const auto chains = chains_of(listing, packet);
    if (listing.tool == FirewallTool::firewalld) {
        return ask_zones(chains, packet);
    }
    const auto verdict = judge_filter(chains);
    FirewallAnswer answer;
    if (verdict.closed_by != nullptr) {
        answer = describe(listing.tool, *verdict.closed_by, packet);
    }
    answer.opening = verdict.opening;
    // A packet must pass both.
    const auto old = parse_iptables(packet.v6 ? listing.old_rules_v6 : listing.old_rules, packet);
    const auto old_verdict = judge_filter(old);
    if (old_verdict.closed_by != nullptr && weight(old_verdict.opening) > weight(answer.opening)) {
        answer =
            describe(FirewallTool::iptables, *old_verdict.closed_by, packet, listing.old_program);
        answer.opening = old_verdict.opening;
    }
    return answer;
}

} // namespace stationsync::host::doctor
