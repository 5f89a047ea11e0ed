// What must be so, in scenarios.
#include "script.hpp"

#include <algorithm>
#include <array>

namespace stationsync::simulation {

// expect A,B recipes/x "v1": what is live there
void Script::expect_live(const Words& words) {
    core::ObjectId const id = object(words.at(words.size() - 2));
    const Content wanted = content(words.back());
    for (std::size_t i = 1; i + 2 < words.size(); ++i) {
        const Content is = machine(words[i]).live(id);
        if (is != wanted) {
            fail(words[i] + " has " + (is == absent ? "nothing" : cluster_.content_name(is)));
        }
    }
}

// kept A recipes/x "v1" [as conflict_lost]: in the history of A
void Script::expect_kept(const Words& words) {
    Machine& m = machine(words.at(1));
    core::ObjectId const id = object(words.at(2));
    const Content wanted = content(words.at(3));
    const bool is = m.history.holds(id, wanted);
    if (is != (words[0] == "kept")) {
        fail(words[1] + (is ? " keeps it" : " does not keep it"));
        return;
    }
    if (words.size() < 6) {
        return;
    }
    const auto* record = m.store.image.find(id);
    const bool as =
        record && std::any_of(record->kept.begin(), record->kept.end(), [&](auto& kept) {
            return content_of(kept.package.digest) == wanted &&
                   core::to_text(kept.reason) == words[5];
        });
    if (!as) {
        fail(words[1] + " does not keep it as " + words[5]);
    }
}

// has-package A batchdb/x "v1" | no-package …: in the sync directory of A
void Script::expect_package(const Words& words) {
    const bool is = machine(words.at(1)).sync.holds(object(words.at(2)), content(words.at(3)));
    if (is != (words[0] == "has-package")) {
        fail(words[1] + (is ? " has a package of it" : " has no package of it"));
    }
}

// state A recipes/x waiting
void Script::expect_state(const Words& words) {
    const auto view = machine(words.at(1)).engine().object(object(words.at(2)));
    std::string const is = view ? std::string(core::to_text(view->state)) : "unknown";
    if (is != words.at(3)) {
        fail("it is " + is + (view ? ": " + view->reason : ""));
    }
}

// reason A recipes/x "only on": part of the reason
void Script::expect_reason(const Words& words) {
    const auto view = machine(words.at(1)).engine().object(object(words.at(2)));
    if (!view || view->reason.find(words.at(3)) == std::string::npos) {
        fail(view ? "the reason is '" + view->reason + "'" : "it is not known");
    }
}

void Script::expect_conflict(const Words& words) {
    core::ObjectId const id = object(words.back());
    for (std::size_t i = 1; i + 1 < words.size(); ++i) {
        const auto view = machine(words[i]).engine().object(id);
        const bool is = view && view->conflict.has_value();
        if (is != (words[0] == "conflict")) {
            fail(words[i] + (is ? " shows a conflict" : " shows no conflict"));
        }
    }
}

// message A newcomer-replaced [subject]
void Script::expect_message(const Words& words) {
    const auto& messages = machine(words.at(1)).messages;
    const bool is = std::any_of(messages.begin(), messages.end(), [&](const auto& entry) {
        return entry.first.first == words.at(2) &&
               (words.size() < 4 || entry.first.second == words[3]);
    });
    if (is != (words[0] == "message")) {
        std::string all;
        for (const auto& [key, message] : messages) {
            all += key.first + " " + key.second + "; ";
        }
        fail("the messages are: " + all);
    }
}

// sees A B rejected ["part of a reason"]
void Script::expect_station(const Words& words) {
    core::StationId const id = machine(words.at(2)).id;
    for (const auto& view : machine(words.at(1)).engine().stations()) {
        if (view.id != id) {
            continue;
        }
        std::string reasons;
        for (const auto& reason : view.reasons) {
            reasons += reason.check + ": " + reason.text + "; ";
        }
        if (core::to_text(view.state) != words.at(3) ||
            (words.size() > 4 && reasons.find(words[4]) == std::string::npos)) {
            fail("it is " + std::string(core::to_text(view.state)) + ": " + reasons);
        }
        return;
    }
    if (words.at(3) != "nothing") {
        fail("it is not in the list");
    }
}

// established A recipes | newcomer A recipes
void Script::expect_established(const Words& words) {
    for (const auto& provider : machine(words.at(1)).engine().providers()) {
        if (provider.name == words.at(2) && provider.established != (words[0] == "established")) {
            fail(provider.established ? "it is established" : "it is a newcomer");
        }
    }
}

// head A recipes/x "v1"
void Script::expect_head(const Words& words) {
    core::ObjectId const id = object(words.at(2));
    const auto winner = cluster_.model.winner(id);
    const auto* revision = winner ? cluster_.model.find(*winner, id) : nullptr;
    const auto* record = machine(words.at(1)).engine().record(id);
    if (!record || record->set.empty() || !revision ||
        record->set.front().revision->id() != *winner ||
        revision->content != content(words.at(3))) {
        fail("the head is another one");
    }
}

// recorded A recipes/x applied 2: so many entries in the history
void Script::expect_count(const Words& words) {
    core::ObjectId const id = object(words.at(2));
    const auto& history = machine(words.at(1)).store.image.history;
    const auto count = std::count_if(history.begin(), history.end(), [&](const auto& entry) {
        return entry.object == id && core::to_text(entry.what) == words.at(3);
    });
    if (std::to_string(count) != words.at(4)) {
        fail("there are " + std::to_string(count));
    }
}

// within 6m A B recipes/x "v1": it is live there before so much time has passed
void Script::expect_time(const Words& words) {
    std::int64_t const end = cluster_.world.now() + duration(words.at(1));
    core::ObjectId const id = object(words.at(words.size() - 2));
    const Content wanted = content(words.back());
    auto there = [&] {
        for (std::size_t i = 2; i + 2 < words.size(); ++i) {
            if (machine(words[i]).live(id) != wanted) {
                return false;
            }
        }
        return true;
    };
    while (!there() && cluster_.world.now() < end) {
        cluster_.run_for(second);
    }
    if (there()) {
        cluster_.run_for(second); // until it is recorded
    } else {
        fail("not within " + words[1] + ": " + cluster_.describe_unrest());
    }
}

// waits A recipes/x B "held on purpose": A knows that it waits on B, and why | waits-not A
// recipes/x B
void Script::expect_wait(const Words& words) {
    const auto view = machine(words.at(1)).engine().object(object(words.at(2)));
    core::StationId const id = machine(words.at(3)).id;
    std::string found;
    for (const auto& wait : view ? view->waits_on : std::vector<core::WaitView>{}) {
        found += wait.station == id ? wait.text : "";
    }
    const bool is =
        !found.empty() && found.find(words.size() > 4 ? words[4] : "") != std::string::npos;
    if (is != (words[0] == "waits")) {
        fail(found.empty() ? "it does not wait there" : "it waits there: " + found);
    }
}

// explain A recipes/x | explain A B | explain A recipes: says what A knows of an object, a station
// or a provider into the transcript
void Script::explain(const Words& words) {
    const core::Engine& engine = machine(words.at(1)).engine();
    const std::string& subject = words.at(2);
    if (by_name_.contains(subject)) {
        for (const auto& view : engine.stations()) {
            if (view.id == machine(subject).id) {
                say(std::string(core::to_text(view.state)) + (view.found ? ", found" : "") +
                    (view.found_by ? ", found by" : ""));
                for (const auto& reason : view.reasons) {
                    say(with_names("  " + reason.check + ": " + reason.text));
                }
            }
        }
        return;
    }
    if (subject.find('/') == std::string::npos) {
        for (const auto& view : engine.providers()) {
            if (view.name == subject) {
                say(std::string(core::to_text(view.state)) +
                    (view.reason.empty() ? "" : with_names(": " + view.reason)));
                for (const auto& wait : view.waits_on) {
                    say(with_names("  waits on " + core::to_text(wait.station) + ": " + wait.text));
                }
            }
        }
        return;
    }
    const auto view = engine.object(object(subject));
    if (!view) {
        say("not known");
        return;
    }
    std::string text(core::to_text(view->state));
    if (view->conflict) {
        text += ", conflict with a change of " + core::to_text(view->conflict->with) +
                (view->conflict->order_uncertain ? ", order uncertain" : "");
    }
    say(with_names(text + (view->reason.empty() ? "" : ": " + view->reason)));
    for (const auto& wait : view->waits_on) {
        say(with_names("  waits on " + core::to_text(wait.station) + ": " + wait.text));
    }
}

// messages A: says all that stand, as an operator reads them
void Script::messages(const Words& words) {
    constexpr std::array severities = {"info", "warning", "error"};
    for (const auto& [key, message] : machine(words.at(1)).messages) {
        say(with_names(severities[static_cast<std::size_t>(message.severity)] + (" " + message.id) +
                       ": " + message.text));
        if (!message.remedy.empty()) {
            say(with_names("  " + message.remedy));
        }
    }
}

// judge: waits for quiet, then asks the reference model
void Script::judge(const Words& words) {
    (void)words;
    if (!cluster_.wait_until_quiet(2 * hour)) {
        fail("no quiet: " + cluster_.describe_unrest());
    }
    cluster_.check_end();
    for (const auto& violation : cluster_.model.violations()) {
        fail(violation);
    }
}

} // namespace stationsync::simulation
