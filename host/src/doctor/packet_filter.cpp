#include "doctor/packet_filter.hpp"

#include <algorithm>
#include <charconv>

namespace stationsync::host::doctor {
namespace {

constexpr int depth_max = 32; // chains may call each other in a circle only by a mistake

struct Walk {
    const std::vector<FilterChain>& all;
    const FilterChain& base; // chains call those of their own table
    bool maybe_accepted = false;
    bool maybe_left = false;    // a chain, before the rules that follow there
    bool maybe_refused = false; // by a rule for just this port

    // The verdict that is certain, or nothing when the packet leaves the chain at its end.
    std::optional<bool> through(const FilterChain& chain, int depth) {
        for (const auto& rule : chain.rules) {
            if (rule.match == Match::no) {
                continue;
            }
            bool leaves = rule.action == FilterRule::Action::leave;
            std::optional<bool> verdict;
            if (rule.action == FilterRule::Action::accept) {
                verdict = true;
            } else if (rule.action == FilterRule::Action::refuse) {
                verdict = false;
            } else if (!rule.target.empty()) {
                const auto* const target = find(rule.target);
                if (target != nullptr && depth < depth_max) {
                    const bool before = maybe_accepted;
                    verdict = through(*target, depth + 1);
                    // What the callee may accept counts only where it may be reached: it may.
                    maybe_accepted = maybe_accepted || before;
                }
                leaves = rule.action == FilterRule::Action::go_to;
            }
            if (rule.match == Match::maybe) {
                maybe_accepted = maybe_accepted || verdict == true;
                maybe_left = maybe_left || leaves;
                maybe_refused = maybe_refused || (rule.names_port && verdict == false);
                continue;
            }
            if (verdict) {
                return verdict;
            }
            if (leaves) {
                return std::nullopt;
            }
        }
        return std::nullopt;
    }

    const FilterChain* find(const std::string& name) const {
        const auto found = std::ranges::find_if(all, [&](const FilterChain& chain) {
            return chain.name == name && chain.table == base.table && chain.family == base.family;
        });
        return found == all.end() ? nullptr : &*found;
    }
};

} // namespace

FilterVerdict judge_filter(const std::vector<FilterChain>& chains) {
    FilterVerdict verdict;
    for (const auto& chain : chains) {
        if (!chain.is_input) {
            continue;
        }
        Walk walk{chains, chain};
        const auto accepted = walk.through(chain, 0).value_or(!chain.refuses_rest);
        if (accepted && !walk.maybe_refused) {
            continue;
        }
        if (!accepted && !walk.maybe_accepted && (!walk.maybe_left || chain.refuses_rest)) {
            return {Opening::closed, &chain};
        }
        verdict = {Opening::partly, &chain};
    }
    return verdict;
}

Match both(Match a, Match b) {
    if (a == Match::no || b == Match::no) {
        return Match::no;
    }
    return a == Match::yes ? b : a;
}

Match negated(Match match) {
    if (match == Match::maybe) {
        return match;
    }
    return match == Match::yes ? Match::no : Match::yes;
}

std::optional<bool> port_in(std::string_view text, std::uint16_t port) {
    const auto number = [](std::string_view digits) -> std::optional<std::uint16_t> {
        std::uint16_t value = 0;
        const auto* const end = digits.data() + digits.size();
        const auto parsed = std::from_chars(digits.data(), end, value);
        return !digits.empty() && parsed.ec == std::errc{} && parsed.ptr == end
                   ? std::optional(value)
                   : std::nullopt;
    };
    const auto middle = text.find_first_of("-:");
    const auto first = number(text.substr(0, middle));
    const auto last = middle == std::string_view::npos ? first : number(text.substr(middle + 1));
    if (!first || !last) {
        return std::nullopt;
    }
    return port >= *first && port <= *last;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto begin = text.find_first_not_of(separators);
        if (begin == std::string_view::npos) {
            break;
        }
        text.remove_prefix(begin);
        const auto end = std::min(text.find_first_of(separators), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return parts;
}

} // namespace stationsync::host::doctor
