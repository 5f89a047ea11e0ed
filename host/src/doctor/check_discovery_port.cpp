// UDP 3702 belongs to WS-Discovery, and several programs of a computer share it.
#include "doctor/bound_sockets.hpp"
#include "doctor/checks.hpp"
#include "doctor/port_probe.hpp"

#include <algorithm>

namespace stationsync::host::doctor {

void check_discovery_port(const StationFacts& facts, Findings& findings) {
    const std::string id = "discovery.port";
    const auto sockets = sockets_on(Transport::udp, web_discovery_port);
    const bool ours = is_held_by(sockets, facts.service.process) && facts.service.answers;
    const auto state = probe_shared_udp(web_discovery_port);
    if (state == PortState::free) {
        findings.ok(id, sockets.empty()
                            ? "UDP 3702 is free."
                            : "UDP 3702 is shared; it is used by " + holders_text(sockets) + ".");
        return;
    }
    if (ours) {
        findings.ok(id, "UDP 3702 is used by the service.");
        return;
    }
    if (facts.is_hidden || (!facts.service.trouble.empty() && !facts.service.answers)) {
        return; // whether it is the service that has it, or whether it wants it, cannot be known
    }
    const auto text =
        state == PortState::in_use
            ? "UDP 3702 is taken by " + holders_text(sockets) + ", which does not share it"
            : std::string("UDP 3702 cannot be used by this account");
    if (!facts.is_discovery_enabled(web_discovery_plugin)) {
        findings.ok(id, text + "; this station does not use it.");
        return;
    }
    const bool other_ways =
        facts.config && std::ranges::any_of(facts.config->discoveries, [](const auto& discovery) {
            return discovery.enabled && discovery.plugin != web_discovery_plugin;
        });
    const auto remedy = "Stop that program, or name the other stations instead: [discovery.NAME] "
                        "with plugin = \"discovery-static\" in projects/" +
                        facts.project + ".toml.";
    if (other_ways) {
        findings.warning(id, text + ": stations that are not named cannot find this one.", remedy);
    } else {
        findings.problem(id, text + ": no station can be found.", remedy);
    }
}

} // namespace stationsync::host::doctor
