// Readable scenarios: a text file of commands to a simulated plant and of expectations, with a
// transcript of what happened behind each command. README.md lists the commands.
#pragma once

#include "cluster.hpp"

#include <filesystem>
#include <functional>
#include <sstream>

namespace stationsync::simulation {

class Script {
public:
    struct Outcome {
        std::vector<std::string> failures; // each with its line number
        std::string transcript; // the file with what happened as lines that begin with '>'
    };
    using TraceSink = std::function<void(const std::string& line)>;
    // Runs the text; the lines that begin with '>' must be what happened. The sink, when there is
    // one, is told of every event and action.
    static Outcome run(const std::string& text, const TraceSink& trace = {});
    static std::string read(const std::filesystem::path& file);

private:
    explicit Script(const std::string& text);

    using Words = std::vector<std::string>;
    using Command = void (Script::*)(const Words& words);
    static const std::map<std::string, Command>& commands();
    static const std::map<std::string, Command>& expectations();
    static Words split(const std::string& line);

    void perform(const Words& words);
    void fail(const std::string& why);
    void say(std::string text) { said_.push_back(std::move(text)); }
    void flush_story();
    std::string with_names(std::string text);

    Machine& machine(const std::string& name);
    static core::ObjectId object(const std::string& text);
    Content content(const std::string& name);              // "" and `absent` mean absent
    static std::int64_t duration(const std::string& text); // 30s, 5m, 2h, 40d, -40s

    // script_commands.cpp: what people and faults do
    void stations(const Words& words);
    void station(const Words& words);
    void power(const Words& words);
    void edit(const Words& words);
    void change_live(const Words& words);
    void edit_when(const Words& words);
    void clock(const Words& words);
    void run_for(const Words& words);
    void settle(const Words& words);
    void network(const Words& words);
    void order(const Words& words);
    void crash_at(const Words& words);
    void lose(const Words& words);
    void snapshot(const Words& words);
    void clone(const Words& words);
    void trouble(const Words& words);
    void version(const Words& words);
    void provider(const Words& words);
    void hold(const Words& words);

    // script_expectations.cpp: what must be so
    void expect_live(const Words& words);
    void expect_kept(const Words& words);
    void expect_package(const Words& words);
    void expect_state(const Words& words);
    void expect_reason(const Words& words);
    void expect_conflict(const Words& words);
    void expect_message(const Words& words);
    void expect_station(const Words& words);
    void expect_established(const Words& words);
    void expect_head(const Words& words);
    void expect_count(const Words& words);
    void expect_time(const Words& words);
    void expect_wait(const Words& words);
    void explain(const Words& words);
    void messages(const Words& words);
    void judge(const Words& words);

    Cluster cluster_;
    std::map<std::string, std::size_t> by_name_;
    std::map<std::string, Content> contents_;
    std::size_t line_ = 0;
    std::vector<std::string> said_;
    std::vector<std::string> failures_;
};

} // namespace stationsync::simulation
