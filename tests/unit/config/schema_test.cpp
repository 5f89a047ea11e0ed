#include "config/schema.hpp"

#include "config/toml_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using testing::HasSubstr;

std::string check(std::string_view toml, std::string_view schema) {
    const auto table = read_toml(toml, "P.toml");
    EXPECT_TRUE(table) << to_text(table.problems);
    return to_text(check_plugin_keys(*table.value, schema, "P.toml", "[providers.x]", "plug"));
}

TEST(PluginSchema, AListOfTypesAcceptsEachOfThem) {
    constexpr auto schema = R"({"properties":{"a":{"type":["string","array"]}}})";
    EXPECT_EQ(check("a = \"x\"", schema), "");
    EXPECT_EQ(check("a = [1]", schema), "");
    EXPECT_THAT(check("a = 1", schema), HasSubstr("must be text in quotes or a list"));
}

TEST(PluginSchema, ASecretStandsForTextButTextNotForASecret) {
    EXPECT_EQ(check("a = { secret = \"N\" }", R"({"properties":{"a":{"type":"string"}}})"), "");
    EXPECT_THAT(check("a = \"plain\"", R"({"properties":{"a":{"type":"secret"}}})"),
                HasSubstr("a secret such as { secret = \"NAME\" }"));
}

TEST(PluginSchema, NestedTablesAndListsAreChecked) {
    constexpr auto schema = R"({"properties":{"t":{"type":"object","required":["k"],
        "additionalProperties":{"type":"integer"}},"l":{"type":"array","minItems":1}}})";
    EXPECT_THAT(check("t = { j = \"x\" }\nl = []", schema),
                testing::AllOf(HasSubstr("P.toml:1: `t` in [providers.x] lacks the key `k`"),
                               HasSubstr("`j` of `t` in [providers.x] must be a whole number"),
                               HasSubstr("P.toml:2: `l` in [providers.x] must be at least 1")));
}

TEST(PluginSchema, AnyOfNeedsOneMatch) {
    constexpr auto schema = R"({"anyOf":[{"required":["stations"]},{"required":["database"]}]})";
    EXPECT_EQ(check("database = \"x\"", schema), "");
    EXPECT_THAT(check("other = 1", schema), HasSubstr("lacks the key `stations`"));
}

TEST(PluginSchema, ABrokenSchemaIsThePluginsProblem) {
    EXPECT_THAT(check("a = 1", "{nonsense"), HasSubstr("the plugin \"plug\""));
    EXPECT_EQ(check("a = 1", R"({"properties":7,"required":"a","enum":{},"type":4})"), "");
}

} // namespace
} // namespace stationsync::host
