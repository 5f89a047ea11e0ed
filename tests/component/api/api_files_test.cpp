#include "api/api_server.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stationsync::host {
namespace {

TEST(ApiFiles, TellWhereTheServiceIsAndAreGoneAfterwards) {
    const test::TempFolder root;
    const auto paths = paths_of(root.path());
    const auto tokens = make_api_tokens();
    write_api_files(paths, {"127.0.0.2", 1234}, tokens);
    const auto address = nlohmann::json::parse(test::read_file(paths.api_endpoint_file()));
    EXPECT_EQ(address["address"], "127.0.0.2");
    EXPECT_EQ(address["port"], 1234);
    EXPECT_EQ(test::read_file(paths.view_token_file()), tokens.view);
    EXPECT_EQ(test::read_file(paths.act_token_file()), tokens.act);
    remove_api_files(paths);
    EXPECT_FALSE(std::filesystem::exists(paths.api_endpoint_file()));
    EXPECT_FALSE(std::filesystem::exists(paths.act_token_file()));
}

TEST(ApiFiles, TokensAreLongDifferentAndClosedToOthers) {
    const test::TempFolder root;
    const auto paths = paths_of(root.path());
    const auto tokens = make_api_tokens();
    EXPECT_EQ(tokens.view.size(), 64U);
    EXPECT_NE(tokens.view, tokens.act);
    EXPECT_NE(tokens.act, make_api_tokens().act);
    write_api_files(paths, {"127.0.0.1", 1}, tokens);
    using std::filesystem::perms;
    const auto act = std::filesystem::status(paths.act_token_file()).permissions();
    EXPECT_EQ(act & (perms::group_all | perms::others_all), perms::none);
    const auto view = std::filesystem::status(paths.view_token_file()).permissions();
    EXPECT_EQ(view & perms::others_all, perms::none);
    const auto address = std::filesystem::status(paths.api_endpoint_file()).permissions();
    EXPECT_NE(address & perms::others_read, perms::none);
}

} // namespace
} // namespace stationsync::host
