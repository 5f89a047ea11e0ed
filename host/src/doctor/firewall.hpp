// The firewall of this computer: what it does with packets to our ports, and how to open them.
#pragma once

#include "doctor/packet_filter.hpp"
#include "doctor/station_facts.hpp"

#include <string>

namespace stationsync::host::doctor {

enum class FirewallTool { none, nftables, iptables, ufw, firewalld, windows };

// Raw listings of the tool in use, taken once. `trouble`: there may be rules, but they cannot be
// read.
struct FirewallListing {
    FirewallTool tool = FirewallTool::none;
    std::string rules;    // of IPv4 where the tool lists it apart
    std::string rules_v6; // of IPv6 where the tool lists it apart
    // Of the old interface of the kernel, as `iptables -S` prints them: they stand beside those of
    // nft, which does not list them. With the program that changes them.
    std::string old_rules;
    std::string old_rules_v6;
    std::string old_program;
    std::string default_zone; // of firewalld: where no zone has an interface of its own
    std::string trouble;
    std::string trouble_remedy;
};

// Asks the tools that are there. Blocking, a few seconds at most.
[[nodiscard]] FirewallListing read_firewall();

struct FirewallAnswer {
    Opening opening = Opening::open;
    std::string by;     // "nftables, chain inet filter input"
    std::string but;    // what it does instead, where a person must choose; else empty
    std::string remedy; // the command that opens the port, and how it lasts
};
[[nodiscard]] FirewallAnswer ask_firewall(const FirewallListing& listing,
                                          const FilteredPacket& packet);

// What the listing means for this station.
void check_listing(const StationFacts& facts, const FirewallListing& listing, Findings& findings);

} // namespace stationsync::host::doctor
