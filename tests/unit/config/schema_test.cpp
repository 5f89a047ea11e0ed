#include "config/schema.hpp"

#include "config/toml_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::host {
namespace {

using testing::HasSubstr;

std::string check(std::string_view toml, std::string_view schema) {
    const auto table = read_toml(toml, "P.toml");
    EXPECT_TRUE(table) << to_text(table.problems);
    return to_text(check_plugin_keys(*table.value, schema, "P.toml", "[providers.x]", "plug"));
}

constexpr std::string_view schema = R"({
    "root": {"type": "string", "required": true, "help": "absolute path of the folder"},
    "files": {"type": "list"}, "depth": {"type": "integer"}, "strict": {"type": "boolean"},
    "password": {"type": "secret"}, "server.port": {"type": "integer"},
    "odd": {"type": "colour"}})";

TEST(PluginSchema, RightValuesPass) {
    EXPECT_EQ(check("root = '/r'\nfiles = ['a', 'b']\ndepth = 3\nstrict = true\n"
                    "password = { secret = 'N' }\nserver = { port = 1433 }\nodd = 1.5",
                    schema),
              "");
    EXPECT_EQ(check("root = '/r'\nfiles = 'a single one counts as a list'", schema), "");
}

TEST(PluginSchema, EachWrongValueIsNamedWithItsLineAndWhatWouldBeRight) {
    const auto problems = check("root = 7\nfiles = ['a', { b = 1 }]\ndepth = '3'\nstrict = 'true'\n"
                                "password = 'plain'\nserver = { port = 'x' }",
                                schema);
    EXPECT_THAT(problems, HasSubstr("P.toml:1: `root` in [providers.x] must be text in quotes "
                                    "(absolute path of the folder), not a whole number."));
    EXPECT_THAT(problems, HasSubstr("P.toml:2: `files` in [providers.x] must be a list of texts"));
    EXPECT_THAT(problems, HasSubstr("P.toml:3: `depth` in [providers.x] must be a whole number"));
    EXPECT_THAT(problems, HasSubstr("P.toml:4: `strict` in [providers.x] must be true or false"));
    EXPECT_THAT(problems, HasSubstr("P.toml:5: `password` in [providers.x] must be a secret: "
                                    "{ secret = \"NAME\" }"));
    EXPECT_THAT(problems, HasSubstr("P.toml:6: `server.port` in [providers.x]"));
    EXPECT_EQ(std::ranges::count(problems, '\n'), 5);
}

TEST(PluginSchema, ASecretDoesNotStandForText) {
    EXPECT_THAT(check("root = { secret = 'N' }", schema), HasSubstr("must be text in quotes"));
}

TEST(PluginSchema, UnknownAndMissingKeysAreErrors) {
    const auto problems = check("rot = '/r'\nserver = { prot = 1 }", schema);
    EXPECT_THAT(problems, HasSubstr("P.toml:1: unknown key `rot` in [providers.x]. Did you mean "
                                    "\"root\"?"));
    EXPECT_THAT(problems, HasSubstr("P.toml:2: unknown key `server.prot`"));
    EXPECT_THAT(problems, HasSubstr("lacks the key `root`, text in quotes (absolute path"));
}

TEST(PluginSchema, ABrokenSchemaIsThePluginsProblem) {
    for (const auto* broken : {"{nonsense", "[]", R"({"a": "string"})"}) {
        EXPECT_THAT(check("a = 1", broken), HasSubstr("the plugin \"plug\"")) << broken;
    }
    EXPECT_EQ(check("a = 1", R"({"a": {"type": 4, "required": "yes", "help": []}})"), "");
}

} // namespace
} // namespace stationsync::host
