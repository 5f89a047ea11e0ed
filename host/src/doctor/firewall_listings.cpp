// What ufw, firewalld and our own listing of Windows Firewall say, as rules.
#include "doctor/packet_filter.hpp"

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

using Action = FilterRule::Action;

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
    const auto end = text.find_last_not_of(" \t");
    return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// "22/tcp", "80,443/tcp", "1000:2000/udp", "8883".
Match port_match(std::string_view text, const FilteredPacket& packet) {
    const auto slash = text.find('/');
    if (slash != std::string_view::npos && text.substr(slash + 1) != (packet.tcp ? "tcp" : "udp")) {
        return Match::no;
    }
    auto match = Match::no;
    for (const auto part : split(text.substr(0, slash), ",")) {
        const auto hit = port_in(part, packet.port);
        if (!hit) {
            return Match::maybe; // a name
        }
        match = *hit ? Match::yes : match;
    }
    return match;
}

// Not "1000:2000" nor "80,443".
bool is_address(std::string_view word) {
    return contains(word, ".") || (!contains(word, ",") && std::ranges::count(word, ':') > 1);
}

// The column "To" of ufw: "[ADDRESS] PORTS[/PROTOCOL] [on INTERFACE] [(v6)]", "Anywhere" or the
// name of an application.
Match ufw_target(std::string_view text, const FilteredPacket& packet) {
    if (contains(text, "(v6)") != packet.v6) {
        return Match::no;
    }
    auto match = Match::yes;
    for (const auto word : split(text.substr(0, text.find(" (")), " ")) {
        if (word == "on") { // an interface
            match = both(match, Match::maybe);
            break;
        }
        if (word != "Anywhere") {
            match = both(match, is_address(word) ? Match::maybe : port_match(word, packet));
        }
    }
    return match;
}

std::optional<FilterRule> ufw_rule(std::string_view line, const FilteredPacket& packet) {
    for (const auto& [name, action] :
         {std::pair{" ALLOW IN ", Action::accept}, std::pair{" LIMIT IN ", Action::accept},
          std::pair{" DENY IN ", Action::refuse}, std::pair{" REJECT IN ", Action::refuse}}) {
        const auto at = line.find(name);
        if (at == std::string_view::npos) {
            continue;
        }
        const auto from = trimmed(line.substr(at + std::string_view(name).size()));
        const auto sender = from.starts_with("Anywhere") ? Match::yes : Match::maybe;
        return FilterRule{
            both(ufw_target(trimmed(line.substr(0, at)), packet), sender), action, {}};
    }
    return std::nullopt;
}

// Services that firewalld defines with one of our ports.
bool is_service_for(std::string_view service, const FilteredPacket& packet) {
    constexpr std::uint16_t mqtt = 8883;
    constexpr std::uint16_t discovery = 3702;
    if (packet.tcp) {
        return packet.port == mqtt && service == "mqtt-tls";
    }
    return packet.port == discovery &&
           (service == "ws-discovery" || service == "ws-discovery-udp" || service == "wsdd");
}

void take_zone_line(FilterChain& zone, std::string_view name, std::string_view value,
                    const FilteredPacket& packet) {
    if (name == "target") {
        zone.refuses_rest = value != "ACCEPT";
    } else if (name == "ports") {
        for (const auto port : split(value, " ")) {
            zone.rules.push_back({port_match(port, packet), Action::accept, {}});
        }
    } else if (name == "services") {
        for (const auto service : split(value, " ")) {
            const auto match = is_service_for(service, packet) ? Match::yes : Match::no;
            zone.rules.push_back({match, Action::accept, {}});
        }
    }
}

} // namespace

std::vector<FilterChain> parse_ufw(std::string_view status, const FilteredPacket& packet) {
    if (!contains(status, "Status: active")) {
        return {};
    }
    FilterChain chain{packet.v6 ? "ip6" : "ip", "ufw", "ufw", true, false, {}};
    for (const auto line : split(status, "\n")) {
        if (line.starts_with("Default: ")) {
            chain.refuses_rest =
                contains(line, "deny (incoming)") || contains(line, "reject (incoming)");
        } else if (auto rule = ufw_rule(line, packet)) {
            chain.rules.push_back(std::move(*rule));
        }
    }
    return {chain};
}

std::vector<FilterChain> parse_firewalld(std::string_view zones, const FilteredPacket& packet,
                                         std::string_view default_zone) {
    std::vector<FilterChain> chains;
    const bool any_active = contains(zones, "(active)") || contains(zones, ", active)");
    bool is_active = false;
    for (const auto line : split(zones, "\n")) {
        const auto text = trimmed(line);
        if (!line.starts_with(' ') && !line.starts_with('\t')) { // "public (active)"
            const auto name = line.substr(0, line.find(' '));
            is_active = any_active ? contains(line, "(active)") || contains(line, ", active)")
                                   : name == default_zone && !name.empty();
            if (is_active) {
                chains.push_back({"inet", "firewalld", std::string(name), true, true, {}});
            }
            continue;
        }
        if (!is_active) {
            continue;
        }
        if (text.starts_with("rule ")) {
            // Whom it lets in is for a person to judge.
            const bool concerns =
                contains(text, "port=\"" + std::to_string(packet.port) + "\"") &&
                contains(text, packet.tcp ? "protocol=\"tcp\"" : "protocol=\"udp\"");
            if (concerns && text.ends_with("accept")) {
                chains.back().rules.push_back({Match::maybe, Action::accept, {}});
            }
            continue;
        }
        const auto colon = text.find(':');
        if (colon != std::string_view::npos) {
            take_zone_line(chains.back(), text.substr(0, colon), trimmed(text.substr(colon + 1)),
                           packet);
        }
    }
    return chains;
}

std::vector<FilterChain> parse_windows_rules(std::string_view listing,
                                             const FilteredPacket& packet) {
    FilterChain chain{"inet", "windows", "Windows Firewall", true, false, {}};
    std::vector<FilterRule> allowing;
    for (const auto line : split(listing, "\r\n")) {
        const auto words = split(line, " ");
        if (words.size() >= 2 && words[0] == "profile") {
            chain.refuses_rest = chain.refuses_rest || words[1] == "block";
        }
        if (words.size() != 5 || words[0] != "rule") {
            continue;
        }
        auto match =
            words[2] == "any" || words[2] == (packet.tcp ? "tcp" : "udp") ? Match::yes : Match::no;
        match = both(match, words[3] == "any" ? Match::yes : port_match(words[3], packet));
        match = both(match, words[4] == "any" ? Match::yes : Match::maybe);
        const bool blocks = words[1] == "block";
        (blocks ? chain.rules : allowing)
            .push_back({match, blocks ? Action::refuse : Action::accept, {}});
    }
    chain.rules.insert(chain.rules.end(), allowing.begin(), allowing.end());
    return {chain};
}

} // namespace stationsync::host::doctor
