// Names and texts never leave their quotes, whatever they hold.
#include "quoting.hpp"

#include "text.hpp"

#include <stationsync/error.hpp>

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i)
        result += text;
    return result;
}

// The sentence of the refusal, "" when it is taken.
template <class Quote>
std::string refusal(Quote&& quote, std::string_view text) {
    try {
        quote(text);
    } catch (const sdk::Error& error) {
        EXPECT_EQ(error.status(), STSYNC_INVALID_ARG);
        return error.what();
    }
    return "";
}

const auto name = [](std::string_view text) { return quoted_name(text); };
const auto text = [](std::string_view each) { return quoted_text(each); };
const auto file_path = [](std::string_view each) { return quoted_path(each); };

TEST(QuotedName, DoublesItsClosingBracketOnly) {
    EXPECT_EQ(quoted_name("Batch"), "[Batch]");
    EXPECT_EQ(quoted_name("a]b"), "[a]]b]");
    EXPECT_EQ(quoted_name("]; DROP DATABASE x--"), "[]]; DROP DATABASE x--]");
    EXPECT_EQ(quoted_name("x'y"), "[x'y]");
    EXPECT_EQ(quoted_name("a[b"), "[a[b]");
    EXPECT_EQ(quoted_name("Žluť😀"), "[Žluť😀]");
    EXPECT_EQ(quoted_name("a]b", "c]"), "[a]]b].[c]]]");
}

TEST(QuotedName, MayHave128UnitsOfUtf16) {
    EXPECT_EQ(refusal(name, repeated("x", 128)), "");
    EXPECT_NE(refusal(name, repeated("x", 129)).find("129 characters"), std::string::npos);
    EXPECT_EQ(refusal(name, repeated("ž", 128)), "");
    // Beyond the first plane each character takes two.
    EXPECT_EQ(refusal(name, repeated("😀", 64)), "");
    EXPECT_NE(refusal(name, repeated("😀", 65)).find("130 characters"), std::string::npos);
    EXPECT_EQ(refusal(name, repeated("]", 128)), "") << "doubled ones count once";
}

TEST(QuotedName, RefusesWhatIsNoName) {
    EXPECT_NE(refusal(name, ""), "");
    EXPECT_NE(refusal(name, std::string_view("a\0b", 3)), "");
    EXPECT_NE(refusal(name, "a\xed\xa0\x80"), "") << "a lone surrogate";
    EXPECT_NE(refusal(name, "a\xed\xb0\x80z"), "") << "the other half";
    EXPECT_NE(refusal(name, "a\xff"), "");
    EXPECT_NE(refusal(name, "\xf0\x9f\x98"), "") << "cut in the middle";
}

TEST(QuotedText, DoublesItsQuotes) {
    EXPECT_EQ(quoted_text(""), "N''");
    EXPECT_EQ(quoted_text("it's"), "N'it''s'");
    EXPECT_EQ(quoted_text("'; SHUTDOWN --"), "N'''; SHUTDOWN --'");
    EXPECT_EQ(quoted_text("a]b\\\n"), "N'a]b\\\n'");
    EXPECT_NE(refusal(text, std::string_view("a\0", 2)), "");
    EXPECT_NE(refusal(text, "\xed\xa0\x80"), "");
}

TEST(QuotedPath, MayHave259Units) {
    EXPECT_EQ(quoted_path("D:\\sync\\o'neil\\1.bak"), "N'D:\\sync\\o''neil\\1.bak'");
    EXPECT_EQ(refusal(file_path, "C:\\" + repeated("é", 256)), "");
    EXPECT_NE(refusal(file_path, "C:\\" + repeated("é", 257)).find("260 characters"),
              std::string::npos);
    EXPECT_NE(refusal(file_path, ""), "");
    EXPECT_NE(refusal(file_path, "C:\\a\nb"), "");
}

// A parser of T-SQL that knows quotes only: what is left outside of them must be nothing.
std::string outside_of_quotes(std::string_view statement) {
    std::string rest;
    for (std::size_t at = 0; at < statement.size(); ++at) {
        const char open = statement[at];
        if (open != '[' && open != '\'') {
            rest += open;
            continue;
        }
        const char close = open == '[' ? ']' : '\'';
        for (++at; at < statement.size(); ++at) {
            if (statement[at] != close)
                continue;
            if (at + 1 < statement.size() && statement[at + 1] == close)
                ++at;
            else
                break;
        }
        if (at >= statement.size())
            rest += "<open>";
    }
    return rest;
}

TEST(Quoting, LeavesNothingOutsideOfTheQuotesWhateverIsGiven) {
    const std::vector<std::string> parts = {"]",  "[", "'",  "--", "/*", "*/", ";",
                                            "\"", "x", "''", "]]", "N'", "\n", "😀"};
    for (const std::string& a : parts)
        for (const std::string& b : parts)
            for (const std::string& c : parts) {
                std::string hostile = a;
                hostile.append(b).append(c);
                EXPECT_EQ(outside_of_quotes(quoted_name(hostile)), "") << hostile;
                EXPECT_EQ(outside_of_quotes(quoted_text(hostile)), "N") << hostile;
            }
}

TEST(Texts, GoToTheDriverAndBackUnchanged) {
    for (const std::string each : {"", "plain", "Žluť😀", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbd"}) {
        const FromWide back = utf8_of(utf16_of(each));
        EXPECT_EQ(back.text, each);
        EXPECT_TRUE(back.is_exact);
        EXPECT_EQ(utf16_units(each), utf16_of(each).size());
    }
}

TEST(Texts, HalfACharacterIsReplacedAndTold) {
    const FromWide lone = utf8_of(std::u16string(u"a") + char16_t{0xd83d} + u"b");
    EXPECT_EQ(lone.text, "a\xef\xbf\xbd"
                         "b");
    EXPECT_FALSE(lone.is_exact);
    EXPECT_FALSE(utf8_of(std::u16string(1, char16_t{0xde00})).is_exact);
    EXPECT_EQ(utf16_of("\xed\xa0\x80x"), u"\xfffd\xfffd\xfffdx");
}

TEST(Texts, AreCutBetweenCharacters) {
    EXPECT_EQ(presentable("ab😀", 3), "ab…");
    EXPECT_EQ(presentable("a\r\n\tb \n", 100), "a   b");
}

} // namespace
} // namespace stationsync::sqlserver
