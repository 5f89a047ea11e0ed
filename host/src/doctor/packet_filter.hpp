// What a packet filter does with the first packet of a stranger, whatever tool wrote its rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::doctor {

// The packet that is asked about: new, from another computer, to this port.
struct FilteredPacket {
    bool tcp = true; // else UDP
    std::uint16_t port = 0;
    bool v6 = false;

    // Where questions of WS-Discovery are sent to; empty: the packet is for this computer alone.
    [[nodiscard]] std::string_view group() const {
        constexpr std::uint16_t discovery_port = 3702;
        return tcp || port != discovery_port ? "" : v6 ? "ff02::c" : "239.255.255.250";
    }
};

enum class Match { no, yes, maybe }; // maybe: depends on what the packet does not tell (its sender)

struct FilterRule {
    enum class Action { none, accept, refuse, jump, go_to, leave };
    Match match = Match::yes;
    Action action = Action::none;
    std::string target;      // of jump and go_to
    bool names_port = false; // so that somebody meant just such packets
};

struct FilterChain {
    std::string family; // "ip", "ip6", "inet", as nft says it
    std::string table;
    std::string name;
    bool is_input = false; // packets for this computer begin here
    bool refuses_rest = false;
    std::vector<FilterRule> rules;
};

enum class Opening { open, closed, partly };

struct FilterVerdict {
    Opening opening = Opening::open;
    const FilterChain* closed_by = nullptr; // of the ruleset, when not open
};

// A packet must pass every input chain. `partly`: some senders are let in, some are kept out by a
// rule that names the port, or what is in the way cannot be told from the rules.
[[nodiscard]] FilterVerdict judge_filter(const std::vector<FilterChain>& chains);

// Shared by the parsers.
[[nodiscard]] Match both(Match a, Match b);
[[nodiscard]] Match negated(Match match);
// "8883", "8000-9000" or "8000:9000"; nothing when it is no such text.
[[nodiscard]] std::optional<bool> port_in(std::string_view text, std::uint16_t port);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text,
                                                  std::string_view separators);

// `nft list ruleset`. Matches are worked out for the packet.
[[nodiscard]] std::vector<FilterChain> parse_nft(std::string_view ruleset,
                                                 const FilteredPacket& packet);
// `iptables -S` or `ip6tables -S`.
[[nodiscard]] std::vector<FilterChain> parse_iptables(std::string_view rules,
                                                      const FilteredPacket& packet);
// `ufw status verbose`; nothing when it is not active.
[[nodiscard]] std::vector<FilterChain> parse_ufw(std::string_view status,
                                                 const FilteredPacket& packet);
// `firewall-cmd --list-all-zones`: an input chain for each active zone, named like it; where none
// is, for the default zone, which every interface without one belongs to.
[[nodiscard]] std::vector<FilterChain> parse_firewalld(std::string_view zones,
                                                       const FilteredPacket& packet,
                                                       std::string_view default_zone = {});
// Our own listing of Windows Firewall: lines "profile block|allow" and
// "rule block|allow tcp|udp|any PORTS any|some", blocking rules first wherever they stand.
[[nodiscard]] std::vector<FilterChain> parse_windows_rules(std::string_view listing,
                                                           const FilteredPacket& packet);

} // namespace stationsync::host::doctor
