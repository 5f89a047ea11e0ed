// What include and exclude patterns mean.
#include "fold.hpp"
#include "patterns.hpp"

#include <gtest/gtest.h>

namespace filesync {
namespace {

TEST(Pattern, StarsStayWithinANameUnlessDoubled) {
    EXPECT_TRUE(matches("*.rcp", "a.rcp"));
    EXPECT_TRUE(matches("*.rcp", "A.RCP"));
    EXPECT_FALSE(matches("*.rcp", "sub/a.rcp"));
    EXPECT_TRUE(matches("**/a", "x/y/a"));
    EXPECT_TRUE(matches("**/a", "a"));
    EXPECT_TRUE(matches("a/**/z", "a/z"));
    EXPECT_TRUE(matches("a/**/z", "a/b/c/z"));
    EXPECT_FALSE(matches("a/**/z", "az"));
    EXPECT_TRUE(matches("a?c", "abc"));
    EXPECT_FALSE(matches("a?c", "a/c"));
    EXPECT_TRUE(matches("**", "a/b"));
    EXPECT_TRUE(matches("a*b*c", "aXbXbXc"));
    EXPECT_FALSE(matches("a", "ab"));
    EXPECT_FALSE(matches("", "a"));
}

TEST(Pattern, SetsMatchOneByte) {
    EXPECT_TRUE(matches("[a-c]x", "bx"));
    EXPECT_TRUE(matches("[A-C]x", "bx"));
    EXPECT_FALSE(matches("[!a-c]x", "bx"));
    EXPECT_TRUE(matches("[!a-c]x", "dx"));
    EXPECT_FALSE(matches("[!a]x", "/x"));
    EXPECT_TRUE(matches("[]]x", "]x"));
    EXPECT_TRUE(matches("[ab", "[ab"));
}

TEST(Patterns, ASlashTiesAPatternToThePath) {
    const Patterns patterns({"/top.txt", "any.txt", "a/b.txt"}, {});
    EXPECT_TRUE(patterns.contains("top.txt"));
    EXPECT_FALSE(patterns.contains("sub/top.txt"));
    EXPECT_TRUE(patterns.contains("sub/any.txt"));
    EXPECT_TRUE(patterns.contains("a/b.txt"));
    EXPECT_FALSE(patterns.contains("x/a/b.txt"));
}

TEST(Patterns, ExcludedFoldersExcludeWhatIsInThem) {
    const Patterns patterns({}, {"cache", "tmp/", "/logs/", "a/b/**"});
    for (const char* folder : {"cache", "x/cache", "tmp", "x/tmp", "logs", "a/b"})
        EXPECT_TRUE(patterns.excludes_folder(folder)) << folder;
    for (const char* folder : {"x/logs", "a", "x/a/b", "cache2"})
        EXPECT_FALSE(patterns.excludes_folder(folder)) << folder;
    EXPECT_FALSE(patterns.contains("x/cache/y/z"));
    EXPECT_FALSE(patterns.contains("a/b/c"));
    EXPECT_TRUE(patterns.contains("x/logs/y"));
}

TEST(Fold, NamesThatDifferInCaseOnlyAreTwins) {
    EXPECT_EQ(folded_hash("Recipe"), folded_hash("rECIPE"));
    EXPECT_EQ(folded_hash("ÄÖÜ"), folded_hash("äöü"));
    EXPECT_EQ(folded_hash("Ĺľ"), folded_hash("ĺĽ"));
    EXPECT_EQ(folded_hash("ΣΑΣ"), folded_hash("σας"));
    EXPECT_EQ(folded_hash("РЕЦЕПТЁ"), folded_hash("рецептё"));
    EXPECT_NE(folded_hash("a"), folded_hash("ä"));
    EXPECT_NE(folded_hash("×"), folded_hash("÷"));
    EXPECT_NE(folded_hash("ab"), folded_hash("ba"));
}

} // namespace
} // namespace filesync
