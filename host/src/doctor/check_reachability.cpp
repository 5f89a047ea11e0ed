// Whether other stations reach this one, where that can be known from here.
#include "doctor/checks.hpp"
#include "doctor/port_probe.hpp"

#include <algorithm>
#include <set>

namespace stationsync::host::doctor {
namespace {

// Where other computers would dial.
std::set<Endpoint> outer_addresses(const StationFacts& facts) {
    std::set<Endpoint> addresses;
    for (const auto& endpoint : facts.listen()) {
        if (!is_wildcard(endpoint)) {
            if (!is_loopback(endpoint)) {
                addresses.insert(endpoint);
            }
            continue;
        }
        const bool v6 = endpoint.address == "::";
        for (const auto& address : facts.addresses) {
            if ((address.find(':') != std::string::npos) == v6) {
                addresses.insert({address, endpoint.port});
            }
        }
    }
    return addresses;
}

void check_own_addresses(const StationFacts& facts, Findings& findings) {
    const auto addresses = outer_addresses(facts);
    std::string answering;
    for (const auto& endpoint : addresses) {
        if (answers(endpoint)) {
            answering += (answering.empty() ? "" : ", ") + to_text(endpoint);
        } else {
            findings.warning("ports.addresses",
                             "The service does not answer on this computer's own address " +
                                 to_text(endpoint) + ".",
                             "Look at the firewall below; then start the service again.");
        }
    }
    if (!answering.empty()) {
        findings.ok("ports.addresses", "The service answers on " + answering + ".");
    }
}

void check_peers(const StationFacts& facts, Findings& findings) {
    std::string reached_by;
    std::size_t connected = 0;
    for (const auto& peer : facts.service.peers) {
        connected += peer.state == "connected" ? 1 : 0;
        if (peer.found_by) {
            reached_by += (reached_by.empty() ? "" : ", ") + peer.name;
        }
    }
    const auto port = std::to_string(facts.listen().front().port);
    if (!reached_by.empty()) {
        findings.ok("ports.reachable", "Other stations reach this one: " + reached_by + ".");
    } else if (connected > 0) {
        findings.warning("ports.reachable",
                         "This station reaches others, but none of them reaches it.",
                         "Open TCP " + port + " to this computer in every firewall between; " +
                             "`stationsync stations` shows the likely cause.");
    } else {
        findings.warning("ports.reachable",
                         "No other station is connected: whether one can reach this one is not "
                         "known.",
                         "On another station: stationsync stations   (any computer can try: nc -vz "
                         "ADDRESS " +
                             port + ")");
    }
}

} // namespace

void check_reachability(const StationFacts& facts, Findings& findings) {
    const bool only_here = std::ranges::all_of(
        facts.listen(), [](const Endpoint& endpoint) { return is_loopback(endpoint); });
    if (only_here) {
        findings.warning("ports.loopback",
                         "The station listens on this computer only: no other computer can reach "
                         "it.",
                         "Set [net] listen in station.toml to an address of a network.");
    } else if (facts.service.engine_runs) {
        check_own_addresses(facts, findings);
    }
    if (facts.service.engine_runs) {
        check_peers(facts, findings);
    }
}

} // namespace stationsync::host::doctor
