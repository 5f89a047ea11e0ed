#include "config/config_text.hpp"

#include "config/project_config.hpp"
#include "config/station_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using testing::HasSubstr;

TEST(FreshConfig, TheStationFileReadsBackAsAsked) {
    const FreshStation station{"A \"quoted\" ü", {{"127.0.0.1", 8883}}, Endpoint{"127.0.0.1", 9}};
    const auto config =
        parse_station_config(fresh_station_text(station), "station.toml", paths_of("/r"));
    ASSERT_TRUE(config) << to_text(config.problems);
    EXPECT_EQ(config.value->name, station.name);
    EXPECT_EQ(config.value->net.listen, station.listen);
    EXPECT_EQ(config.value->net.api, station.api);
}

TEST(FreshConfig, WithoutAddressesTheDefaultsStayInForce) {
    const auto config =
        parse_station_config(fresh_station_text({"A", {}, {}}), "station.toml", paths_of("/r"));
    ASSERT_TRUE(config) << to_text(config.problems);
    EXPECT_TRUE(config.value->net.listen_is_default);
}

// Every default that the file shows behind # is the default of the code.
TEST(FreshConfig, CommentedDefaultsAreTheRealOnes) {
    auto text = fresh_station_text({"A", {}, {}});
    const auto plain = parse_station_config(text, "station.toml", paths_of("/r"));
    for (auto at = text.find("\n# "); at != std::string::npos; at = text.find("\n# ", at + 1)) {
        const auto line = text.substr(at + 3, text.find('\n', at + 1) - at - 3);
        if (line.find(" = ") != std::string::npos && line.find("levels") == std::string::npos) {
            text.erase(at + 1, 2);
        }
    }
    const auto spelled = parse_station_config(text, "station.toml", paths_of("/r"));
    ASSERT_TRUE(plain && spelled) << to_text(spelled.problems) << text;
    EXPECT_EQ(spelled.value->net.listen, plain.value->net.listen);
    EXPECT_EQ(spelled.value->net.dial_ports, plain.value->net.dial_ports);
    EXPECT_EQ(api_endpoint(*spelled.value), api_endpoint(*plain.value));
    EXPECT_EQ(spelled.value->sync.directory, plain.value->sync.directory);
    EXPECT_EQ(spelled.value->sync.live_above_bytes, plain.value->sync.live_above_bytes);
    EXPECT_EQ(spelled.value->sync.size_max_bytes, plain.value->sync.size_max_bytes);
    EXPECT_EQ(spelled.value->sync.age_max, plain.value->sync.age_max);
    EXPECT_EQ(spelled.value->history.directory, plain.value->history.directory);
    EXPECT_EQ(spelled.value->history.per_object, plain.value->history.per_object);
    EXPECT_EQ(spelled.value->history.age_max, plain.value->history.age_max);
    EXPECT_EQ(spelled.value->history.size_max_bytes, plain.value->history.size_max_bytes);
    EXPECT_EQ(spelled.value->log.directory, plain.value->log.directory);
    EXPECT_EQ(spelled.value->log.level, plain.value->log.level);
    EXPECT_EQ(spelled.value->log.file_bytes_max, plain.value->log.file_bytes_max);
    EXPECT_EQ(spelled.value->log.files_max, plain.value->log.files_max);
}

TEST(FreshConfig, ExampleProvidersAreDisabledAndStationsAreDialled) {
    const auto text = fresh_project_text({"P", {"127.0.0.1:8883"}});
    const auto config = parse_project_config(text, "P.toml", "P");
    ASSERT_TRUE(config) << to_text(config.problems);
    ASSERT_FALSE(config.value->providers.empty());
    for (const auto& provider : config.value->providers) {
        EXPECT_FALSE(provider.enabled) << provider.name;
    }
    ASSERT_EQ(config.value->discoveries.size(), 2U);
    EXPECT_EQ(config.value->discoveries[0].plugin, "discovery-wsd");
    EXPECT_EQ(to_json_text(config.value->discoveries[1].own), R"({"stations":["127.0.0.1:8883"]})");
}

TEST(FreshConfig, WithoutStationsOnlyTheNetworkIsSearched) {
    const auto text = fresh_project_text({"P", {}});
    const auto config = parse_project_config(text, "P.toml", "P");
    ASSERT_TRUE(config) << to_text(config.problems);
    ASSERT_EQ(config.value->discoveries.size(), 1u);
    EXPECT_EQ(config.value->discoveries.at(0).plugin, "discovery-wsd");
    EXPECT_THAT(text, HasSubstr("# [discovery.stations]"));
}

TEST(EnableProvider, OnlyTheOneValueChanges) {
    const std::string text =
        "# ü [providers.b]\n[providers.a]\nplugin = \"x\"\nenabled  =  false # why\n"
        "\n[providers.b]\nenabled = false\nplugin = \"x\"\n";
    const auto result = with_provider_enabled(text, "P.toml", "a", true);
    ASSERT_TRUE(result) << to_text(result.problems);
    EXPECT_EQ(*result.value,
              "# ü [providers.b]\n[providers.a]\nplugin = \"x\"\nenabled  =  true # why\n"
              "\n[providers.b]\nenabled = false\nplugin = \"x\"\n");
}

TEST(EnableProvider, AMissingKeyIsAddedUnderItsHeader) {
    const auto result =
        with_provider_enabled("[providers.a]\r\nplugin = \"x\"\r\n", "P.toml", "a", false);
    ASSERT_TRUE(result) << to_text(result.problems);
    EXPECT_EQ(*result.value, "[providers.a]\r\nenabled = false\r\nplugin = \"x\"\r\n");
}

TEST(EnableProvider, InlineAndDottedFormsChangeInPlace) {
    const auto inline_table = with_provider_enabled(
        "providers.a = { plugin = \"ü\", enabled = false }\n", "P", "a", true);
    ASSERT_TRUE(inline_table) << to_text(inline_table.problems);
    EXPECT_EQ(*inline_table.value, "providers.a = { plugin = \"ü\", enabled = true }\n");
    const auto dotted =
        with_provider_enabled("[providers]\na.plugin = \"x\"\na.enabled = true\n", "P", "a", false);
    ASSERT_TRUE(dotted) << to_text(dotted.problems);
    EXPECT_EQ(*dotted.value, "[providers]\na.plugin = \"x\"\na.enabled = false\n");
}

TEST(EnableProvider, AFormThatCannotBeEditedIsLeftToThePerson) {
    const auto result =
        with_provider_enabled("providers.a = { plugin = \"x\" }\n", "P.toml", "a", true);
    ASSERT_FALSE(result);
    EXPECT_THAT(to_text(result.problems), HasSubstr("by hand"));
}

TEST(EnableProvider, AnUnknownProviderGetsASuggestion) {
    const auto result = with_provider_enabled("[providers.recipes]\n", "P.toml", "recipe", true);
    ASSERT_FALSE(result);
    EXPECT_THAT(to_text(result.problems), HasSubstr("Did you mean \"recipes\"?"));
}

TEST(StationName, IsReplacedInPlace) {
    const auto result = with_station_name("[station] # x\nname = 'old'  # y\n", "s", "new \"1\"");
    ASSERT_TRUE(result) << to_text(result.problems);
    EXPECT_EQ(*result.value, "[station] # x\nname = \"new \\\"1\\\"\"  # y\n");
}

} // namespace
} // namespace stationsync::host
