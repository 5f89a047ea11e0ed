#include "packages/live_exports.hpp"

#include "base/durable.hpp"
#include "transfer_world.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace stationsync::host {
namespace {

struct Asked {
    core::ObjectId object;
    LiveExports::Made made;
};

class LiveExportsTest : public ::testing::Test {
protected:
    PackageRef package(unsigned number) const {
        PackageRef ref;
        ref.digest.bytes.fill(static_cast<std::uint8_t>(number));
        ref.bytes = 5;
        return ref;
    }
    TransferHost::LocateReply into(std::optional<IoResult<LocatedPackage>>& place) {
        return [&place](IoResult<LocatedPackage> located) { place = std::move(located); };
    }
    TemporaryFilePtr file(const std::string& name) {
        EXPECT_TRUE(atomic_write(folder / name, random_content(5)));
        return std::make_shared<const TemporaryFile>(folder / name);
    }
    bool removed(const std::string& name) {
        return world.run_until([&] { return !std::filesystem::exists(folder / name); });
    }

    TransferWorld world;
    test::TempFolder folder;
    core::ObjectId object{"recipes", "big"};
    std::vector<Asked> asked;
    std::optional<LiveExports> exports{
        std::in_place,
        [this](const core::ObjectId& id, const PackageRef&, LiveExports::Made made) {
            asked.push_back({id, std::move(made)});
        },
        *world.pool};
};

TEST_F(LiveExportsTest, AllWhoAskForOnePackageShareOneExport) {
    std::optional<IoResult<LocatedPackage>> first;
    std::optional<IoResult<LocatedPackage>> second;
    exports->locate(object, package(1), into(first));
    exports->locate(object, package(1), into(second));
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_FALSE(first);
    asked[0].made(file("one"));
    ASSERT_TRUE(first && *first && second && *second);
    EXPECT_EQ((*first)->file, folder / "one");
    EXPECT_EQ((*second)->file, folder / "one");
    std::optional<IoResult<LocatedPackage>> third;
    exports->locate(object, package(1), into(third));
    ASSERT_TRUE(third && *third);
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(LiveExportsTest, AnExportGoesSomeTimeAfterItsLastUse) {
    std::optional<IoResult<LocatedPackage>> located;
    exports->locate(object, package(1), into(located));
    asked[0].made(file("one"));
    constexpr std::int64_t long_after = 10 * LiveExports::kept_us;
    exports->tick(1);
    exports->tick(long_after);
    EXPECT_TRUE(std::filesystem::exists(folder / "one")); // still served from
    located.reset();
    exports->tick(long_after + 1);
    exports->tick(long_after + LiveExports::kept_us);
    EXPECT_TRUE(std::filesystem::exists(folder / "one"));
    exports->locate(object, package(1), into(located)); // used again meanwhile
    located.reset();
    exports->tick(long_after + LiveExports::kept_us + 2);
    EXPECT_TRUE(std::filesystem::exists(folder / "one"));
    exports->tick(long_after + 3 * LiveExports::kept_us);
    EXPECT_TRUE(removed("one"));
    exports->locate(object, package(1), into(located));
    EXPECT_EQ(asked.size(), 2U);
}

TEST_F(LiveExportsTest, FewRunAtOnceAndAFailureIsNotKept) {
    std::vector<std::optional<IoResult<LocatedPackage>>> located(4);
    for (unsigned number = 0; number < 4; ++number) {
        exports->locate(object, package(number), into(located[number]));
    }
    ASSERT_EQ(asked.size(), 2U);
    asked[0].made(IoError{IoErrorKind::no_space, "no room"});
    ASSERT_TRUE(located[0]);
    EXPECT_FALSE(*located[0]);
    ASSERT_EQ(asked.size(), 3U);
    exports->locate(object, package(0), into(located[0]));
    asked[1].made(file("one"));
    asked[2].made(file("two"));
    ASSERT_EQ(asked.size(), 5U);
}

TEST_F(LiveExportsTest, AnExportThatEndsAfterEverythingLeavesNothing) {
    std::optional<IoResult<LocatedPackage>> located;
    exports->locate(object, package(1), into(located));
    exports.reset();
    asked[0].made(file("one"));
    EXPECT_FALSE(located);
    asked.clear();
    EXPECT_TRUE(removed("one"));
}

} // namespace
} // namespace stationsync::host
