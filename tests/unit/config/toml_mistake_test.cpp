// What is said of a file that is no valid TOML: line, cause and remedy in plain words.
#include "config/toml_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string said_of(std::string_view text) {
    const auto loaded = read_toml(text, "station.toml");
    return loaded ? "no problem" : to_text(loaded.problems);
}

TEST(TomlMistake, EachSaysWhereWhatIsWrongAndWhatWouldBeRight) {
    struct Case {
        const char* text;
        const char* cause;
        const char* remedy;
    };
    const Case cases[] = {
        {"[station]\nname = Reactor\n", ":2: the value of `name`", "such as name = \"...\""},
        {"[station]\nname =\n", ":2: the value of `name` is missing", "# in front"},
        {"name = # later\n", ":1: the value of `name` is missing", "# in front"},
        {"settle = 3m\n", ":1: the value of `settle`", "such as settle = \"...\""},
        {"api = 127.0.0.1:8884\n", ":1: the value of `api`", "such as api = \"...\""},
        {"enabled = True\n", ":1: the value of `enabled`", "true and false stand without"},
        {"name = \xe2\x80\x9cReactor\xe2\x80\x9d\n", ":1: the value of `name`", "straight"},
        {"[station]\nname = \"A\n[net]\n", ":2: a text does not end", "close it"},
        {"name = 'A\n", ":1: a text does not end", "close it"},
        {"root = \"C:\\Daten\"\n", ":1: a backslash", "single quotes, such as 'C:\\Daten'"},
        {"root = \"C:\\users\"\n", ":1: a backslash", "every backslash twice"},
        {"[net]\nx = 1\n[net]\n", ":3: the section [net] was there before", "keep one header"},
        {"[net]\nx = 1\nx = 2\n", ":3: `x` was there before", "keep one of the two lines"},
        {"[net\nx = 1\n", ":1: the header of a section", "such as [net]"},
        {"[providers recipes]\n", ":1: the header of a section", "[providers.recipes]"},
        {"name \"A\"\n", ":1: a key", "write key = value"},
        {"name: 1\n", ":1: a key", "write key = value"},
        {"// comment\n", ":1: this is neither", "with # in front"},
        {"listen = [\"a\" \"b\"]\n", ":1: the list", "with a comma between two values"},
        {"password = { secret = \"x\"\n", ":1: what stands in braces", "on one line"},
        {"name = \"A\" B\n", ":1: something stands behind the value", "one key = value per line"},
        {"name = \"\xff\"\n", ":1: the file is not in UTF-8", "encoding UTF-8"}};
    for (const auto& each : cases) {
        EXPECT_THAT(said_of(each.text), AllOf(HasSubstr("station.toml" + std::string(each.cause)),
                                              HasSubstr(each.remedy), Not(HasSubstr("parsing"))))
            << each.text;
    }
}

// It may be a password without quotes, and the text goes to the log.
TEST(TomlMistake, NoValueIsRepeated) {
    EXPECT_THAT(said_of("password = hunter2\n"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(said_of("hunter2 = = 1\n"), HasSubstr(":1:"));
}

} // namespace
} // namespace stationsync::host
