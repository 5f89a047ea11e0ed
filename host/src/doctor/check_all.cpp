#include "base/path_text.hpp"
#include "doctor/checks.hpp"

namespace stationsync::host::doctor {

Findings check_all(const StationFacts& facts) {
    Findings findings;
    if (facts.is_no_station()) {
        findings.problem("configuration.station",
                         path_text(facts.paths.configuration) + " holds no station yet.",
                         "stationsync join CODE   (or, on the first station: stationsync init "
                         "--project NAME; or name its folder with --root)");
        return findings;
    }
    for (const auto check :
         {check_configuration, check_service, check_identity, check_ports, check_reachability,
          check_discovery_port, check_firewall, check_clock, check_directories, check_keys,
          check_plugins, check_providers, check_odbc}) {
        check(facts, findings);
    }
    return findings;
}

} // namespace stationsync::host::doctor
