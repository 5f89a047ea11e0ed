// The output of `iptables -S`, as far as it concerns one packet.
#include "doctor/packet_filter.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host::doctor {
namespace {

using Words = std::vector<std::string>;

// Blanks separate words; a quoted comment is one.
Words words_of(std::string_view line) {
    Words words;
    std::string word;
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ' ' && !quoted) {
            words.push_back(std::exchange(word, {}));
        } else {
            word += c;
        }
    }
    words.push_back(std::move(word));
    std::erase(words, std::string());
    return words;
}

class RuleReader {
public:
    RuleReader(const Words& words, const FilteredPacket& packet) : words_(words), packet_(packet) {}

    FilterRule read() {
        bool is_not = false;
        while (at_ < words_.size()) {
            const auto option = words_[at_++];
            if (option == "!") {
                is_not = true;
                continue;
            }
            if (option == "-j" || option == "-g") {
                take_target(next(), option == "-g");
                break; // what follows belongs to the target
            }
            const auto match = take_option(option);
            rule_.match = both(rule_.match, is_not ? negated(match) : match);
            is_not = false;
        }
        return rule_;
    }

private:
    std::string next() { return at_ < words_.size() ? words_[at_++] : std::string(); }

    void take_target(const std::string& target, bool is_goto) {
        using Action = FilterRule::Action;
        if (target == "ACCEPT") {
            rule_.action = Action::accept;
        } else if (target == "DROP" || target == "REJECT") {
            rule_.action = Action::refuse;
        } else if (target == "RETURN") {
            rule_.action = Action::leave;
        } else if (target == "NFQUEUE") {
            rule_.action = Action::accept;
            rule_.match = both(rule_.match, Match::maybe);
        } else {
            rule_.action = is_goto ? Action::go_to : Action::jump;
            rule_.target = target; // LOG and its like are found nowhere and do nothing
        }
    }

    Match take_ports(const std::string& list) {
        for (const auto part : split(list, ",")) {
            if (port_in(part, packet_.port) == true) {
                rule_.names_port = true;
                return Match::yes;
            }
        }
        return Match::no;
    }

    // "239.255.255.250/32"
    Match take_group(const std::string& destination) const {
        const auto slash = destination.find('/');
        const auto length = slash == std::string::npos ? "" : destination.substr(slash);
        if (!length.empty() && length != "/32" && length != "/128") {
            return Match::maybe;
        }
        return destination.substr(0, slash) == packet_.group() ? Match::yes : Match::no;
    }

    Match take_protocol(const std::string& protocol) {
        const bool ours = protocol == (packet_.tcp ? "tcp" : "udp") || protocol == "all";
        return ours ? Match::yes : Match::no;
    }

    Match take_state(const std::string& list) {
        const auto states = split(list, ",");
        return std::ranges::find(states, "NEW") != states.end() ? Match::yes : Match::no;
    }

    Match take_option(const std::string& option) {
        if (option == "-m" || option == "--comment" || option.starts_with("--limit")) {
            next();
            return Match::yes;
        }
        if (option == "-p") {
            return take_protocol(next());
        }
        if (option == "-i") {
            return next() == "lo" ? Match::no : Match::maybe;
        }
        if (option == "--dport" || option == "--dports") {
            return take_ports(next());
        }
        if (option == "--ctstate" || option == "--state") {
            return take_state(next());
        }
        if (option == "--dst-type") {
            return next() == (packet_.group().empty() ? "LOCAL" : "MULTICAST") ? Match::yes
                                                                               : Match::no;
        }
        if (option == "-d" && !packet_.group().empty()) {
            return take_group(next());
        }
        if (option == "--tcp-flags") { // mask, then what must be set
            next();
            return next() == "SYN" ? Match::yes : Match::no;
        }
        if (option == "--icmp-type" || option == "--icmpv6-type") {
            next();
            return Match::no;
        }
        if (at_ < words_.size() && !words_[at_].starts_with('-') && words_[at_] != "!") {
            next();
        }
        return Match::maybe;
    }

    const Words& words_;
    const FilteredPacket& packet_;
    std::size_t at_ = 0;
    FilterRule rule_;
};

FilterChain& chain_named(std::vector<FilterChain>& chains, const std::string& name, bool v6) {
    const auto found = std::ranges::find(chains, name, &FilterChain::name);
    if (found != chains.end()) {
        return *found;
    }
    chains.push_back({v6 ? "ip6" : "ip", "filter", name, name == "INPUT", false, {}});
    return chains.back();
}

} // namespace

std::vector<FilterChain> parse_iptables(std::string_view rules, const FilteredPacket& packet) {
    std::vector<FilterChain> chains;
    for (const auto line : split(rules, "\n")) {
        auto words = words_of(line);
        if (words.size() < 2) {
            continue;
        }
        auto& chain = chain_named(chains, words[1], packet.v6);
        if (words[0] == "-P") {
            chain.refuses_rest = words.size() > 2 && words[2] == "DROP";
        } else if (words[0] == "-A") {
            words.erase(words.begin(), words.begin() + 2);
            chain.rules.push_back(RuleReader(words, packet).read());
        }
    }
    return chains;
}

} // namespace stationsync::host::doctor
