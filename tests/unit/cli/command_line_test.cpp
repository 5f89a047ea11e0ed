#include "cli/command_line.hpp"

#include "cli/commands.hpp"
#include "cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace stationsync::host::cli {
namespace {

using testing::HasSubstr;

Invocation parse(const std::vector<std::string>& arguments) {
    return parse_command_line(all_commands(), arguments);
}

std::string usage_error(const std::vector<std::string>& arguments) {
    try {
        parse(arguments);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "no error";
}

TEST(CommandLine, GlobalOptionsStandBeforeOrBehindTheCommand) {
    for (const auto& arguments : {std::vector<std::string>{"--root", "/r", "status", "--json"},
                                  {"status", "--json", "--root=/r"},
                                  {"--root=/r", "--json", "status"}}) {
        const auto call = parse(arguments);
        EXPECT_EQ(call.command->name, "status");
        EXPECT_EQ(call.paths.root, "/r");
        EXPECT_TRUE(call.json);
    }
}

TEST(CommandLine, CommandsOfTwoWords) {
    EXPECT_EQ(parse({"project", "use", "My Plant"}).command->name, "project use");
    EXPECT_EQ(parse({"project", "use", "My Plant"}).argument(0), "My Plant");
    EXPECT_EQ(parse({"provider", "accept-root", "recipes"}).command->name, "provider accept-root");
    EXPECT_EQ(parse({"project", "--root", "/r", "list"}).command->name, "project list");
    EXPECT_THAT(usage_error({"project"}), HasSubstr("needs a second word. Known are: list, use"));
    EXPECT_THAT(usage_error({"project", "ues", "x"}), HasSubstr("Did you mean \"use\"?"));
}

TEST(CommandLine, OptionsWithValuesMayRepeatWhereThatMakesSense) {
    const auto call = parse({"init", "--project", "P", "--station", "S", "--listen", "1.2.3.4",
                             "--listen", "1.2.3.5:9"});
    EXPECT_EQ(call.value("project"), "P");
    EXPECT_THAT(call.values("listen"), testing::ElementsAre("1.2.3.4", "1.2.3.5:9"));
    EXPECT_THROW(parse({"init", "--project", "P", "--project", "Q"}).value("project"), UsageError);
}

TEST(CommandLine, ADashAsArgumentMeansStandardInput) {
    EXPECT_EQ(parse({"join", "-", "--station", "S"}).argument(0), "-");
    EXPECT_EQ(parse({"join", "--station", "S", "-"}).argument(0), "-");
}

TEST(CommandLine, ShortOptions) {
    EXPECT_TRUE(parse({"log", "-f"}).has("follow"));
    EXPECT_EQ(parse({"log", "-n", "5"}).value("lines"), "5");
}

TEST(CommandLine, WrongCommandLinesAreUsageErrorsThatHelp) {
    EXPECT_THAT(usage_error({}), HasSubstr("no command"));
    EXPECT_THAT(usage_error({"statsu"}), HasSubstr("Did you mean `status`?"));
    EXPECT_THAT(usage_error({"status", "extra"}), HasSubstr("one argument too many"));
    EXPECT_THAT(usage_error({"explain"}), HasSubstr("Usage: stationsync explain PROVIDER/KEY"));
    EXPECT_THAT(usage_error({"status", "--nonsense"}), HasSubstr("stationsync help status"));
    EXPECT_THAT(usage_error({"start", "--json"}), HasSubstr("json"));
    EXPECT_THAT(usage_error({"status", "--root"}), HasSubstr("root"));
    EXPECT_THAT(usage_error({"status", "--js"}), HasSubstr("js")) << "no abbreviations";
    EXPECT_THAT(usage_error({"status", "\xff"}), HasSubstr("UTF-8"));
}

TEST(CommandLine, HelpAndVersionNeedNoArguments) {
    EXPECT_TRUE(parse({"--version"}).version);
    EXPECT_TRUE(parse({"--help"}).help);
    EXPECT_EQ(parse({"explain", "--help"}).help_topic, "explain");
    EXPECT_EQ(parse({"help", "project", "use"}).help_topic, "project use");
    EXPECT_EQ(parse({"--root", "/r", "help", "project", "use"}).help_topic, "project use");
    EXPECT_TRUE(parse({"project", "--help"}).help);
}

TEST(Help, FitsTheScreenForEveryCommand) {
    std::string all = help_text(all_commands(), "") + help_text(all_commands(), "project");
    for (const auto& command : all_commands()) {
        const auto text = help_text(all_commands(), command.name);
        EXPECT_THAT(text, HasSubstr("Usage: stationsync"));
        EXPECT_THAT(text, HasSubstr(command.summary.substr(0, 20)));
        all += text;
    }
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), screen_columns + 8) << line; // usage lines are not broken
    }
    EXPECT_THROW(help_text(all_commands(), "nonsense"), UsageError);
}

TEST(Program, ExitCodesAreDoneFailedAndUsage) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Environment environment{in, out, err, "/bin/stationsync", nullptr};
    EXPECT_EQ(run_program({"--version"}, environment), exit_done);
    EXPECT_THAT(out.str(), testing::MatchesRegex("stationsync [0-9.]+\n"));
    EXPECT_EQ(run_program({"help"}, environment), exit_done);
    EXPECT_EQ(run_program({"nonsense"}, environment), exit_usage);
    EXPECT_EQ(run_program({"explain", "no-slash"}, environment), exit_usage);
    EXPECT_EQ(run_program({"restore", "p/k"}, environment), exit_usage);
    EXPECT_EQ(run_program({"wait", "--timeout", "soon"}, environment), exit_usage);
    EXPECT_EQ(run_program({"--root", "/nonexistent", "status"}, environment), exit_failed);
    EXPECT_THAT(err.str(), HasSubstr("there is no station in /nonexistent"));
}

} // namespace
} // namespace stationsync::host::cli
