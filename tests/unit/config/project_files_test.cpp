#include "config/project_files.hpp"

#include "base/durable.hpp"
#include "config/secrets.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace stationsync::host {
namespace {

class ProjectFiles : public testing::Test {
protected:
    test::TempFolder root_;
    RootPaths paths_ = paths_of(root_.path());
};

TEST_F(ProjectFiles, TheOnlyProjectIsSelectedWithoutAChoice) {
    EXPECT_EQ(load_project_choice(paths_)->project, "");
    std::filesystem::create_directories(paths_.projects());
    std::ofstream(paths_.project_file("Brauerei Süd")) << "\n";
    EXPECT_EQ(load_project_choice(paths_)->project, "Brauerei Süd");
    std::ofstream(paths_.project_file("Other")) << "\n";
    EXPECT_EQ(load_project_choice(paths_)->project, "");
}

TEST_F(ProjectFiles, ChoiceAndOriginReadBack) {
    ASSERT_TRUE(make_directories(paths_.project_state("P")));
    ASSERT_TRUE(save_project_choice(paths_, {"P", false}));
    EXPECT_EQ(*load_project_choice(paths_), (ProjectChoice{"P", false}));
    const ProjectOrigin origin{false, 123, "an-id"};
    ASSERT_TRUE(save_project_origin(paths_, "P", origin));
    EXPECT_EQ(*load_project_origin(paths_, "P"), origin);
}

TEST_F(ProjectFiles, DamagedFilesAreErrorsNotDefaults) {
    ASSERT_TRUE(make_directories(paths_.state));
    std::ofstream(paths_.choice_file()) << "{";
    EXPECT_FALSE(load_project_choice(paths_));
}

TEST_F(ProjectFiles, PublishesAreKeptOnceEachUntilCleared) {
    EXPECT_TRUE(load_pending_publishes(paths_, "P")->empty());
    ASSERT_TRUE(add_pending_publish(paths_, "P", {"db", "a \"b\""}));
    ASSERT_TRUE(add_pending_publish(paths_, "P", {"db", "c"}));
    ASSERT_TRUE(add_pending_publish(paths_, "P", {"db", "c"}));
    EXPECT_THAT(*load_pending_publishes(paths_, "P"),
                testing::ElementsAre(PendingPublish{"db", "a \"b\""}, PendingPublish{"db", "c"}));
    ASSERT_TRUE(clear_pending_publishes(paths_, "P"));
    EXPECT_TRUE(load_pending_publishes(paths_, "P")->empty());
}

TEST_F(ProjectFiles, SecretsAreListedByNameAndNotReadableByOthers) {
    const SecretStore store(paths_.secrets());
    EXPECT_TRUE(store.list()->empty());
    ASSERT_TRUE(store.set("db-password", "geheim"));
    ASSERT_TRUE(store.set("other", "x"));
    EXPECT_EQ(*store.get("db-password"), "geheim");
    EXPECT_THAT(*store.list(), testing::ElementsAre("db-password", "other"));
    for (const auto& entry : std::filesystem::directory_iterator(paths_.secrets())) {
        const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
        EXPECT_EQ(entry.status().permissions() & others, std::filesystem::perms::none);
    }
    ASSERT_TRUE(store.remove("other"));
    EXPECT_EQ(store.remove("other").error().kind, IoErrorKind::not_found);
    EXPECT_EQ(store.get("other").error().kind, IoErrorKind::not_found);
}

TEST_F(ProjectFiles, SecretNamesCannotLeaveTheirFolder) {
    const SecretStore store(paths_.secrets());
    for (const auto* name : {"", "../x", "a/b", "a\\b", ".", "a b"}) {
        EXPECT_FALSE(store.set(name, "v")) << name;
        EXPECT_FALSE(store.get(name)) << name;
    }
    EXPECT_FALSE(store.set("a", ""));
    EXPECT_FALSE(store.set("a", std::string(secret_bytes_max + 1, 'x')));
}

} // namespace
} // namespace stationsync::host
