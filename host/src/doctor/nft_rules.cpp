// The output of `nft list ruleset`, as far as it concerns one packet.
#include "doctor/packet_filter.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace stationsync::host::doctor {
namespace {

using Words = std::vector<std::string>;
using Sets = std::map<std::string, Words>; // "FAMILY TABLE NAME" -> elements

// Blanks separate words; braces and commas are words of their own, a quoted text is one.
Words words_of(std::string_view line) {
    Words words;
    std::string word;
    bool quoted = false;
    const auto end_word = [&] {
        if (!word.empty()) {
            words.push_back(std::move(word));
        }
        word.clear();
    };
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
            word += c;
        } else if (quoted) {
            word += c;
        } else if (c == ' ' || c == '\t') {
            end_word();
        } else if (c == '{' || c == '}' || c == ',' || c == ';') {
            end_word();
            words.emplace_back(1, c);
        } else {
            word += c;
        }
    }
    end_word();
    return words;
}

bool is_verdict(const std::string& word) {
    static const Words all{"accept", "drop",   "reject", "jump",
                           "goto",   "return", "queue",  "continue"};
    return std::ranges::find(all, word) != all.end();
}

// The condition before it has ended.
bool begins_statement(const std::string& word) {
    static const Words all{"counter", "ct", "limit", "log", "comment", "tcp", "meta", "ip"};
    return std::ranges::find(all, word) != all.end();
}

class RuleReader {
public:
    RuleReader(const Words& words, const FilteredPacket& packet, const Sets& sets,
               std::string set_place)
        : words_(words), packet_(packet), sets_(sets), set_place_(std::move(set_place)) {}

    FilterRule read() {
        while (at_ < words_.size() && words_[at_] != "comment") {
            if (is_verdict(words_[at_])) {
                take_verdict(std::span(words_).subspan(at_));
                break;
            }
            rule_.match = both(rule_.match, take_condition(next()));
        }
        return rule_;
    }

private:
    std::string next() { return at_ < words_.size() ? words_[at_++] : std::string(); }
    [[nodiscard]] std::string peek() const {
        return at_ < words_.size() ? words_[at_] : std::string();
    }

    void take_verdict(std::span<const std::string> words) {
        using Action = FilterRule::Action;
        const auto& verdict = words.front();
        if (verdict == "accept") {
            rule_.action = Action::accept;
        } else if (verdict == "drop" || verdict == "reject") {
            rule_.action = Action::refuse;
        } else if (verdict == "jump" || verdict == "goto") {
            rule_.action = verdict == "jump" ? Action::jump : Action::go_to;
            rule_.target = words.size() > 1 ? words[1] : std::string();
        } else if (verdict == "return") {
            rule_.action = Action::leave;
        } else if (verdict == "queue") { // a program decides
            rule_.match = both(rule_.match, Match::maybe);
            rule_.action = Action::accept;
        }
    }

    struct Values {
        bool is_not = false;
        bool is_map = false;
        Words all; // of a map: "22 : accept" without blanks, "22:accept"
        bool is_known = true;
    };
    // "[!=] X", "[!=] { A, B }", "@NAME", "vmap { A : VERDICT }", "A,B".
    Values take_values() {
        Values values;
        if (peek() == "!=" || peek() == "==") {
            values.is_not = next() == "!=";
        }
        if (peek() == "vmap") {
            values.is_map = true;
            next();
        }
        if (peek() == "{") {
            next();
            std::string value;
            while (at_ < words_.size() && peek() != "}") {
                if (peek() == ",") {
                    values.all.push_back(std::exchange(value, {}));
                    next();
                } else {
                    const bool joined = value.empty() || value.back() == ':' || peek() == ":";
                    value += joined ? "" : " ";
                    value += next();
                }
            }
            values.all.push_back(value);
            next();
        } else if (peek().starts_with('@')) {
            const auto place = sets_.find(set_place_ + next().substr(1));
            values.is_known = place != sets_.end();
            values.all = values.is_known ? place->second : Words{};
        } else {
            values.all.push_back(next());
            while (peek() == ",") {
                next();
                values.all.push_back(next());
            }
        }
        return values;
    }

    // `test` says for one value whether the packet has it; nothing when that cannot be told.
    template <class Test>
    Match judge(const Values& values, const Test& test) {
        auto match = values.is_known ? Match::no : Match::maybe;
        for (const auto& value : values.all) {
            const auto colon = values.is_map ? value.find(':') : std::string::npos;
            auto key = value.substr(0, colon);
            key.erase(
                std::find_if(key.rbegin(), key.rend(), [](char c) { return c != ' '; }).base(),
                key.end());
            const std::optional<bool> hit = test(key);
            if (!hit) {
                match = match == Match::yes ? match : Match::maybe;
            } else if (*hit) {
                match = Match::yes;
                if (colon != std::string::npos) {
                    const auto verdict = words_of(value.substr(colon + 1));
                    if (!verdict.empty()) {
                        take_verdict(verdict);
                    }
                    at_ = words_.size();
                }
                break;
            }
        }
        return values.is_not ? negated(match) : match;
    }

    Match take_interface() {
        return judge(take_values(), [](const std::string& name) -> std::optional<bool> {
            if (name == "\"lo\"" || name == "lo") {
                return false;
            }
            return std::nullopt;
        });
    }

    Match take_protocol() {
        const std::string ours = packet_.tcp ? "tcp" : "udp";
        return judge(take_values(), [&](const std::string& name) -> std::optional<bool> {
            return name == ours || name == (packet_.tcp ? "6" : "17");
        });
    }

    Match take_ports(const std::string& protocol) {
        const auto field = next();
        const auto values = take_values();
        if ((protocol == "tcp" && !packet_.tcp) || (protocol == "udp" && packet_.tcp)) {
            return Match::no;
        }
        if (field == "dport") {
            return judge(values,
                         [&](const std::string& text) { return port_in(text, packet_.port); });
        }
        return Match::maybe;
    }

    // Of the flags of TCP the packet has SYN alone. "syn", "syn / fin,syn,rst,ack",
    // "& (syn | ack) == syn", "& (fin | syn) != 0x0".
    Match take_flags() {
        next();
        std::string expression;
        while (at_ < words_.size() && !is_verdict(peek()) && !begins_statement(peek())) {
            expression += next() + " ";
        }
        const auto equals = std::min(expression.find("=="), expression.find("!="));
        const auto slash = expression.find('/');
        const bool is_not = equals != std::string::npos && expression[equals] == '!';
        const auto value = equals != std::string::npos
                               ? std::string_view(expression).substr(equals + 2)
                               : std::string_view(expression).substr(0, slash);
        const auto flags = split(value, " ()|,{}");
        const bool has_syn = std::ranges::find(flags, "syn") != flags.end();
        const bool is_exact = equals != std::string::npos || slash != std::string::npos;
        const auto match = has_syn && (!is_exact || flags.size() == 1) ? Match::yes : Match::no;
        return both(packet_.tcp ? Match::yes : Match::no, is_not ? negated(match) : match);
    }

    Match take_ct() {
        if (next() != "state") {
            take_values();
            return Match::maybe;
        }
        return judge(take_values(), [](const std::string& state) -> std::optional<bool> {
            return state == "new" || state.find(",new") != std::string::npos ||
                   state.starts_with("new,");
        });
    }

    Match take_address(bool v6) {
        const auto field = next();
        if (field == "protocol" || field == "nexthdr") {
            return v6 == packet_.v6 ? take_protocol() : Match::no;
        }
        const auto values = take_values();
        return v6 == packet_.v6 ? Match::maybe : Match::no;
    }

    Match take_meta() {
        const auto field = next();
        if (field == "l4proto") {
            return take_protocol();
        }
        if (field == "iif" || field == "iifname") {
            return take_interface();
        }
        if (field == "nfproto") {
            return judge(take_values(), [&](const std::string& name) -> std::optional<bool> {
                return name == (packet_.v6 ? "ipv6" : "ipv4");
            });
        }
        take_values();
        return Match::maybe;
    }

    // Nothing that decides: what is counted, logged or limited in its rate.
    bool skip_statement(const std::string& word) {
        if (word == "counter") {
            while (peek() == "packets" || peek() == "bytes" || peek() == "name") {
                at_ += 2;
            }
            return true;
        }
        if (word == "log") {
            while (peek() == "prefix" || peek() == "level" || peek() == "group" ||
                   peek() == "flags" || peek() == "snaplen") {
                at_ += 2;
            }
            return true;
        }
        return word == ";";
    }

    Match take_limit() {
        bool over = false;
        while (at_ < words_.size() && !is_verdict(peek()) && peek() != "counter" &&
               peek() != "log" && peek() != "comment") {
            over = next() == "over" || over;
        }
        return over ? Match::no : Match::yes;
    }

    Match take_condition(const std::string& word) {
        if (skip_statement(word)) {
            return Match::yes;
        }
        if (word == "iif" || word == "iifname") {
            return take_interface();
        }
        if (word == "tcp" || word == "udp" || word == "th") {
            return word == "tcp" && peek() == "flags" ? take_flags() : take_ports(word);
        }
        if (word == "ct") {
            return take_ct();
        }
        if (word == "ip" || word == "ip6") {
            return take_address(word == "ip6");
        }
        if (word == "meta") {
            return take_meta();
        }
        if (word == "icmp" || word == "icmpv6" || word == "igmp") {
            next();
            take_values();
            return Match::no;
        }
        if (word == "limit") {
            return take_limit();
        }
        return Match::maybe; // not known here; what follows is looked at all the same
    }

    const Words& words_;
    const FilteredPacket& packet_;
    const Sets& sets_;
    std::string set_place_;
    std::size_t at_ = 0;
    FilterRule rule_;
};

class RulesetReader {
public:
    RulesetReader(std::string_view text, const FilteredPacket& packet) : packet_(packet) {
        for (const auto line : split(text, "\n")) {
            if (const auto words = words_of(line);
                !words.empty() && !words.front().starts_with('#')) {
                lines_.push_back(words);
            }
        }
    }

    std::vector<FilterChain> read() {
        for (const bool for_sets : {true, false}) { // rules may stand before the sets they name
            for (const auto& words : lines_) {
                take(words, for_sets);
            }
        }
        return std::move(chains_);
    }

private:
    void take(const Words& words, bool for_sets) {
        const bool opens = words.back() == "{";
        if (words.front() == "table" && opens && words.size() >= 4) {
            family_ = words[1];
            table_ = words[2];
            inside_.clear();
            return;
        }
        if (inside_.empty()) {
            if (opens) {
                inside_ = words[0];
                name_ = words.size() > 2 ? words[1] : std::string();
                begin_chain(for_sets);
            }
            return;
        }
        if (words.size() == 1 && words[0] == "}" && !in_elements_) {
            inside_.clear();
            return;
        }
        if (inside_ == "chain" && !for_sets) {
            take_chain_line(words);
        } else if (inside_ == "set") {
            take_elements(words, for_sets);
        } else if (inside_ != "chain") {
            take_elements(words, false);
        }
    }

    [[nodiscard]] bool is_ours() const {
        return family_ == "inet" || family_ == (packet_.v6 ? "ip6" : "ip");
    }
    [[nodiscard]] std::string place() const { return family_ + " " + table_ + " "; }

    void begin_chain(bool for_sets) {
        if (inside_ == "chain" && !for_sets && is_ours()) {
            chains_.push_back({family_, table_, name_, false, false, {}});
        }
    }

    void take_chain_line(const Words& words) {
        if (!is_ours()) {
            return;
        }
        auto& chain = chains_.back();
        if (words.front() != "type" || words.size() < 4 || words[2] != "hook") {
            chain.rules.push_back(RuleReader(words, packet_, sets_, place()).read());
            return;
        }
        chain.is_input = words[1] == "filter" && words[3] == "input";
        for (std::size_t i = 4; i + 1 < words.size(); ++i) {
            chain.refuses_rest =
                chain.refuses_rest || (words[i] == "policy" && words[i + 1] == "drop");
        }
    }

    // "elements = { 22, 80,", further lines, the last one ends with "}".
    void take_elements(const Words& words, bool keep) {
        std::size_t at = 0;
        if (words.front() == "elements") {
            in_elements_ = true;
            at = 3;
        }
        if (!in_elements_) {
            return;
        }
        for (; at < words.size() && words[at] != "}"; ++at) {
            if (keep && words[at] != ",") {
                sets_[place() + name_].push_back(words[at]);
            }
        }
        in_elements_ = at == words.size();
    }

    FilteredPacket packet_;
    std::vector<Words> lines_;
    std::vector<FilterChain> chains_;
    Sets sets_;
    std::string family_, table_, name_;
    std::string inside_; // "chain", "set", "map", …; empty between them
    bool in_elements_ = false;
};

} // namespace

std::vector<FilterChain> parse_nft(std::string_view ruleset, const FilteredPacket& packet) {
    return RulesetReader(ruleset, packet).read();
}

} // namespace stationsync::host::doctor
