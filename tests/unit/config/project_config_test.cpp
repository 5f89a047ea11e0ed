#include "config/project_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view files_schema = R"({
    "root": {"type": "string", "required": true, "help": "the folder"},
    "include": {"type": "list"}, "depth": {"type": "integer"}, "password": {"type": "secret"}})";

KnownPlugins plugins() {
    return {[](std::string_view plugin) -> std::optional<std::string> {
                if (plugin == "filesync") {
                    return std::string(files_schema);
                }
                return plugin == "sqlite" ? std::optional<std::string>("") : std::nullopt;
            },
            {"filesync", "sqlite"}};
}

Loaded<ProjectConfig> parse(std::string_view text) {
    return parse_project_config(text, "P.toml", "P", plugins());
}

std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> texts;
    for (const auto& problem : parse(text).problems) {
        texts.push_back(to_text(problem));
    }
    return texts;
}

TEST(ProjectConfig, ProvidersCarryTheirOwnKeysForThePlugin) {
    const auto config = parse(R"(product_version = "7.1"
[providers.recipes]
plugin = "filesync"
root = "/r"
include = ["**/*.xml"]
password = { secret = "door" }
[providers.batchdb]
plugin = "sqlite"
enabled = false
settle = "1m"
files = ["/b.db"]
[discovery.stations]
plugin = "sqlite"
stations = ["a:1"]
)");
    ASSERT_TRUE(config) << to_text(config.problems);
    const auto& value = *config.value;
    EXPECT_EQ(value.product_version, "7.1");
    ASSERT_EQ(value.providers.size(), 2U);
    const auto& database = value.providers[0];
    EXPECT_EQ(database.name, "batchdb");
    EXPECT_FALSE(database.enabled);
    EXPECT_EQ(database.settle, std::chrono::minutes(1));
    const auto& recipes = value.providers[1];
    EXPECT_TRUE(recipes.enabled);
    EXPECT_EQ(to_json_text(recipes.own),
              R"({"include":["**/*.xml"],"password":{"secret":"door"},"root":"/r"})");
    ASSERT_EQ(value.discoveries.size(), 1U);
    EXPECT_EQ(value.discoveries[0].name, "stations");
}

TEST(ProjectConfig, DatabasesSettleForMinutesAndFilesForSeconds) {
    const auto config = parse("[providers.a]\nplugin = \"filesync\"\nroot = \"/r\"\n"
                              "[providers.b]\nplugin = \"sqlite\"\n");
    ASSERT_TRUE(config) << to_text(config.problems);
    EXPECT_EQ(config.value->providers[0].settle, milliseconds(5000));
    EXPECT_EQ(config.value->providers[1].settle, std::chrono::minutes(3));
    EXPECT_EQ(config.value->providers[1].settle_max, std::chrono::minutes(15));
}

TEST(ProjectConfig, OwnKeysAreCheckedAgainstThePluginsSchema) {
    const auto problems = problems_of(R"([providers.recipes]
plugin = "filesync"
rot = "/r"
include = ["a", 3.5]
depth = "deep"
)");
    ASSERT_EQ(problems.size(), 4U) << testing::PrintToString(problems);
    EXPECT_THAT(problems[0],
                HasSubstr("P.toml:1: [providers.recipes] lacks the key `root`, text in "
                          "quotes (the folder)."));
    EXPECT_THAT(problems[1],
                HasSubstr("P.toml:3: unknown key `rot` in [providers.recipes]. Did you "
                          "mean \"root\"?"));
    EXPECT_THAT(problems[2], HasSubstr("P.toml:4: `include`"));
    EXPECT_THAT(problems[3], HasSubstr("P.toml:5: `depth` in [providers.recipes] must be a whole"));
}

TEST(ProjectConfig, AnUnknownPluginIsAnErrorWithASuggestion) {
    const auto problems = problems_of("[providers.a]\nplugin = \"filesinc\"\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], HasSubstr("P.toml:2: there is no plugin \"filesinc\""));
    EXPECT_THAT(problems[0], HasSubstr("Did you mean \"filesync\"?"));
}

TEST(ProjectConfig, AProviderWithoutPluginOrWithABadNameIsAnError) {
    const auto problems = problems_of("[providers.Recipes]\nroot = \"/r\"\n");
    ASSERT_EQ(problems.size(), 2U) << testing::PrintToString(problems);
    EXPECT_THAT(problems[0], HasSubstr("1 to 32 characters"));
    EXPECT_THAT(problems[1], HasSubstr("lacks the key `plugin`"));
}

TEST(ProjectConfig, TheCapIsNotBelowTheQuietTime) {
    const auto problems =
        problems_of("[providers.b]\nplugin = \"sqlite\"\nsettle = \"5m\"\nsettle_max = \"1m\"\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], HasSubstr("P.toml:4: `settle_max`"));
}

TEST(ProjectConfig, AQuietTimeAboveTheDefaultCapRaisesTheCap) {
    const auto config = parse("[providers.b]\nplugin = \"sqlite\"\nsettle = \"1h\"\n");
    ASSERT_TRUE(config) << to_text(config.problems);
    EXPECT_EQ(config.value->providers[0].settle_max, std::chrono::hours(1));
}

TEST(ProjectConfig, TheVersionOfThePlantSoftwareHasOneSource) {
    const auto file = parse("product_version_file = '/plant/version.txt'\n"
                            "product_version_pattern = 'Version ([0-9.]+)'\n");
    ASSERT_TRUE(file) << to_text(file.problems);
    EXPECT_EQ(file.value->conditions.version_file, "/plant/version.txt");
    EXPECT_TRUE(file.value->conditions.asks_version());
    EXPECT_FALSE(parse("product_version = \"1\"\n").value->conditions.asks_anything());
    EXPECT_THAT(problems_of("product_version = \"1\"\nproduct_version_command = \"v\"\n").at(0),
                HasSubstr("P.toml:2: the version of the plant software has several sources"));
    EXPECT_THAT(problems_of("product_version_file = \"version.txt\"\n").at(0),
                HasSubstr("must be a whole path"));
    EXPECT_THAT(problems_of("product_version_pattern = \"x\"\n").at(0),
                HasSubstr("needs `product_version_file`"));
    EXPECT_THAT(problems_of("product_version_file = '/v'\nproduct_version_pattern = '('\n").at(0),
                HasSubstr("P.toml:2: `product_version_pattern` is no regular expression"));
    EXPECT_THAT(problems_of("follow = \" \"\n").at(0), HasSubstr("`follow` is empty"));
}

TEST(ProjectConfig, AMismatchOfOneProviderRejectsTheStationUnlessItIsToBeSkipped) {
    EXPECT_FALSE(parse("").value->skip_mismatched_provider);
    EXPECT_TRUE(
        parse("on_provider_mismatch = \"skip-provider\"\n").value->skip_mismatched_provider);
    EXPECT_THAT(problems_of("on_provider_mismatch = \"ignore\"\n").at(0),
                HasSubstr("must be \"reject-station\" or \"skip-provider\", not \"ignore\""));
}

TEST(ProjectConfig, UnknownSectionsAndDatesAreErrors) {
    EXPECT_THAT(problems_of("[provider.a]\n").at(0), HasSubstr("Did you mean \"providers\"?"));
    EXPECT_THAT(problems_of("product_version = 2026-01-01\n").at(0), HasSubstr("P.toml:1: dates"));
}

TEST(ProjectConfig, EqualityIgnoresWhereAValueStands) {
    const auto a = parse("[providers.b]\nplugin = \"sqlite\"\nx = 1\ny = [1, 2]\n");
    const auto b = parse("# moved\n\n[providers.b]\ny = [1, 2]\nx = 1\nplugin = \"sqlite\"\n");
    const auto c = parse("[providers.b]\nplugin = \"sqlite\"\nx = 1\ny = [2, 1]\n");
    ASSERT_TRUE(a && b && c);
    EXPECT_TRUE(a.value->providers == b.value->providers);
    EXPECT_FALSE(a.value->providers == c.value->providers);
}

TEST(ProjectConfig, ApplyWhenIsWindowsOrACommandAndNoKeyOfThePlugin) {
    const auto config = parse(R"([providers.a]
plugin = "sqlite"
apply_when = "mon-fri 22:00-05:00"
[providers.b]
plugin = "sqlite"
apply_when = "test ! -e /run/batch"
[providers.c]
plugin = "sqlite"
)");
    ASSERT_TRUE(config) << to_text(config.problems);
    const auto& providers = config.value->providers;
    ASSERT_EQ(providers.size(), 3U);
    EXPECT_EQ(providers[0].apply_when.windows.size(), 1U);
    EXPECT_EQ(providers[1].apply_when.command, "test ! -e /run/batch");
    EXPECT_FALSE(providers[2].apply_when.asks_anything());
    EXPECT_EQ(to_json_text(providers[0].own), "{}");
    auto changed = providers[0];
    changed.apply_when = providers[1].apply_when;
    EXPECT_FALSE(changed == providers[0]) << "a change of it must reach the running service";
}

TEST(ProjectConfig, AWrongWindowOfApplyWhenIsToldWithWhatIsRight) {
    EXPECT_THAT(problems_of("[providers.a]\nplugin = \"sqlite\"\napply_when = \"22:00-25:00\"\n"),
                testing::ElementsAre(AllOf(HasSubstr("P.toml:3"), HasSubstr("apply_when"),
                                           HasSubstr("22:00-05:00"), HasSubstr("22:00-25:00"))));
}

} // namespace
} // namespace stationsync::host
