#include "doctor/checks.hpp"
#include "doctor/firewall.hpp"

#include <algorithm>
#include <set>

namespace stationsync::host::doctor {
namespace {

std::string port_name(const FilteredPacket& packet) {
    return (packet.tcp ? "TCP " : "UDP ") + std::to_string(packet.port);
}

// One question for each port; of IPv6 only where nothing listens on IPv4.
std::vector<FilteredPacket> questions(const StationFacts& facts) {
    std::set<std::uint16_t> v4;
    std::set<std::uint16_t> v6;
    for (const auto& endpoint : facts.listen()) {
        if (!is_loopback(endpoint)) {
            (endpoint.address.find(':') == std::string::npos ? v4 : v6).insert(endpoint.port);
        }
    }
    std::vector<FilteredPacket> packets;
    packets.reserve(v4.size() + v6.size() + 1);
    for (const auto port : v4) {
        packets.push_back({true, port, false});
    }
    for (const auto port : v6) {
        if (!v4.contains(port)) {
            packets.push_back({true, port, true});
        }
    }
    if (facts.is_discovery_enabled(web_discovery_plugin)) {
        packets.push_back({false, web_discovery_port, v4.empty() && !v6.empty()});
    }
    return packets;
}

// Another computer whose link came in.
const PeerFacts* peer_that_reaches(const StationFacts& facts) {
    const auto found = std::ranges::find_if(facts.service.peers, [](const PeerFacts& peer) {
        return peer.found_by && peer.is_outside;
    });
    return found == facts.service.peers.end() ? nullptr : &*found;
}

void tell(const StationFacts& facts, const FilteredPacket& packet, const FirewallAnswer& answer,
          Findings& findings) {
    const std::string id = packet.tcp ? "firewall.link" : "firewall.discovery";
    if (answer.opening == Opening::open) {
        findings.ok(id, "The firewall of this computer lets " + port_name(packet) + " in.");
        return;
    }
    if (!answer.but.empty()) {
        findings.warning(id,
                         "The firewall (" + answer.by + "), asked about " + port_name(packet) +
                             ", " + answer.but + ".",
                         "If a station is missing: " + answer.remedy);
        return;
    }
    if (answer.opening == Opening::partly) {
        findings.warning(id,
                         "The firewall (" + answer.by + ") lets " + port_name(packet) +
                             " in only on conditions that cannot be judged here, such as some "
                             "senders.",
                         "If a station is missing: " + answer.remedy);
        return;
    }
    const auto* const reaching = packet.tcp ? peer_that_reaches(facts) : nullptr;
    if (reaching != nullptr) {
        findings.warning(
            id,
            "The rules of the firewall (" + answer.by + ") could not be judged: " + reaching->name +
                " reaches this station, though " + port_name(packet) + " seems to be kept out.",
            "If another station is missing: " + answer.remedy);
        return;
    }
    const auto text = "The firewall (" + answer.by + ") keeps " + port_name(packet) + " out";
    // One direction of a pair is enough: with a link, the plant works all the same.
    const bool works = std::ranges::any_of(facts.service.peers, [](const PeerFacts& peer) {
        return peer.state == "connected" || peer.found_by;
    });
    if (!packet.tcp) {
        findings.warning(id, text + ": stations that are not named cannot find this one.",
                         answer.remedy);
    } else if (works) {
        findings.warning(id, text + "; this station is connected by the links that it dials.",
                         answer.remedy);
    } else {
        findings.problem(id, text + ": no other station reaches this one.", answer.remedy);
    }
}

// Answers to our own questions come from port 3702 to the one that was asked from. The firewall
// does not connect them with a question to a group.
void tell_answers(const DiscoveryConfig& discovery, const FirewallListing& listing, bool v6,
                  Findings& findings) {
    constexpr std::uint16_t any_port = 45'000; // stands for all that the system may choose
    constexpr std::uint16_t proposed = 37'020;
    const auto* const setting = discovery.own.find("probe_source_port");
    const auto* const number = setting == nullptr ? nullptr : setting->get<std::int64_t>();
    const bool is_set = number != nullptr && *number > 0 && *number <= 65'535;
    const auto port = is_set ? static_cast<std::uint16_t>(*number) : any_port;
    const auto answer = ask_firewall(listing, {false, port, v6});
    if (answer.opening != Opening::closed) {
        return;
    }
    const auto lost = ": answers of stations that are searched for are lost.";
    if (is_set) {
        findings.warning("firewall.answers",
                         "The firewall (" + answer.by + ") keeps UDP " + std::to_string(port) +
                             " out, the probe_source_port of [discovery." + discovery.name + "]" +
                             lost,
                         answer.remedy);
        return;
    }
    const auto opening = ask_firewall(listing, {false, proposed, v6});
    findings.warning(
        "firewall.answers",
        "The firewall (" + answer.by + ") lets in named ports only, and [discovery." +
            discovery.name + "] asks from any" + lost,
        "Set probe_source_port = " + std::to_string(proposed) + " in [discovery." + discovery.name +
            "]" +
            (opening.opening == Opening::open ? std::string() : " and open it: " + opening.remedy));
}

} // namespace

void check_listing(const StationFacts& facts, const FirewallListing& listing, Findings& findings) {
    const auto packets = questions(facts);
    for (const auto& packet : packets) {
        tell(facts, packet, ask_firewall(listing, packet), findings);
    }
    for (const auto& discovery :
         facts.config ? facts.config->discoveries : std::vector<DiscoveryConfig>{}) {
        if (discovery.enabled && discovery.plugin == web_discovery_plugin) {
            tell_answers(discovery, listing, packets.empty() || packets.back().v6, findings);
        }
    }
}

void check_firewall(const StationFacts& facts, Findings& findings) {
    if (facts.is_hidden && !facts.station) {
        return; // its ports are not known
    }
    if (questions(facts).empty()) {
        findings.ok("firewall.link", "The station listens on this computer only: no firewall is in "
                                     "its way.");
        return;
    }
    const auto listing = read_firewall();
    if (!listing.trouble.empty() && facts.is_hidden) {
        return; // told by check_configuration
    }
    if (!listing.trouble.empty()) {
        findings.warning("firewall.rules", listing.trouble, listing.trouble_remedy);
        return;
    }
    if (listing.tool == FirewallTool::none) {
        findings.ok("firewall.rules", "This computer has no firewall that is known here.");
        return;
    }
    check_listing(facts, listing, findings);
}

} // namespace stationsync::host::doctor
