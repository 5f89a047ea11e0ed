#include "doctor/bound_sockets.hpp"
#include "doctor/checks.hpp"
#include "doctor/port_probe.hpp"

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

std::vector<BoundSocket> holders_of(const Endpoint& endpoint) {
    auto sockets = sockets_on(Transport::tcp, endpoint.port);
    // A listener on one address leaves the port of the others free.
    std::erase_if(sockets, [&](const BoundSocket& socket) {
        const Endpoint held{socket.address, socket.port};
        return !is_wildcard(endpoint) && !is_wildcard(held) && held.address != endpoint.address;
    });
    return sockets;
}

// The port may be held by the service itself, which cannot be asked.
bool is_service_unknown(const StationFacts& facts) {
    return !facts.service.answers && (facts.is_hidden || !facts.service.trouble.empty());
}

void check_free(const std::string& id, const std::string& what, const Endpoint& endpoint,
                bool optional, const std::string& setting, Findings& findings) {
    const auto at = to_text(endpoint);
    switch (probe_listen(endpoint)) {
    case PortState::free:
        findings.ok(id, what + " " + at + " is free.");
        return;
    case PortState::in_use: {
        const auto holders = holders_of(endpoint);
        findings.problem(id, what + " " + at + " is held by " + holders_text(holders) + ".",
                         "Stop that program, or set another port: " + setting +
                             " in station.toml (8883 is also the port of MQTT brokers).");
        return;
    }
    case PortState::denied:
        findings.problem(id, "The system does not allow " + at + " to this account.",
                         "Set a port above 1023: " + setting + " in station.toml.");
        return;
    default:
        if (!optional) {
            findings.problem(id, "This computer has no address " + at + " now.",
                             "Correct " + setting +
                                 " in station.toml, or bring the network interface up.");
        }
    }
}

const MessageFacts* listen_failure(const StationFacts& facts) {
    const auto& messages = facts.service.messages;
    const auto found = std::ranges::find(messages, "listen-failed", &MessageFacts::id);
    return found == messages.end() ? nullptr : &*found;
}

// The service runs: does it hold its port itself?
void check_held(const StationFacts& facts, const Endpoint& endpoint, Findings& findings) {
    const auto sockets = holders_of(endpoint);
    const auto at = to_text(endpoint);
    const bool someone_is_known = std::ranges::any_of(
        sockets, [](const BoundSocket& socket) { return !socket.holders.empty(); });
    if (is_held_by(sockets, facts.service.process) || (!sockets.empty() && !someone_is_known)) {
        findings.ok("ports.link", "The service listens for other stations on " + at + ".");
    } else if (!sockets.empty()) {
        findings.problem("ports.link",
                         "The port " + at + " is held by " + holders_text(sockets) + ".",
                         "Stop that program, or set another port: [net] listen in station.toml.");
    } else if (!facts.listen_is_default()) {
        findings.warning("ports.link",
                         "The service does not listen on " + at +
                             ", which station.toml names: it was started with other addresses, or "
                             "station.toml was changed since.",
                         "Start the service again.");
    }
}

} // namespace

void check_ports(const StationFacts& facts, Findings& findings) {
    const auto* const failure = listen_failure(facts);
    if (failure != nullptr) {
        findings.problem("ports.link", failure->text,
                         "Stop what holds the port, or set another one: [net] listen in "
                         "station.toml.");
    }
    for (const auto& endpoint : facts.listen()) {
        if (facts.service.engine_runs && failure == nullptr) {
            check_held(facts, endpoint, findings);
        } else if (failure != nullptr) {
            const auto sockets = holders_of(endpoint);
            if (!sockets.empty() && !is_held_by(sockets, facts.service.process)) {
                findings.problem("ports.link",
                                 "The port " + to_text(endpoint) + " is held by " +
                                     holders_text(sockets) + ".",
                                 "Stop that program, or set another port: [net] listen in "
                                 "station.toml.");
            }
        } else if (!is_service_unknown(facts)) {
            check_free("ports.link", "The port for other stations", endpoint,
                       facts.listen_is_default(), "[net] listen", findings);
        }
    }
    if (facts.service.answers) {
        findings.ok("ports.api", "The local API answers.");
    } else if (facts.station && !is_service_unknown(facts)) {
        const auto api = api_endpoint(*facts.station);
        if (api.port != 0) {
            check_free("ports.api", "The port of the local API", api, false, "[net] api", findings);
        }
    }
}

} // namespace stationsync::host::doctor
