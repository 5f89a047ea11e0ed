#include "net/address.hpp"
#include "net/names.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

TEST(StationName, HasOneTo48BytesOfUtf8) {
    EXPECT_TRUE(valid_station_name("A"));
    EXPECT_TRUE(valid_station_name("Station M\xc3\xbcnchen 1 / left: \"x\""));
    EXPECT_TRUE(valid_station_name(std::string(48, 'x')));
    EXPECT_FALSE(valid_station_name(""));
    EXPECT_FALSE(valid_station_name(std::string(49, 'x')));
    EXPECT_FALSE(valid_station_name("\xff"));
    EXPECT_FALSE(valid_station_name("\xc0\xaf"));
}

TEST(StationName, HasNoControlCharacters) {
    for (const std::string_view bad : {"a\tb", "a\nb", "a\x7f", "a\xc2\x85z"}) {
        EXPECT_FALSE(valid_station_name(bad)) << bad;
    }
    EXPECT_FALSE(valid_station_name(std::string_view("a\0b", 3)));
    EXPECT_TRUE(valid_station_name("a\xc2\xa0z")); // no-break space is the first after C1
}

TEST(ProjectName, IsFitForAFolderOnEverySystem) {
    EXPECT_TRUE(valid_project_name("Brewery North 2"));
    for (const std::string_view bad :
         {"a/b", "a\\b", "a:b", "a*", "a?", "a\"", "<a",  "a>",   "a|b",      ".a",
          "a.",  " a",   "a ",  ".",  "..", "CON", "nul", "com1", "LPT9.txt", ""}) {
        EXPECT_FALSE(valid_project_name(bad)) << bad;
        EXPECT_TRUE(project_name_problem(bad)->ends_with('.')) << bad;
    }
}

TEST(Address, ReadsNamesNumbersAndPorts) {
    EXPECT_EQ(parse_host_port("plant-1", 8883), (HostPort{"plant-1", 8883}));
    EXPECT_EQ(parse_host_port("plant-1:99", 8883), (HostPort{"plant-1", 99}));
    EXPECT_EQ(parse_host_port("10.0.0.1:65535", 8883), (HostPort{"10.0.0.1", 65535}));
    EXPECT_EQ(parse_host_port("::1", 8883), (HostPort{"::1", 8883}));
    EXPECT_EQ(parse_host_port("[::1]", 8883), (HostPort{"::1", 8883}));
    EXPECT_EQ(parse_host_port("[fe80::1%eth0]:1", 8883), (HostPort{"fe80::1%eth0", 1}));
}

TEST(Address, RefusesWhatIsNone) {
    for (const std::string_view bad :
         {"", ":1", "a:", "a:0", "a:65536", "a:1x", "a b", "[::1", "[a]", "[::1]x", "[::1]:", "a/b",
          "a\n", "::1 ", "a\xff:1"}) {
        EXPECT_FALSE(parse_host_port(bad, 8883)) << bad;
    }
    EXPECT_FALSE(parse_host_port(std::string(300, 'a'), 8883));
}

TEST(Address, TextReadsBackAsTheSame) {
    for (const std::string_view text : {"a:1", "[::1]:2", "1.2.3.4:3"}) {
        EXPECT_EQ(to_text(*parse_host_port(text, 9)), text);
    }
}

} // namespace
} // namespace stationsync::host
