#include "net/join_code.hpp"
#include "net/station_identity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace stationsync::host {
namespace {

JoinCode example() {
    JoinCode code;
    code.project = "Brauerei S\xc3\xbc"
                   "d";
    code.key = ProjectKey::generate();
    code.key_made_at = {1'700'000'000'123'456};
    code.inviter = StationIdentity::generate().id();
    code.addresses = {"10.0.0.1:8883", "[fe80::1]:9000", "os1.plant.example:8883"};
    return code;
}

void expect_equal(const JoinCode& a, const JoinCode& b) {
    EXPECT_EQ(a.project, b.project);
    EXPECT_TRUE(a.key == b.key);
    EXPECT_EQ(a.key_made_at, b.key_made_at);
    EXPECT_EQ(a.inviter, b.inviter);
    EXPECT_EQ(a.addresses, b.addresses);
}

TEST(JoinCode, ReadsBackWhatWasWritten) {
    const JoinCode code = example();
    const auto parsed = parse_join_code(to_text(code));
    ASSERT_TRUE(parsed) << parsed.error().text;
    expect_equal(*parsed, code);
}

TEST(JoinCode, LinesFit80Columns) {
    const std::string text = to_text(example());
    std::size_t begin = 0;
    for (std::size_t end; begin < text.size(); begin = end + 1) {
        end = std::min(text.find('\n', begin), text.size());
        EXPECT_LE(end - begin, 79u);
    }
}

TEST(JoinCode, CaseSpacesDashesAndLookAlikesDoNotMatter) {
    const JoinCode code = example();
    std::string text = to_text(code);
    std::string typed = "  \n";
    for (char c : text) {
        if (c == '-') {
            typed += " \t";
        } else if (c == '0') {
            typed += 'o';
        } else if (c == '1') {
            typed += 'l';
        } else {
            typed += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    typed += "\r\n";
    const auto parsed = parse_join_code(typed);
    ASSERT_TRUE(parsed) << parsed.error().text;
    expect_equal(*parsed, code);
    std::erase(text, '-');
    EXPECT_TRUE(parse_join_code(text));
}

TEST(JoinCode, EveryWrongCharacterIsDetectedWithASentence) {
    const std::string text = to_text(example());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '-' || text[i] == '\n') {
            continue;
        }
        std::string typed = text;
        typed[i] = text[i] == 'X' ? 'Y' : 'X';
        const auto parsed = parse_join_code(typed);
        ASSERT_FALSE(parsed) << i;
        EXPECT_TRUE(parsed.error().text.ends_with('.'));
    }
}

TEST(JoinCode, EverySwapOfNeighboursAndEveryCutIsDetected) {
    std::string text = to_text(example());
    std::erase(text, '-');
    std::erase(text, '\n');
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        std::string typed = text;
        std::swap(typed[i], typed[i + 1]);
        EXPECT_TRUE(typed == text || !parse_join_code(typed)) << i;
        EXPECT_FALSE(parse_join_code(text.substr(0, i))) << i;
    }
}

TEST(JoinCode, NamesTheCharacterThatCannotBe) {
    const auto parsed = parse_join_code("ABCDE-FGH*J");
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().text.find("'*'"), std::string::npos) << parsed.error().text;
}

TEST(JoinCode, EmptyTextTellsWhereToGetOne) {
    const auto parsed = parse_join_code(" -\n");
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().text.find("invite"), std::string::npos);
}

TEST(JoinCode, UnfitProjectNameIsRefusedAlsoWithARightChecksum) {
    JoinCode code = example();
    code.project = "../x";
    const auto parsed = parse_join_code(to_text(code));
    ASSERT_FALSE(parsed);
    EXPECT_NE(parsed.error().text.find("project name"), std::string::npos);
}

TEST(JoinCode, UnusableAndTooManyAddressesAreLeftOut) {
    JoinCode code = example();
    code.addresses.insert(code.addresses.begin(), {"", "not an address", std::string(256, 'a')});
    for (int i = 0; i < 20; ++i) {
        code.addresses.push_back("10.0.1.1:" + std::to_string(i + 1));
    }
    const auto parsed = parse_join_code(to_text(code));
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_EQ(parsed->addresses.size(), 8u);
    EXPECT_EQ(parsed->addresses.front(), "10.0.0.1:8883");
}

TEST(JoinCode, RandomTextIsAlwaysRefused) {
    std::mt19937 random(7);
    const std::string text = to_text(example());
    for (int i = 0; i < 20'000; ++i) {
        std::string typed(random() % 300, ' ');
        std::generate(typed.begin(), typed.end(), [&] { return text[random() % text.size()]; });
        EXPECT_FALSE(parse_join_code(typed));
    }
}

} // namespace
} // namespace stationsync::host
