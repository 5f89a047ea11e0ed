#include "net/private_file.hpp"
#include "net/project_key.hpp"
#include "temporary_folder.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using std::chrono::hours;
constexpr core::WallTime start{1'700'000'000'000'000};
constexpr core::Duration second{1'000'000};

TEST(ProjectKey, IdentityIsDerivedAndTellsNoName) {
    const ProjectKey zero;
    EXPECT_EQ(zero.identity(), ProjectKey{}.identity());
    EXPECT_NE(zero.identity(), ProjectKey::generate().identity());
    EXPECT_EQ(zero.identity().size(), 8 + 32u);
    EXPECT_EQ(zero.identity().find("00000000"), std::string::npos);
    EXPECT_NE(zero.tls_secret(), zero.bytes);
}

TEST(KeyRing, BothKeysAreAcceptedAfterARotation) {
    const ProjectKey first = ProjectKey::generate();
    KeyRing ring(first, start);
    ring.rotate(start + second);
    EXPECT_FALSE(ring.current() == first);
    EXPECT_TRUE(ring.find(first.identity(), start + second));
    EXPECT_TRUE(ring.find(ring.current().identity(), start + second));
    EXPECT_FALSE(ring.find(ProjectKey::generate().identity(), start + second));
}

TEST(KeyRing, OldKeyExpiresAfter30Days) {
    const ProjectKey first = ProjectKey::generate();
    KeyRing ring(first, start);
    ring.rotate(start + second);
    EXPECT_TRUE(ring.find(first.identity(), start + hours(24 * 30)));
    EXPECT_FALSE(ring.find(first.identity(), start + second + hours(24 * 30)));
}

TEST(KeyRing, RetireLeavesOnlyTheCurrentKey) {
    const ProjectKey first = ProjectKey::generate();
    KeyRing ring(first, start);
    EXPECT_FALSE(ring.retire(start));
    ring.rotate(start + second);
    EXPECT_TRUE(ring.retire(start + second));
    EXPECT_FALSE(ring.find(first.identity(), start + second));
}

TEST(KeyRing, RetirementTravelsWithTheUpdate) {
    const ProjectKey first = ProjectKey::generate();
    KeyRing a(first, start);
    KeyRing b(first, start);
    a.rotate(start + second);
    EXPECT_TRUE(b.adopt(a.update(), start + second));
    EXPECT_TRUE(b.find(first.identity(), start + second));
    a.retire(start + second * 2);
    EXPECT_TRUE(b.adopt(a.update(), start + second * 2));
    EXPECT_FALSE(b.find(first.identity(), start + second * 2));
    EXPECT_FALSE(b.adopt(a.update(), start + second * 3));
}

TEST(KeyRing, RotationsMadeAtOnceEndInOneCurrentKeyWhateverTheOrder) {
    const ProjectKey first = ProjectKey::generate();
    KeyRing a(first, start);
    KeyRing b(first, start);
    a.rotate(start + second);
    b.rotate(start + second);
    const KeyUpdate from_a = a.update();
    const KeyUpdate from_b = b.update();
    a.adopt(from_b, start + second);
    b.adopt(from_a, start + second);
    EXPECT_TRUE(a.current() == b.current());
    EXPECT_EQ(a.accepted(start + second).size(), 3u);
    EXPECT_EQ(b.accepted(start + second).size(), 3u);
    KeyRing c(first, start);
    c.adopt(from_b, start + second);
    c.adopt(from_a, start + second);
    EXPECT_TRUE(c.current() == a.current());
}

TEST(KeyRing, RotationWinsAlsoWhenTheClockWasPutBack) {
    KeyRing ring(ProjectKey::generate(), start);
    KeyRing other = ring;
    ring.rotate(start - hours(24));
    EXPECT_GT(ring.made_at(), start);
    EXPECT_TRUE(other.adopt(ring.update(), start));
    EXPECT_TRUE(other.current() == ring.current());
}

TEST(KeyRing, NonsenseOfAPeerLeavesRoomForLaterRotations) {
    KeyRing ring(ProjectKey::generate(), start);
    KeyUpdate update{ProjectKey::generate(), {INT64_MAX}, {}};
    EXPECT_FALSE(ring.adopt(update, start));
    update.made_at = {-1};
    EXPECT_FALSE(ring.adopt(update, start));
    update.made_at = start - second;
    update.retired_at = {INT64_MAX};
    ring.adopt(update, start);
    const ProjectKey before = ring.current();
    ring.rotate(start + second);
    EXPECT_TRUE(ring.find(before.identity(), start + second));
}

TEST(KeyRing, KeepsABoundedNumberOfKeys) {
    KeyRing ring(ProjectKey::generate(), start);
    for (int i = 1; i <= 20; ++i) {
        ring.rotate(start + second * i);
    }
    EXPECT_EQ(ring.accepted(start + second * 20).size(), 1 + KeyRing::previous_max);
}

TEST(KeyRing, IsTheSameAfterLoading) {
    TemporaryFolder folder;
    KeyRing ring(ProjectKey::generate(), start);
    ring.rotate(start + second);
    ring.retire(start + second * 2);
    ring.rotate(start + second * 3);
    ASSERT_TRUE(ring.save(folder / "state/P/key"));
    const auto loaded = KeyRing::load(folder / "state/P/key");
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(*loaded, ring);
}

TEST(KeyRing, FileIsRefusedWhenMissingLooseOrDamaged) {
    TemporaryFolder folder;
    const auto path = folder / "key";
    EXPECT_EQ(KeyRing::load(path).error().kind, IoErrorKind::not_found);
    ASSERT_TRUE(KeyRing(ProjectKey::generate(), start).save(path));
    std::filesystem::permissions(path, std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    EXPECT_EQ(KeyRing::load(path).error().kind, IoErrorKind::denied);
    for (const std::string_view text :
         {"", "stationsync-project-key 1\n", "stationsync-project-key 2\ncurrent 00 1\n",
          "stationsync-project-key 1\ncurrent 00 1\n",
          "stationsync-project-key 1\nprevious 00 1\n"}) {
        ASSERT_TRUE(write_private_file(path, text));
        const auto loaded = KeyRing::load(path);
        ASSERT_FALSE(loaded) << text;
        EXPECT_NE(loaded.error().text.find("damaged"), std::string::npos);
    }
}

} // namespace
} // namespace stationsync::host
