// Readable scenarios: a text file of commands to a simulated plant and of expectations, with a transcript
// of what happened behind each command. README.md lists the commands.
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
        std::string transcript;            // the file with what happened as lines that begin with '>'
    };
    // Runs the text; the lines that begin with '>' must be what happened.
    static Outcome run(std::string const& text);
    static std::string read(std::filesystem::path const& file);

private:
    Script();

    using Words = std::vector<std::string>;
    using Command = void (Script::*)(Words const& words);
    static std::map<std::string, Command> const& commands();
    static Words split(std::string const& line);

    void perform(Words const& words);
    void fail(std::string const& why);
    void say(std::string text) { said_.push_back(std::move(text)); }
    void flush_story();

    Machine& machine(std::string const& name);
    static core::ObjectId object(std::string const& text);
    Content content(std::string const& name); // "" and `absent` mean absent
    static std::int64_t duration(std::string const& text); // 30s, 5m, 2h, 40d, -40s

    // script_commands.cpp: what people and faults do
    void stations(Words const& words);
    void station(Words const& words);
    void power(Words const& words);
    void edit(Words const& words);
    void change_live(Words const& words);
    void edit_when(Words const& words);
    void clock(Words const& words);
    void run_for(Words const& words);
    void settle(Words const& words);
    void network(Words const& words);
    void order(Words const& words);
    void crash_at(Words const& words);
    void lose(Words const& words);
    void snapshot(Words const& words);
    void clone(Words const& words);
    void trouble(Words const& words);
    void version(Words const& words);

    // script_expectations.cpp: what must be so
    void expect_live(Words const& words);
    void expect_kept(Words const& words);
    void expect_state(Words const& words);
    void expect_reason(Words const& words);
    void expect_conflict(Words const& words);
    void expect_message(Words const& words);
    void expect_station(Words const& words);
    void expect_established(Words const& words);
    void expect_head(Words const& words);
    void expect_count(Words const& words);
    void expect_time(Words const& words);
    void explain(Words const& words);
    void judge(Words const& words);

    Cluster cluster_;
    std::map<std::string, std::size_t> by_name_;
    std::map<std::string, Content> contents_;
    std::size_t line_ = 0;
    std::vector<std::string> said_;
    std::vector<std::string> failures_;
};

} // namespace stationsync::simulation
