// Which keys are safe as relative paths on every system.
#include <stationsync/paths.hpp>

#include <gtest/gtest.h>

namespace stationsync::sdk {
namespace {

TEST(PathKey, OrdinaryNamesAreAllowed) {
    for (const char* key :
         {"a", "a.txt", "Rezepte/Öl & Salz (neu).rcp", "配方/第一.xml", "a/.hidden", "CONSOLE.txt",
          "COM10", "lpt", "a b/c d", "emoji-😀", "..a", "a..b", "com¹x"})
        EXPECT_FALSE(path_key_problem(key)) << key << ": " << *path_key_problem(key);
}

TEST(PathKey, NamesThatLeaveTheRootOrMeanSomethingElseSomewhereAreRefused) {
    for (const char* key : {"",         "/",        "/a",          "a/",       "a//b",
                            ".",        "..",       "../a",        "a/../b",   "a/./b",
                            "C:",       "C:a",      "C:/a",        "a\\b",     "\\\\server\\share",
                            "a:stream", "con",      "CON.txt",     "nul",      "Aux.x.y",
                            "com1",     "LPT9.txt", "COM\xC2\xB9", "con .txt", "a.",
                            "a ",       "a /b",     "a*",          "a?",       "a\"",
                            "a<",       "a>",       "a|",          "a\nb",     "a\x01",
                            "a\x7f",    "CONIN$"})
        EXPECT_TRUE(path_key_problem(key)) << key;
    EXPECT_TRUE(path_key_problem(std::string_view("a\0b", 3)));
}

TEST(PathKey, TextThatIsNotUtf8IsRefused) {
    for (const char* key : {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                            "\xe0\x80\xaf", "\x80", "\xf4\x90\x80\x80"})
        EXPECT_TRUE(path_key_problem(key));
}

TEST(PathKey, LengthIsLimited) {
    EXPECT_FALSE(path_key_problem(std::string(255, 'a')));
    EXPECT_TRUE(path_key_problem(std::string(256, 'a')));
    std::string deep = "a";
    while (deep.size() < 4095)
        deep += "/a";
    EXPECT_FALSE(path_key_problem(deep));
    EXPECT_TRUE(path_key_problem(deep + "/a"));
}

TEST(PathText, RoundTripsUtf8) {
    const std::string text = "Öl/配方/😀";
    EXPECT_EQ(utf8_from_path(path_from_utf8(text)), text);
}

} // namespace
} // namespace stationsync::sdk
