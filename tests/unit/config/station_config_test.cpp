#include "config/station_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using testing::HasSubstr;

Loaded<StationConfig> parse(std::string_view text) {
    return parse_station_config(text, "station.toml", paths_of("/plant"));
}

// The problems' texts, "station.toml:LINE: …".
std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> texts;
    for (const auto& problem : parse(text).problems) {
        texts.push_back(to_text(problem));
    }
    return texts;
}

TEST(StationConfig, ANameIsEnoughAndTheRestHasDefaults) {
    const auto config = parse("[station]\nname = \"A\"\n");
    ASSERT_TRUE(config) << to_text(config.problems);
    const auto& value = *config.value;
    EXPECT_EQ(value.name, "A");
    EXPECT_TRUE(value.net.listen_is_default);
    EXPECT_EQ(value.net.dial_ports, std::vector<std::uint16_t>{8883});
    EXPECT_EQ(api_endpoint(value), (Endpoint{"127.0.0.1", 8884}));
    EXPECT_EQ(value.sync.directory, "/plant/sync");
    EXPECT_EQ(value.sync.live_above_bytes, 64'000'000U);
    EXPECT_EQ(value.history.per_object, 5U);
    EXPECT_EQ(value.history.size_max_bytes, 20'000'000'000U);
    EXPECT_EQ(value.history.age_max, std::chrono::hours(24 * 30));
    EXPECT_EQ(value.log.directory, "/plant/log");
}

TEST(StationConfig, EveryKeyIsRead) {
    const auto config = parse(R"(
[station]
name = "Abfüllung 3"
[net]
listen = ["127.0.0.2:9000", "::1"]
dial_ports = [8883, 9000]
api = "127.0.0.9"
[sync]
directory = "elsewhere"
live_above = "1MB"
size_max = "1GB"
age_max = "7d"
[history]
directory = "/old"
per_object = 9
age_max = "60d"
size_max = 5000
[log]
directory = "/var/log/x"
level = "warning"
levels = { net = "debug", "plugins.recipes" = "trace" }
size = "1MB"
files = 3
)");
    ASSERT_TRUE(config) << to_text(config.problems);
    const auto& value = *config.value;
    EXPECT_EQ(value.net.listen,
              (std::vector<Endpoint>{{"127.0.0.2", 9000}, {"::1", link_port_default}}));
    EXPECT_FALSE(value.net.listen_is_default);
    EXPECT_EQ(value.net.dial_ports, (std::vector<std::uint16_t>{8883, 9000}));
    EXPECT_EQ(api_endpoint(value), (Endpoint{"127.0.0.9", 8884}));
    EXPECT_EQ(value.sync.directory, "/plant/elsewhere");
    EXPECT_EQ(value.sync.age_max, std::chrono::hours(24 * 7));
    EXPECT_EQ(value.history.directory, "/old");
    EXPECT_EQ(value.history.per_object, 9U);
    EXPECT_EQ(value.history.size_max_bytes, 5000U);
    EXPECT_EQ(value.log.level, log::Level::warning);
    EXPECT_EQ(value.log.levels.at("plugins.recipes"), log::Level::trace);
    EXPECT_EQ(value.log.files_max, 3U);
}

TEST(StationConfig, TheApiFollowsALoopbackAddressOfTheLinks) {
    const auto config = parse("[station]\nname = \"A\"\n[net]\nlisten = \"127.0.0.2\"\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(api_endpoint(*config.value), (Endpoint{"127.0.0.2", 8884}));
}

TEST(StationConfig, AnUnknownKeyIsAnErrorWithItsLineAndASuggestion) {
    const auto problems = problems_of("[station]\nname = \"A\"\n\n[net]\nlisen = \"0.0.0.0\"\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0],
              "station.toml:5: unknown key `lisen` in [net]. Did you mean \"listen\"?");
}

TEST(StationConfig, AnUnknownSectionIsAnError) {
    const auto problems = problems_of("[station]\nname = \"A\"\n[netz]\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], HasSubstr("station.toml:3: unknown section `netz`"));
    EXPECT_THAT(problems[0], HasSubstr("Did you mean \"net\"?"));
}

TEST(StationConfig, AllErrorsAreReportedAtOnceInTheOrderOfTheFile) {
    const auto problems = problems_of(R"([station]
name = 7
[net]
listen = ["localhost"]
dial_ports = [0]
[history]
per_object = 0
age_max = "3 weeks"
[log]
level = "loud"
size = "1kB"
)");
    ASSERT_EQ(problems.size(), 7U) << testing::PrintToString(problems);
    EXPECT_THAT(problems[0], HasSubstr("station.toml:2: `name` in [station] must be text"));
    EXPECT_THAT(problems[1],
                HasSubstr("station.toml:4: `listen` in [net] must be a numeric address"));
    EXPECT_THAT(problems[2], HasSubstr("station.toml:5:"));
    EXPECT_THAT(problems[3], HasSubstr("station.toml:7:"));
    EXPECT_THAT(
        problems[4],
        HasSubstr("station.toml:8: `age_max` in [history] must be a duration of at least 1d"));
    EXPECT_THAT(problems[5], HasSubstr("station.toml:10:"));
    EXPECT_THAT(problems[6],
                HasSubstr("station.toml:11: `size` in [log] must be a size of at least"));
}

TEST(StationConfig, ASyntaxErrorNamesItsLine) {
    const auto problems = problems_of("[station]\nname = \"A\nmore = 1\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], HasSubstr("station.toml:2: a text does not end on its line"));
}

TEST(StationConfig, PortZeroIsRefusedForLinks) {
    const auto problems = problems_of("[station]\nname = \"A\"\n[net]\nlisten = \"0.0.0.0:0\"\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0],
                HasSubstr("station.toml:4: `listen` in [net] must be an address with a "
                          "port from 1 to 65535"));
}

TEST(StationConfig, AMissingNameSaysWhatToWrite) {
    const auto problems = problems_of("[net]\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0], HasSubstr("[station] with name ="));
}

TEST(StationConfig, AMissingFileSaysHowToMakeAStation) {
    const auto config = load_station_config(paths_of("/nonexistent/root"));
    ASSERT_FALSE(config);
    EXPECT_THAT(to_text(config.problems), HasSubstr("stationsync init"));
}

TEST(RootPaths, EverythingLiesUnderTheRoot) {
    const auto paths = paths_of("/plant/a/");
    EXPECT_EQ(paths.station_file(), "/plant/a/station.toml");
    EXPECT_EQ(paths.project_file("P 1"), "/plant/a/projects/P 1.toml");
    EXPECT_EQ(paths.project_key("P 1"), "/plant/a/state/P 1/key");
    EXPECT_EQ(paths.history, "/plant/a/history");
}

} // namespace
} // namespace stationsync::host
