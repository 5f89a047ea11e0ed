#include "trace.hpp"

#include <algorithm>
#include <sstream>

namespace stationsync::simulation {

namespace {

template <class Array>
void add_counts(Array& into, const Array& from) {
    for (std::size_t i = 0; i < into.size(); ++i) {
        into[i] += from[i];
    }
}

template <class Variant, std::size_t... I>
std::vector<Variant> one_of_each(std::index_sequence<I...>) {
    std::vector<Variant> all;
    (all.emplace_back(std::in_place_index<I>), ...);
    return all;
}

const std::vector<std::string>& event_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> result;
        for (auto const& event : one_of_each<core::Event>(
                 std::make_index_sequence<std::variant_size_v<core::Event>>{})) {
            result.emplace_back(core::event_name(event));
        }
        return result;
    }();
    return names;
}

const std::vector<std::string>& action_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> result;
        for (auto const& action : one_of_each<core::Action>(
                 std::make_index_sequence<std::variant_size_v<core::Action>>{})) {
            result.emplace_back(core::action_name(action));
        }
        return result;
    }();
    return names;
}

constexpr std::array<const char*, std::variant_size_v<core::Message>> message_names = {
    "Profile",    "Verdicts",      "TimeReport",     "Greeting",      "IndexRequest",
    "IndexBatch", "PendingChange", "PartialPackage", "Introductions", "BlockList",
    "KeptQuery",  "KeptAnswer",    "VerifyRequest",  "VerifyReport",  "ApplyState"};

} // namespace

std::optional<std::size_t> Coverage::action_index(const std::string& name) {
    const auto& names = action_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - names.begin());
}

void Coverage::add(const Coverage& other) {
    add_counts(events, other.events);
    add_counts(actions, other.actions);
    add_counts(crashes_before, other.crashes_before);
    add_counts(crashes_after, other.crashes_after);
    add_counts(messages, other.messages);
    for (const auto& [name, count] : other.faults) {
        faults[name] += count;
    }
}

std::string Coverage::table() const {
    std::ostringstream out;
    for (std::size_t i = 0; i < events.size(); ++i) {
        out << "event " << event_names()[i] << ' ' << events[i] << '\n';
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
        out << "message " << message_names[i] << ' ' << messages[i] << '\n';
    }
    for (std::size_t i = 0; i < actions.size(); ++i) {
        out << "action " << action_names()[i] << ' ' << actions[i] << ", crashed before "
            << crashes_before[i] << ", crashed after " << crashes_after[i] << '\n';
    }
    for (const auto& [name, count] : faults) {
        out << "fault " << name << ' ' << count << '\n';
    }
    return out.str();
}

std::vector<std::string> Coverage::never_occurred() const {
    std::vector<std::string> never;
    auto check = [&](std::uint64_t count, std::string name) {
        if (count == 0) {
            never.push_back(std::move(name));
        }
    };
    for (std::size_t i = 0; i < events.size(); ++i) {
        check(events[i], "event " + event_names()[i]);
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
        check(messages[i], std::string("message ") + message_names[i]);
    }
    for (std::size_t i = 0; i < actions.size(); ++i) {
        check(actions[i], "action " + action_names()[i]);
        check(crashes_before[i], "crash before " + action_names()[i]);
        check(crashes_after[i], "crash after " + action_names()[i]);
    }
    for (const auto& [name, count] : faults) {
        check(count, "fault " + name);
    }
    return never;
}

void Trace::tell(std::string text) {
    line("  * " + text);
    if (story_on_) {
        story_.push_back(std::move(text));
    }
}

} // namespace stationsync::simulation
