// What an engineer may set of the plugin, with its defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stationsync::discovery_wsd {

// Of a station that is only announced; below are services that would be knocked at.
inline constexpr std::uint16_t link_port_min = 1024;

// Since some moment; the caller's monotonic clock.
using Time = std::chrono::milliseconds;

struct Limits {
    std::size_t datagram_bytes = 8192;
    unsigned source_datagrams = 20; // a second, from one address; twice as many at once
    unsigned total_datagrams = 300; // a second; twice as many at once
    unsigned source_answers = 5;    // a second, to one address
    unsigned total_answers = 30;    // a second
    unsigned resolves = 5;          // questions a second
    unsigned new_finds = 5;         // a second; 64 at once, as when a plant is switched on
    std::size_t finds = 256;        // kept
    std::size_t finds_per_source = 4;
    std::size_t sources = 1024; // whose rates are known
};

struct Timing {
    Time answer_delay{500}; // at most; also before a Hello
    Time collect_window{4000};
    Time probe_period{60'000};
    // Once everybody who was known has answered some Probes in a row and nobody new came.
    Time quiet_period{300'000};
};

} // namespace stationsync::discovery_wsd
