#include "errors.hpp"

#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace stationsync::sqlserver {

namespace {

constexpr std::int32_t database_unavailable = 4060;
constexpr std::int32_t default_database_unavailable = 4064;
constexpr std::int32_t not_read = 3203;

const ErrorNumber* find_number(std::int32_t number, std::int32_t system) {
    const auto all = error_numbers();
    const auto place = std::lower_bound(all.begin(), all.end(), std::tuple(number, system),
                                        [](const ErrorNumber& each, const auto& wanted) {
                                            return std::tuple(each.number, each.system) < wanted;
                                        });
    return place != all.end() && place->number == number && place->system == system ? &*place
                                                                                    : nullptr;
}

bool has_class(const Diagnostic& message, std::string_view state) {
    return message.state.rfind(state, 0) == 0;
}

// What drivers and their manager say by SQLSTATE alone.
const ErrorRule* rule_of_state(const Diagnostic& message, Phase phase) {
    const bool is_connecting = phase == Phase::connecting;
    // unixODBC: 01000, [unixODBC][Driver Manager]Can't open lib …
    if (is_connecting && (message.state == "IM002" || message.state == "IM003" ||
                          (message.state == "01000" && message.number == 0 &&
                           message.text.find("open lib") != std::string::npos)))
        return find_error_rule("driver-missing");
    if (is_connecting && (message.state == "HYT00" || message.state == "HYT01"))
        return find_error_rule("server-unreachable");
    if (is_connecting && has_class(message, "28"))
        return find_error_rule("login-refused");
    if (has_class(message, "08"))
        return find_error_rule(is_connecting ? "server-unreachable" : "connection-lost");
    return nullptr;
}

bool is_of_ending(const Diagnostic& message) {
    return message.state == "HY008" || message.state == "S1008" || message.state == "HYT00";
}

// How much a message tells about the cause: the highest counts, of equal ones the first.
int weight_of(const Diagnostic& message, Phase phase) {
    constexpr std::int32_t system_said = 3634;
    constexpr std::int32_t folder_said = 5133;
    const ErrorRule* const rule = rule_of(message, phase);
    if (message.number == system_said || message.number == folder_said)
        return rule != nullptr ? 8 : message.is_error() ? 4 : 0;
    if (rule != nullptr && rule->handling == Handling::none)
        return rule->id == "trailer" && message.is_error() ? 1 : 0;
    if (!message.is_error() && (rule == nullptr || rule->id != "driver-missing"))
        return 0;
    if (rule == nullptr)
        return is_of_ending(message) ? 2 : 5;
    if (rule->id == "backup-aborted")
        return 3;
    if (rule->id == "login-refused" || rule->id == "connection-lost")
        return 6;
    if (message.number == database_unavailable || message.number == default_database_unavailable)
        return 7;
    return message.number != 0 ? 7 : 6;
}

Problem problem_by_rule(const ErrorRule& rule, const Diagnostic& said, const Values& values) {
    return {std::string(rule.id),
            said.number,
            rule.handling,
            rule.status,
            fill_in(rule.sentence, values),
            fill_in(rule.remedy, values),
            said.text};
}

Problem problem_of_ending(Ending ending) {
    Problem problem;
    problem.handling = Handling::retry;
    problem.status = STSYNC_BUSY;
    problem.remedy = "It is tried again by itself.";
    if (ending == Ending::cancelled) {
        problem.rule = "cancelled";
        problem.sentence = "The statement was broken off on request.";
    } else {
        problem.rule = "late";
        problem.sentence = "SQL Server did not finish the statement in the time allowed for it.";
    }
    return problem;
}

} // namespace

const ErrorRule* find_error_rule(std::string_view id) {
    const auto rules = error_rules();
    const auto place = std::lower_bound(
        rules.begin(), rules.end(), id,
        [](const ErrorRule& each, std::string_view wanted) { return each.id < wanted; });
    return place != rules.end() && place->id == id ? &*place : nullptr;
}

const ErrorRule* rule_of(const Diagnostic& message, Phase phase) {
    if (phase == Phase::backing_up && message.number == not_read)
        return find_error_rule("io-error");
    const std::int32_t system = system_error_in(message.text);
    const ErrorNumber* found = system == 0 ? nullptr : find_number(message.number, system);
    if (found == nullptr)
        found = find_number(message.number, 0);
    if (found != nullptr && (!found->is_of_login || phase == Phase::connecting))
        return find_error_rule(found->rule);
    return rule_of_state(message, phase);
}

std::int32_t system_error_in(std::string_view text) {
    const auto number_before = [&](std::size_t open) {
        std::size_t begin = open;
        while (begin > 0 && text[begin - 1] >= '0' && text[begin - 1] <= '9')
            --begin;
        std::int32_t number = 0;
        const auto [stopped, failure] =
            std::from_chars(text.data() + begin, text.data() + open, number);
        return failure == std::errc{} ? number : 0;
    };
    // 3634 begins with it in quotes, '5(Access is denied.)', and ends with names.
    const std::size_t quote = text.find('\'');
    if (quote != std::string_view::npos) {
        const std::size_t open = text.find_first_not_of("0123456789", quote + 1);
        if (open != std::string_view::npos && open > quote + 1 && text[open] == '(')
            return number_before(open);
    }
    // Elsewhere it is the last one: a name before it may look the same, "C:\\copy 5(1)\\x.bak".
    for (std::size_t open = text.rfind('('); open != std::string_view::npos && open > 0;
         open = text.rfind('(', open - 1))
        if (const std::int32_t number = number_before(open); number != 0)
            return number;
    return 0;
}

std::string fill_in(std::string_view sentence, const Values& values) {
    std::string text;
    while (true) {
        const std::size_t open = sentence.find('{');
        const std::size_t close = sentence.find('}', open);
        if (open == std::string_view::npos || close == std::string_view::npos)
            break;
        text += sentence.substr(0, open);
        const std::string_view inside = sentence.substr(open + 1, close - open - 1);
        const std::size_t bar = inside.find('|');
        const auto value = values.find(inside.substr(0, bar));
        if (value != values.end() && !value->second.empty())
            text += value->second;
        else if (bar != std::string_view::npos)
            text += inside.substr(bar + 1);
        sentence.remove_prefix(close + 1);
    }
    text += sentence;
    return text;
}

const Diagnostic* main_message(const std::vector<Diagnostic>& messages, Phase phase) {
    const Diagnostic* main = nullptr;
    int highest = 0;
    for (const Diagnostic& each : messages) {
        const int weight = weight_of(each, phase);
        if (weight > highest) {
            highest = weight;
            main = &each;
        }
    }
    return main;
}

sdk::Error Problem::to_error() const {
    std::string text = sentence;
    if (!remedy.empty())
        text += ' ' + remedy;
    if (!said.empty())
        text += " (" + (number == 0 ? std::string() : std::to_string(number) + ": ") + said + ")";
    return {status, text};
}

Problem problem_of(const std::vector<Diagnostic>& messages, Ending ending, Phase phase,
                   const Values& values) {
    const Diagnostic* const main = main_message(messages, phase);
    const bool was_ended = ending == Ending::cancelled || ending == Ending::late;
    if (was_ended && (main == nullptr || weight_of(*main, phase) <= 3) &&
        phase != Phase::connecting)
        return problem_of_ending(ending);
    if (phase == Phase::connecting && ending == Ending::cancelled)
        return problem_of_ending(ending);
    if (main != nullptr)
        if (const ErrorRule* const rule = rule_of(*main, phase);
            rule != nullptr && rule->handling != Handling::none)
            return problem_by_rule(*rule, *main, values);
    if (ending == Ending::lost || (main == nullptr && phase == Phase::connecting)) {
        const ErrorRule* const rule =
            find_error_rule(phase == Phase::connecting ? "server-unreachable" : "connection-lost");
        return problem_by_rule(*rule, main == nullptr ? Diagnostic{} : *main, values);
    }
    Problem problem;
    problem.sentence = "SQL Server has failed in a way that this service does not know.";
    problem.remedy = "It is tried again by itself; look up the number if it lasts.";
    if (main != nullptr) {
        problem.number = main->number;
        problem.said = main->text;
    } else {
        problem.said = to_text(messages);
    }
    return problem;
}

} // namespace stationsync::sqlserver
