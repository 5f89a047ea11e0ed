#include "cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace stationsync::host::cli {
namespace {

std::string text_of(const Table& table) {
    std::ostringstream out;
    table.write(out);
    return out.str();
}

TEST(Table, ColumnsAreAlignedAndLinesHaveNoBlanksAtTheirEnd) {
    Table table({{"NAME"}, {"SIZE", true}, {"STATE"}});
    table.add({"a", "5 B", "ok"});
    table.add({"bcd", "12 kB", ""});
    EXPECT_EQ(text_of(table), "NAME   SIZE  STATE\n"
                              "a       5 B  ok\n"
                              "bcd   12 kB\n");
}

TEST(Table, ColumnsWithoutContentAreLeftOut) {
    Table table({{"A"}, {"REASON"}, {"B"}});
    table.add({"1", "", "2"});
    EXPECT_EQ(text_of(table), "A  B\n1  2\n");
}

TEST(Table, WideColumnsGiveWayUntilTheLineFits) {
    Table table({{"KEY", false, true, true}, {"STATE"}, {"REASON", false, true}});
    table.add({std::string(70, 'k') + "/end.txt", "waiting", std::string(70, 'r')});
    const auto text = text_of(table);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), screen_columns) << line;
    }
    EXPECT_THAT(text, testing::HasSubstr("/end.txt  waiting"));
    EXPECT_THAT(text, testing::HasSubstr("rrr…\n"));
}

TEST(Table, LettersBeyondAsciiTakeOnePlaceEach) {
    Table table({{"NAME"}, {"X"}});
    table.add({"Gärung", "1"});
    table.add({"u\xCC\x88", "2"}); // u with a combining diaeresis
    table.add({"abc", "3"});
    EXPECT_EQ(text_of(table), "NAME    X\n"
                              "Gärung  1\n"
                              "u\xCC\x88       2\n"
                              "abc     3\n");
}

TEST(Table, ControlCharactersCannotReachTheTerminal) {
    Table table({{"NAME"}});
    table.add({"evil\x1b[2J\nname"});
    EXPECT_EQ(text_of(table), "NAME\nevil?[2J?name\n");
}

TEST(Fitted, CutsAtTheWantedEnd) {
    EXPECT_EQ(fitted("abcdef", 6), "abcdef");
    EXPECT_EQ(fitted("abcdef", 4), "abc…");
    EXPECT_EQ(fitted("abcdef", 4, true), "…def");
    EXPECT_EQ(fitted("äöü", 2), "ä…");
}

TEST(Wrapped, BreaksAtBlanksAndKeepsLongWords) {
    EXPECT_THAT(wrapped("one two  three", 8), testing::ElementsAre("one two", "three"));
    EXPECT_THAT(wrapped("abcdefghij k", 4), testing::ElementsAre("abcdefghij", "k"));
    EXPECT_THAT(wrapped("", 4), testing::IsEmpty());
}

} // namespace
} // namespace stationsync::host::cli
