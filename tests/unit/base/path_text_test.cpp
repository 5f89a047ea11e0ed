#include "base/path_text.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

TEST(Utf8, AcceptsOnlyWellFormedText) {
    EXPECT_TRUE(is_valid_utf8(""));
    EXPECT_TRUE(is_valid_utf8("Rezept Ä \xE2\x82\xAC \xF0\x9F\x98\x80"));
    EXPECT_FALSE(is_valid_utf8("\xC0\xAF"));         // overlong
    EXPECT_FALSE(is_valid_utf8("\xE0\x80\xAF"));     // overlong
    EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));     // surrogate
    EXPECT_FALSE(is_valid_utf8("\xF4\x90\x80\x80")); // beyond U+10FFFF
    EXPECT_FALSE(is_valid_utf8("\xC3"));             // cut off
    EXPECT_FALSE(is_valid_utf8("\x80"));
}

TEST(Utf8, PrefixCutsNoCharacter) {
    EXPECT_EQ(utf8_prefix("aÄ", 2), "a");
    EXPECT_EQ(utf8_prefix("aÄ", 3), "aÄ");
    EXPECT_EQ(utf8_prefix("abc", 10), "abc");
}

TEST(ReadableName, ReplacesWhatNoSystemAccepts) {
    EXPECT_EQ(readable_name("a/b\\c:d*e?f\"g<h>i|j~k\n", 60), "a_b_c_d_e_f_g_h_i_j_k_");
    EXPECT_EQ(readable_name("..", 60), "__");
    EXPECT_EQ(readable_name(" .x. ", 60), "__x__");
    EXPECT_EQ(readable_name("", 60), "_");
    EXPECT_EQ(readable_name("\xFFz", 60), "_z");
    EXPECT_EQ(readable_name("nul.txt", 60), "_ul.txt");
}

TEST(ReadableName, StaysWithinItsBytesAndCutsNoCharacter) {
    const std::string name = readable_name(std::string(59, 'a') + "Äb", 60);
    EXPECT_EQ(name, std::string(59, 'a'));
    EXPECT_TRUE(is_valid_utf8(name));
}

TEST(ReservedWindowsName, KnowsDevicesWithAndWithoutExtension) {
    for (const char* name : {"CON", "con", "Nul.txt", "COM1", "lpt9.bak", "AUX ", "CONIN$"}) {
        EXPECT_TRUE(is_reserved_windows_name(name)) << name;
    }
    for (const char* name : {"CONSOLE", "COM", "COMX", "nullx", "a.con", "COM10"}) {
        EXPECT_FALSE(is_reserved_windows_name(name)) << name;
    }
}

TEST(PathText, RoundTripsUnicode) {
    const std::string text = "Ordner Ä/\xF0\x9F\x98\x80";
    EXPECT_EQ(path_text(path_of(text)), text);
}

} // namespace
} // namespace stationsync::host
