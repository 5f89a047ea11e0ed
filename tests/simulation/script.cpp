#include "script.hpp"

#include <algorithm>
#include <fstream>

namespace stationsync::simulation {

namespace {

// Those that the text speaks of.
std::vector<ProviderSpec> script_specs(const std::string& text) {
    ProviderSpec files;
    files.name = "recipes";
    files.live_above = 50'000;
    files.settle_us = 5 * second;
    files.settle_max_us = minute;
    files.scan_interval_us = minute;
    ProviderSpec database = files;
    database.name = "batchdb";
    database.reproducible = false;
    database.settle_us = 3 * minute;
    database.settle_max_us = 15 * minute;
    ProviderSpec server = database;
    server.name = "server";
    server.has_digest = false;
    server.evidence_of_restore = true;
    std::vector<ProviderSpec> specs{files};
    for (const auto& spec : {database, server}) {
        if (text.find(spec.name + "/") != std::string::npos) {
            specs.push_back(spec);
        }
    }
    return specs;
}

} // namespace

Script::Script(const std::string& text) : cluster_(1, script_specs(text)) {
    cluster_.world.trace.keep_story();
    cluster_.world.invariants_every = 1;
}

std::string Script::read(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Words are parted by blanks; "quotes" keep blanks, and are taken off.
Script::Words Script::split(const std::string& line) {
    Words words;
    std::string word;
    bool quoted = false;
    bool any = false;
    for (char c : line) {
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (c == ' ' && !quoted) {
            if (any) {
                words.push_back(word);
            }
            word.clear();
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (any) {
        words.push_back(word);
    }
    return words;
}

Script::Outcome Script::run(const std::string& text, const TraceSink& trace) {
    Script script(text);
    if (trace) {
        script.cluster_.world.trace.print_to(trace);
    }
    Outcome outcome;
    std::istringstream lines(text);
    std::string line;
    Words expected;
    auto compare = [&] {
        if (script.said_ != expected) {
            script.fail("the transcript differs from what happened here");
        }
        for (auto const& said : script.said_) {
            outcome.transcript += "> " + said + "\n";
        }
        script.said_.clear();
        expected.clear();
    };
    while (std::getline(lines, line)) {
        if (line.rfind("> ", 0) == 0) {
            expected.push_back(line.substr(2));
            ++script.line_;
            continue;
        }
        compare();
        ++script.line_;
        outcome.transcript += line + "\n";
        script.cluster_.world.trace.line("=== " + line);
        if (!line.empty() && line[0] != '#') {
            script.perform(split(line));
        }
    }
    compare();
    if (script.cluster_.when_apply_starts || script.cluster_.when_applied) {
        script.fail("the edit around an apply never happened");
    }
    for (const auto& each : script.cluster_.world.machines) {
        if (each->armed) {
            script.fail("the crash of " + each->name + " never happened");
        }
    }
    outcome.failures = std::move(script.failures_);
    return outcome;
}

void Script::perform(const Words& words) {
    const auto& known = commands().contains(words.front()) ? commands() : expectations();
    const auto found = known.find(words.front());
    if (found == known.end()) {
        fail("there is no command '" + words.front() + "'");
        return;
    }
    try {
        (this->*found->second)(words);
    } catch (const std::exception& error) {
        fail(error.what());
    }
    flush_story();
}

void Script::fail(const std::string& why) {
    failures_.push_back("line " + std::to_string(line_) + ": " + why);
}

void Script::flush_story() {
    for (auto& told : cluster_.world.trace.take_story()) {
        say(with_names(std::move(told)));
    }
}

// Stations are called by name, whatever their ids are.
std::string Script::with_names(std::string text) {
    for (const auto& each : cluster_.world.machines) {
        std::string const id = core::to_text(each->id);
        for (auto at = text.find(id); at != std::string::npos; at = text.find(id)) {
            text.replace(at, id.size(), each->name);
        }
    }
    return text;
}

Machine& Script::machine(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
        throw std::invalid_argument("there is no station '" + name + "'");
    }
    return cluster_.station(found->second);
}

core::ObjectId Script::object(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos) {
        throw std::invalid_argument("'" + text + "' is no PROVIDER/KEY");
    }
    return {text.substr(0, slash), text.substr(slash + 1)};
}

Content Script::content(const std::string& name) {
    if (name.empty() || name == "absent") {
        return absent;
    }
    const auto found = contents_.find(name);
    if (found != contents_.end()) {
        return found->second;
    }
    Content made = cluster_.new_content();
    // A name that begins with "big" stands for a file above the limit of packages.
    while ((bytes_of(made) >= large_content_bytes) != (name.rfind("big", 0) == 0)) {
        made = cluster_.new_content();
    }
    contents_[name] = made;
    cluster_.content_names[made] = name;
    return made;
}

std::int64_t Script::duration(const std::string& text) {
    std::size_t used = 0;
    std::int64_t const value = std::stoll(text, &used);
    std::string const unit = text.substr(used);
    if (unit == "ms") {
        return value * millisecond;
    }
    if (unit == "s") {
        return value * second;
    }
    if (unit == "m") {
        return value * minute;
    }
    if (unit == "h") {
        return value * hour;
    }
    if (unit == "d") {
        return value * day;
    }
    throw std::invalid_argument("'" + text + "' is no duration such as 30s, 5m, 2h or 40d");
}

const std::map<std::string, Script::Command>& Script::commands() {
    static const std::map<std::string, Command> all = {
        {"stations", &Script::stations},
        {"station", &Script::station},
        {"start", &Script::power},
        {"stop", &Script::power},
        {"restart", &Script::power},
        {"crash", &Script::power},
        {"crash-at", &Script::crash_at},
        {"edit", &Script::edit},
        {"remove", &Script::change_live},
        {"touch", &Script::change_live},
        {"edit-before-apply", &Script::edit_when},
        {"edit-after-apply", &Script::edit_when},
        {"clock", &Script::clock},
        {"run", &Script::run_for},
        {"settle", &Script::settle},
        {"cut", &Script::network},
        {"refuse", &Script::network},
        {"mend", &Script::network},
        {"publish", &Script::order},
        {"restore", &Script::order},
        {"establish", &Script::order},
        {"send-now", &Script::order},
        {"verify", &Script::order},
        {"block", &Script::order},
        {"unblock", &Script::order},
        {"lose", &Script::lose},
        {"bring-back", &Script::lose},
        {"snapshot", &Script::snapshot},
        {"roll-back", &Script::snapshot},
        {"clone", &Script::clone},
        {"new-identity", &Script::clone},
        {"busy", &Script::trouble},
        {"failing", &Script::trouble},
        {"slow", &Script::trouble},
        {"unmount", &Script::trouble},
        {"mount", &Script::trouble},
        {"history-full", &Script::trouble},
        {"sync-full", &Script::trouble},
        {"product", &Script::version},
        {"backend", &Script::version},
        {"project", &Script::version},
        {"hold", &Script::hold},
        {"release", &Script::hold},
        {"apply-when", &Script::hold},
        {"enable", &Script::provider},
        {"disable", &Script::provider},
        {"change-root", &Script::provider},
    };
    return all;
}

const std::map<std::string, Script::Command>& Script::expectations() {
    static const std::map<std::string, Command> all = {
        {"expect", &Script::expect_live},
        {"kept", &Script::expect_kept},
        {"not-kept", &Script::expect_kept},
        {"has-package", &Script::expect_package},
        {"no-package", &Script::expect_package},
        {"state", &Script::expect_state},
        {"reason", &Script::expect_reason},
        {"conflict", &Script::expect_conflict},
        {"no-conflict", &Script::expect_conflict},
        {"message", &Script::expect_message},
        {"no-message", &Script::expect_message},
        {"sees", &Script::expect_station},
        {"established", &Script::expect_established},
        {"newcomer", &Script::expect_established},
        {"head", &Script::expect_head},
        {"recorded", &Script::expect_count},
        {"within", &Script::expect_time},
        {"waits", &Script::expect_wait},
        {"waits-not", &Script::expect_wait},
        {"explain", &Script::explain},
        {"messages", &Script::messages},
        {"judge", &Script::judge},
    };
    return all;
}

} // namespace stationsync::simulation
