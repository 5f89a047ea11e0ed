// The settings of the plugin, read and checked.
#pragma once

#include "channel.hpp"
#include "protocol.hpp"

#include <stationsync/host_ref.hpp>

namespace stationsync::discovery_wsd {

struct Settings {
    ProtocolSettings protocol;
    InterfaceRules interfaces;
    std::uint16_t question_port = 0; // 0 = any free one
    std::uint16_t link_port = 8883;  // where others connect to, when the service does not say
};

// Throws sdk::Error(INVALID_ARG).
Settings read_settings(const sdk::Host& host);
inline constexpr std::string_view settings_schema = R"json({
    "versions": {"type": "list", "required": false,
        "help": "versions of WS-Discovery to speak; [\"2005/04\", \"2009/01\"]"},
    "interfaces": {"type": "list", "required": false,
        "help": "use only these: names (\"eth0\", \"eth*\") or networks (\"10.0.0.0/8\")"},
    "exclude_interfaces": {"type": "list", "required": false, "help": "never use these"},
    "ipv4": {"type": "boolean", "required": false, "help": "use IPv4; true"},
    "ipv6": {"type": "boolean", "required": false, "help": "use IPv6; true"},
    "probe_source_port": {"type": "integer", "required": false,
        "help": "UDP port that answers come to, for firewalls; 0 = any free one"},
    "link_port": {"type": "integer", "required": false,
        "help": "TCP port that is announced when the service listens on all addresses; 8883"},
    "collect_window_s": {"type": "integer", "required": false,
        "help": "seconds for which answers to a Probe are taken; 4"},
    "probe_period_s": {"type": "integer", "required": false,
        "help": "seconds between two Probes; 60"},
    "quiet_probe_period_s": {"type": "integer", "required": false,
        "help": "the same while all known stations answer and none is new; 300"},
    "datagram_bytes_max": {"type": "integer", "required": false, "help": "8192"},
    "datagrams_per_source": {"type": "integer", "required": false, "help": "a second; 20"},
    "datagrams_per_second": {"type": "integer", "required": false, "help": "in all; 300"},
    "answers_per_source": {"type": "integer", "required": false, "help": "a second; 5"},
    "answers_per_second": {"type": "integer", "required": false, "help": "in all; 30"},
    "resolves_per_second": {"type": "integer", "required": false, "help": "5"},
    "new_stations_per_second": {"type": "integer", "required": false, "help": "5"},
    "stations_max": {"type": "integer", "required": false, "help": "kept in the table; 256"},
    "stations_per_source": {"type": "integer", "required": false,
        "help": "different stations at one address; 4"}
})json";

} // namespace stationsync::discovery_wsd
