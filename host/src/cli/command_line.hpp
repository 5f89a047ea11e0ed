#pragma once
// What was typed, taken apart. Boost.Program_options stays in the .cpp file.

#include "cli/environment.hpp"
#include "config/root_paths.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::cli {

struct Invocation;
using Handler = int (*)(const Invocation&, Environment&);

struct OptionSpec {
    std::string name;     // "listen", or "follow,f" with a short form
    std::string argument; // "ADDR[:PORT]"; empty for a switch
    std::string text;     // one line of help
};

struct CommandSpec {
    std::string name;      // "status", "project use"
    std::string arguments; // as shown in the usage line: "PROVIDER/KEY", "[PROVIDER]"
    std::size_t arguments_least = 0;
    std::size_t arguments_most = 0;
    std::string summary; // one line without a full stop
    std::string details; // paragraphs for `help COMMAND`
    bool lists = false;  // has --json
    std::vector<OptionSpec> options;
    Handler handler = nullptr;
};

struct Invocation {
    const CommandSpec* command = nullptr; // null with help or version
    RootPaths paths;
    bool json = false;
    bool help = false;
    bool version = false;
    std::string help_topic; // words behind `help`, or the command that --help stands behind
    std::vector<std::string> arguments;
    std::map<std::string, std::vector<std::string>> options; // long name -> values; switches: {""}

    bool has(const std::string& option) const { return options.contains(option); }
    std::optional<std::string> value(const std::string& option) const;
    const std::vector<std::string>& values(const std::string& option) const;
    // Empty when there are fewer arguments.
    std::string argument(std::size_t index) const;
};

// `arguments` without the program's name, UTF-8. Throws UsageError.
Invocation parse_command_line(const std::vector<CommandSpec>& commands,
                              const std::vector<std::string>& arguments);

// The general overview, or one command's help. Throws UsageError for an unknown topic.
std::string help_text(const std::vector<CommandSpec>& commands, const std::string& topic);

} // namespace stationsync::host::cli
