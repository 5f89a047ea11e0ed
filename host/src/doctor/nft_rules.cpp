// The output of `nft list ruleset`, as far as it concerns one packet.
#include "doctor/packet_filter.hpp"

#include <algorithm>
#include <iterator>
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

// An element without what nft lists behind it: "8883 timeout 1h", "tcp . 8883 counter packets 0".
std::string key_of(std::string_view element) {
    const auto words = words_of(element);
    std::string key = words.empty() ? std::string() : words.front();
    for (std::size_t i = 1; i + 1 < words.size() && words[i] == "."; i += 2) {
        key += " . " + words[i + 1];
    }
    return key;
}

class RuleReader {
public:
    RuleReader(const Words& words, const FilteredPacket& packet, const Sets& sets,
               std::string set_place)
        : words_(words), packet_(packet), sets_(sets), set_place_(std::move(set_place)) {}

    // One rule, or several where a verdict map has keys that cannot be told: one for each of them.
    std::vector<FilterRule> read() {
        while (at_ < words_.size() && words_[at_] != "comment") {
            if (is_verdict(words_[at_])) {
                take_verdict(std::span(words_).subspan(at_), rule_);
                break;
            }
            rule_.match = both(rule_.match, take_condition(next()));
        }
        for (auto& rule : undecided_) {
            rule.match = both(rule.match, rule_.match == Match::no ? Match::no : Match::maybe);
        }
        undecided_.push_back(rule_);
        return std::move(undecided_);
    }

private:
    std::string next() { return at_ < words_.size() ? words_[at_++] : std::string(); }
    [[nodiscard]] std::string peek() const {
        return at_ < words_.size() ? words_[at_] : std::string();
    }

    static void take_verdict(std::span<const std::string> words, FilterRule& rule) {
        using Action = FilterRule::Action;
        const auto& verdict = words.front();
        if (verdict == "accept") {
            rule.action = Action::accept;
        } else if (verdict == "drop" || verdict == "reject") {
            rule.action = Action::refuse;
        } else if (verdict == "jump" || verdict == "goto") {
            rule.action = verdict == "jump" ? Action::jump : Action::go_to;
            rule.target = words.size() > 1 ? words[1] : std::string();
        } else if (verdict == "return") {
            rule.action = Action::leave;
        } else if (verdict == "queue") { // a program decides
            rule.match = both(rule.match, Match::maybe);
            rule.action = Action::accept;
        }
    }

    struct Values {
        bool is_not = false;
        bool is_map = false;
        Words all; // "22", "tcp . 22"; of a map: "22 : accept"
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
                    value += (value.empty() ? "" : " ") + next();
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
        // "*" stands for what no other element has.
        std::stable_partition(values.all.begin(), values.all.end(),
                              [](const auto& value) { return !value.starts_with('*'); });
        return values;
    }

    // `test` says for one value whether the packet has it; nothing when that cannot be told. Of a
    // map it is the last that the rule looks at.
    template <class Test>
    Match judge(const Values& values, const Test& test) {
        auto match = values.is_known ? Match::no : Match::maybe;
        if (values.is_map && !values.is_known) {
            undecided_.push_back({Match::maybe, FilterRule::Action::accept, {}});
        }
        for (const auto& value : values.all) {
            const auto colon = values.is_map ? value.find(" : ") : std::string::npos;
            const auto key = key_of(value.substr(0, colon));
            const std::optional<bool> hit = key == "*" ? true : test(key);
            if (hit == false) {
                continue;
            }
            const auto verdict =
                colon == std::string::npos ? Words{} : words_of(value.substr(colon + 3));
            if (!hit) {
                match = Match::maybe;
                if (!verdict.empty()) {
                    take_verdict(verdict, undecided_.emplace_back());
                }
                continue;
            }
            match = Match::yes;
            if (!verdict.empty()) {
                take_verdict(verdict, rule_);
                at_ = words_.size();
            }
            break;
        }
        return values.is_not ? negated(match) : match;
    }

    static std::optional<bool> has_interface(const std::string& name) {
        if (name == "\"lo\"" || name == "lo") {
            return false;
        }
        return std::nullopt;
    }
    [[nodiscard]] bool has_protocol(const std::string& name) const {
        return name == (packet_.tcp ? "tcp" : "udp") || name == (packet_.tcp ? "6" : "17");
    }
    // "th", "tcp" or "udp" before the name of a field.
    [[nodiscard]] bool is_ours(const std::string& protocol) const {
        return protocol == "th" || protocol == (packet_.tcp ? "tcp" : "udp");
    }

    Match take_interface() { return judge(take_values(), has_interface); }

    Match take_protocol() {
        return judge(take_values(), [&](const std::string& name) -> std::optional<bool> {
            return has_protocol(name);
        });
    }

    Match take_ports(const std::string& protocol) {
        const auto field = next();
        if (!is_ours(protocol)) {
            take_values();
            return Match::no;
        }
        const auto values = take_values();
        if (field == "dport") {
            const auto match =
                judge(values, [&](const std::string& text) { return port_in(text, packet_.port); });
            rule_.names_port = rule_.names_port || match == Match::yes;
            return match;
        }
        return judge(values, [](const std::string&) { return std::optional<bool>(); });
    }

    // "tcp dport . ip saddr": fields that are compared together begin with `word`.
    [[nodiscard]] bool begins_concatenation(const std::string& word) const {
        static const Words of_two{"ct", "ether", "ip", "ip6", "meta", "tcp", "th", "udp"};
        const bool is_two = std::ranges::find(of_two, word) != of_two.end();
        const auto dot = at_ + (is_two ? 1 : 0);
        return dot < words_.size() && words_[dot] == ".";
    }

    Match take_concatenation(const std::string& word) {
        std::vector<Words> fields{{word}};
        while (at_ < words_.size() && peek() != "{" && !peek().starts_with('@') &&
               peek() != "vmap" && peek() != "!=" && peek() != "==") {
            if (is_verdict(peek())) {
                return Match::maybe; // a single value, which stands without braces
            }
            if (peek() == ".") {
                fields.emplace_back();
                next();
            } else {
                fields.back().push_back(next());
            }
        }
        return judge(take_values(), [&](const std::string& key) { return has_all(fields, key); });
    }

    // Whether the packet has each part of "tcp . 8883".
    [[nodiscard]] std::optional<bool> has_all(const std::vector<Words>& fields,
                                              const std::string& key) const {
        std::optional<bool> all = true;
        std::size_t field = 0;
        for (const auto& part : words_of(key)) {
            if (part == ".") {
                ++field;
                continue;
            }
            const auto hit = field < fields.size() ? has(fields[field], part) : std::nullopt;
            if (hit == false) {
                return false;
            }
            all = hit ? all : std::nullopt;
        }
        return all;
    }
    [[nodiscard]] std::optional<bool> has(const Words& field, const std::string& value) const {
        const auto name = field.empty() ? std::string() : field.back();
        if (name == "dport") {
            return is_ours(field.front()) ? port_in(value, packet_.port) : false;
        }
        if (name == "l4proto" || name == "protocol" || name == "nexthdr") {
            return has_protocol(value);
        }
        if (name == "iif" || name == "iifname") {
            return has_interface(value);
        }
        return std::nullopt;
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
            return take_unknown();
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
        if (v6 != packet_.v6) {
            take_values();
            return Match::no;
        }
        if (field == "daddr" && !packet_.group().empty()) {
            return judge(take_values(), [&](const std::string& text) -> std::optional<bool> {
                const bool is_one = text.find_first_of("/-") == std::string::npos;
                return is_one ? std::optional(text == packet_.group()) : std::nullopt;
            });
        }
        return take_unknown();
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
        return take_unknown();
    }

    // Of what the packet does not tell, such as its sender.
    Match take_unknown() {
        auto values = take_values();
        const auto match = judge(values, [](const std::string&) { return std::optional<bool>(); });
        return match == Match::yes ? match : Match::maybe;
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
        if (word != "fib" && begins_concatenation(word)) {
            return take_concatenation(word);
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
    std::vector<FilterRule> undecided_;
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
        } else if (inside_ == "set" || inside_ == "map") {
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
            std::ranges::move(RuleReader(words, packet_, sets_, place()).read(),
                              std::back_inserter(chain.rules));
            return;
        }
        chain.is_input = words[1] == "filter" && words[3] == "input";
        for (std::size_t i = 4; i + 1 < words.size(); ++i) {
            chain.refuses_rest =
                chain.refuses_rest || (words[i] == "policy" && words[i + 1] == "drop");
        }
    }

    // "elements = { 22, 80,", further lines, the last one ends with "}". Of a map "22 : accept".
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
            if (words[at] != ",") {
                element_ += (element_.empty() ? "" : " ") + words[at];
            } else {
                end_element(keep);
            }
        }
        in_elements_ = at == words.size();
        if (!in_elements_) {
            end_element(keep);
        }
    }
    void end_element(bool keep) {
        if (keep && !element_.empty()) {
            sets_[place() + name_].push_back(element_);
        }
        element_.clear();
    }

    FilteredPacket packet_;
    std::vector<Words> lines_;
    std::vector<FilterChain> chains_;
    Sets sets_;
    std::string family_, table_, name_;
    std::string inside_; // "chain", "set", "map", …; empty between them
    bool in_elements_ = false;
    std::string element_; // as far as it was read
};

} // namespace

std::vector<FilterChain> parse_nft(std::string_view ruleset, const FilteredPacket& packet) {
    return RulesetReader(ruleset, packet).read();
}

} // namespace stationsync::host::doctor
