// The single checks, each in a file of its own. All block; none changes the station, apart from a
// small file that it writes into each directory and removes again.
#pragma once

#include "doctor/finding.hpp"
#include "doctor/station_facts.hpp"

namespace stationsync::host::doctor {

void check_configuration(const StationFacts& facts, Findings& findings);
void check_service(const StationFacts& facts, Findings& findings);
void check_identity(const StationFacts& facts, Findings& findings); // two stations with one id
void check_ports(const StationFacts& facts, Findings& findings);
void check_reachability(const StationFacts& facts, Findings& findings);
void check_discovery_port(const StationFacts& facts, Findings& findings);
void check_firewall(const StationFacts& facts, Findings& findings);
void check_clock(const StationFacts& facts, Findings& findings);
void check_directories(const StationFacts& facts, Findings& findings);
void check_keys(const StationFacts& facts, Findings& findings);
void check_plugins(const StationFacts& facts, Findings& findings);
void check_providers(const StationFacts& facts, Findings& findings);
void check_odbc(const StationFacts& facts, Findings& findings);

// All of them, in the order in which they are shown.
[[nodiscard]] Findings check_all(const StationFacts& facts);

// Where this account may not look at the station, the configuration and the plugins as the service
// sees them are known only from the service.
[[nodiscard]] inline bool is_seen_by_service(const StationFacts& facts) {
    return !facts.is_hidden || facts.service.answers;
}

#ifdef _WIN32
inline constexpr const char* administrator_remedy =
    "Run it in a console that was started as administrator: stationsync doctor";
#else
inline constexpr const char* administrator_remedy = "sudo stationsync doctor";
#endif

// The plugin whose stations find each other over UDP 3702.
inline constexpr const char* web_discovery_plugin = "discovery-wsd";
inline constexpr std::uint16_t web_discovery_port = 3702;

} // namespace stationsync::host::doctor
