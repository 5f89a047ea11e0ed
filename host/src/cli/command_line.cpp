#include "cli/command_line.hpp"

#include "base/path_text.hpp"
#include "cli/table.hpp"
#include "config/units.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <sstream>

namespace stationsync::host::cli {

namespace po = boost::program_options;

namespace {

std::string long_name(const OptionSpec& option) {
    return option.name.substr(0, option.name.find(','));
}

const CommandSpec* find_command(const std::vector<CommandSpec>& commands, std::string_view name) {
    const auto found = std::ranges::find(commands, name, &CommandSpec::name);
    return found == commands.end() ? nullptr : &*found;
}

// "project" of "project use".
bool is_group(const std::vector<CommandSpec>& commands, const std::string& word) {
    return std::ranges::any_of(commands, [&word](const CommandSpec& command) {
        return command.name.starts_with(word + " ");
    });
}

std::vector<std::string> names_of(const std::vector<CommandSpec>& commands,
                                  const std::string& group) {
    std::vector<std::string> names;
    for (const auto& command : commands) {
        const auto blank = command.name.find(' ');
        if (group.empty()) {
            const auto first = command.name.substr(0, blank);
            if (names.empty() || names.back() != first) {
                names.push_back(first);
            }
        } else if (command.name.starts_with(group + " ")) {
            names.push_back(command.name.substr(blank + 1));
        }
    }
    return names;
}

// Takes the words of the command out of `words`; options before and between them stay.
std::string take_command(const std::vector<CommandSpec>& commands,
                         std::vector<std::string>& words) {
    const auto next = [&words](std::size_t from) {
        for (auto at = from; at < words.size(); ++at) {
            if (words[at] == "--root") {
                ++at;
            } else if (!words[at].starts_with('-')) {
                return at;
            }
        }
        return words.size();
    };
    const auto at = next(0);
    if (at == words.size()) {
        return {};
    }
    auto name = words[at];
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
    if (is_group(commands, name)) {
        const auto second = next(at);
        if (second != words.size()) {
            name += " " + words[second];
            words.erase(words.begin() + static_cast<std::ptrdiff_t>(second));
        }
    }
    return name;
}

[[noreturn]] void unknown_command(const std::vector<CommandSpec>& commands,
                                  const std::string& name) {
    const auto blank = name.find(' ');
    const auto group = name.substr(0, blank);
    if (is_group(commands, group)) {
        const auto names = names_of(commands, group);
        if (blank == std::string::npos) {
            throw UsageError("`" + group + "` needs a second word." + suggestion("", names));
        }
        throw UsageError("there is no command `" + name + "`." +
                         suggestion(name.substr(blank + 1), names));
    }
    const auto near = nearest(name, names_of(commands, ""));
    throw UsageError(
        "there is no command `" + name + "`." +
        (near ? " Did you mean `" + *near + "`?" : " `stationsync help` shows all commands."));
}

// `restore --version N` means something else than `stationsync --version`.
bool has_own_version(const CommandSpec* command) {
    return command != nullptr && std::ranges::any_of(command->options, [](const auto& option) {
               return option.name == "version";
           });
}

po::options_description options_of(const CommandSpec* command) {
    po::options_description options;
    options.add_options()("root", po::value<std::vector<std::string>>())("help,h", "");
    if (!has_own_version(command)) {
        options.add_options()("version", "");
    }
    if (command != nullptr && command->lists) {
        options.add_options()("json", "");
    }
    if (command != nullptr) {
        for (const auto& option : command->options) {
            if (option.argument.empty()) {
                options.add_options()(option.name.c_str(), "");
            } else {
                options.add_options()(option.name.c_str(), po::value<std::vector<std::string>>());
            }
        }
    }
    options.add_options()("argument", po::value<std::vector<std::string>>());
    return options;
}

void check_arguments(const Invocation& call) {
    const auto& command = *call.command;
    const auto usage = "Usage: stationsync " + command.name +
                       (command.arguments.empty() ? "" : " " + command.arguments);
    if (call.arguments.size() < command.arguments_least) {
        throw UsageError("`" + command.name + "` needs more: " + usage);
    }
    if (call.arguments.size() > command.arguments_most) {
        throw UsageError("\"" + call.arguments[command.arguments_most] +
                         "\" is one argument too many. " + usage);
    }
}

void fill(Invocation& call, const po::variables_map& map) {
    if (map.count("root") > 0) {
        const auto& roots = map["root"].as<std::vector<std::string>>();
        if (roots.size() > 1 || roots.front().empty()) {
            throw UsageError("--root takes one folder.");
        }
        call.paths = paths_of(path_of(roots.front()));
    } else {
        call.paths = paths_of(std::nullopt);
    }
    call.json = map.count("json") > 0;
    call.help = call.help || map.count("help") > 0;
    call.version = map.count("version") > 0 && !has_own_version(call.command);
    if (map.count("argument") > 0) {
        call.arguments = map["argument"].as<std::vector<std::string>>();
    }
    if (call.command == nullptr) {
        return;
    }
    for (const auto& option : call.command->options) {
        const auto name = long_name(option);
        if (map.count(name) > 0) {
            call.options[name] = option.argument.empty() ? std::vector<std::string>{""}
                                                         : map[name].as<std::vector<std::string>>();
        }
    }
}

std::string usage_line(const CommandSpec& command) {
    return "stationsync [--root DIR] " + command.name +
           (command.arguments.empty() ? "" : " " + command.arguments) +
           (command.lists || !command.options.empty() ? " [OPTIONS]" : "");
}

std::string overview(const std::vector<CommandSpec>& commands, const std::string& group) {
    std::ostringstream out;
    if (group.empty()) {
        out << "StationSync keeps the configuration of a batch plant identical on all stations.\n\n"
               "Usage: stationsync [--root DIR] COMMAND ...\n\n";
    }
    for (const auto& command : commands) {
        if (!group.empty() && !command.name.starts_with(group + " ")) {
            continue;
        }
        constexpr std::size_t name_columns = 28;
        out << "  " << command.name
            << std::string(name_columns - std::min(name_columns - 1, command.name.size()), ' ')
            << command.summary << '\n';
    }
    out << "\n`stationsync help COMMAND` tells more about one of them.\n"
           "--root DIR   all files of the station lie under DIR (default: the places of the "
           "system)\n"
           "--version    shows the version\n";
    return out.str();
}

} // namespace

std::optional<std::string> Invocation::value(const std::string& option) const {
    const auto& all = values(option);
    if (all.size() > 1) {
        throw UsageError("--" + option + " can be given once only.");
    }
    return all.empty() ? std::nullopt : std::optional(all.front());
}

const std::vector<std::string>& Invocation::values(const std::string& option) const {
    static const std::vector<std::string> none;
    const auto found = options.find(option);
    return found == options.end() ? none : found->second;
}

std::string Invocation::argument(std::size_t index) const {
    return index < arguments.size() ? arguments[index] : std::string();
}

Invocation parse_command_line(const std::vector<CommandSpec>& commands,
                              const std::vector<std::string>& arguments) {
    if (!std::ranges::all_of(arguments, is_valid_utf8)) {
        throw UsageError("the command line is not valid UTF-8.");
    }
    auto words = arguments;
    const auto name = take_command(commands, words);
    Invocation call;
    if (name == "help") {
        call.help = true;
        for (std::size_t at = 0; at < words.size(); ++at) {
            if (words[at] == "--root") {
                ++at; // its folder is no topic
            } else if (!words[at].starts_with('-')) {
                call.help_topic += (call.help_topic.empty() ? "" : " ") + words[at];
            }
        }
        return call;
    }
    call.command = name.empty() ? nullptr : find_command(commands, name);
    const auto asks_help = std::ranges::any_of(
        words, [](const std::string& word) { return word == "--help" || word == "-h"; });
    if (call.command == nullptr && !name.empty() && !(asks_help && is_group(commands, name))) {
        unknown_command(commands, name);
    }
    const auto options = options_of(call.command);
    po::positional_options_description positions;
    positions.add("argument", -1);
    po::variables_map map;
    try {
        namespace style = po::command_line_style;
        po::store(po::command_line_parser(words)
                      .options(options)
                      .positional(positions)
                      .style(style::unix_style ^ style::allow_guessing)
                      .run(),
                  map);
    } catch (const po::error& error) {
        throw UsageError(std::string(error.what()) + "." +
                         (call.command == nullptr ? ""
                                                  : " `stationsync help " + call.command->name +
                                                        "` shows the options."));
    }
    fill(call, map);
    call.help_topic = name;
    if (call.help || call.version) {
        return call;
    }
    if (call.command == nullptr) {
        throw UsageError("no command is given. `stationsync help` shows all commands.");
    }
    check_arguments(call);
    return call;
}

std::string help_text(const std::vector<CommandSpec>& commands, const std::string& topic) {
    if (topic.empty()) {
        return overview(commands, "");
    }
    const auto* const command = find_command(commands, topic);
    if (command == nullptr) {
        if (is_group(commands, topic)) {
            return overview(commands, topic);
        }
        unknown_command(commands, topic);
    }
    std::ostringstream out;
    out << "Usage: " << usage_line(*command) << "\n\n";
    write_wrapped(out, command->summary + ".", 0);
    std::istringstream paragraphs(command->details);
    for (std::string paragraph; std::getline(paragraphs, paragraph);) {
        out << '\n';
        write_wrapped(out, paragraph, 0);
    }
    if (command->lists || !command->options.empty()) {
        out << "\nOptions:\n";
    }
    for (const auto& option : command->options) {
        const auto comma = option.name.find(',');
        out << "  --" << long_name(option)
            << (comma == std::string::npos ? "" : ", -" + option.name.substr(comma + 1))
            << (option.argument.empty() ? "" : " " + option.argument) << '\n';
        write_wrapped(out, option.text, 6);
    }
    if (command->lists) {
        out << "  --json\n      Print JSON instead of a table; its fields are in "
               "docs/openapi.yaml.\n";
    }
    return out.str();
}

} // namespace stationsync::host::cli
