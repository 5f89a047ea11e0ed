#include "service/package_store.hpp"

#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

namespace fs = std::filesystem;

TEST(PackageStore, EmptiesItsStagingFolderAndKeepsTheRightsOnIt) {
    const test::TempFolder folder;
    const fs::path staging = folder / "sync" / ".staging" / "plant";
    fs::create_directories(staging / "deep" / "er");
    test::write_file(staging / "1.part", "left over");
    test::write_file(staging / "deep" / "er" / "2.part", "left over");
    const auto rights = fs::perms::owner_all | fs::perms::group_write | fs::perms::group_exec;
    fs::permissions(staging, rights);
    StoreSettings settings;
    settings.sync = folder / "sync" / "plant";
    settings.history = folder / "history";
    settings.staging = staging;
    PackageStore store(settings);
    for (int start = 0; start < 2; ++start) {
        ASSERT_TRUE(store.prepare());
        EXPECT_TRUE(fs::is_empty(staging));
        EXPECT_EQ(fs::status(staging).permissions(), rights) << "given by somebody";
    }
    fs::remove_all(folder / "sync");
    EXPECT_TRUE(store.prepare());
    EXPECT_TRUE(fs::is_directory(staging));
}

} // namespace
} // namespace stationsync::host
