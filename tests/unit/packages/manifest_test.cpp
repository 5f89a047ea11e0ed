#include "base/durable.hpp"
#include "base/random.hpp"
#include "base/text_codes.hpp"
#include "packages/manifest_store.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

TEST(BlockLayout, BlocksGrowSoThatTheirNumberStaysBounded) {
    EXPECT_EQ(layout_of(0)->count, 0U);
    EXPECT_EQ(layout_of(1)->count, 1U);
    EXPECT_EQ(layout_of(65536)->count, 1U);
    EXPECT_EQ(layout_of(65537)->count, 2U);
    EXPECT_EQ(layout_of(65537)->size(1), 1U);
    EXPECT_EQ(layout_of(std::uint64_t{10} << 30)->block_bytes, 65536U);
    EXPECT_EQ(layout_of((std::uint64_t{64} << 30) + 1)->block_bytes, 131072U);
    EXPECT_EQ(layout_of(package_bytes_max)->count, block_count_max);
    EXPECT_FALSE(layout_of(package_bytes_max + 1));
    EXPECT_FALSE(layout_of(~std::uint64_t{0}));
}

TEST(ManifestBuilder, GivesTheSameHoweverItIsFed) {
    std::vector<std::byte> bytes(200'000);
    fill_random(bytes);
    ManifestBuilder whole(bytes.size());
    whole.add(bytes);
    const auto expected = whole.finish();
    ASSERT_TRUE(expected);
    EXPECT_EQ(expected->hashes.size(), 4U);
    EXPECT_EQ(expected->package, to_digest(sha256(bytes)));
    EXPECT_EQ(expected->hashes[1], hash_block(std::span(bytes).subspan(65536, 65536)));
    ManifestBuilder pieces(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += 777) {
        pieces.add(std::span(bytes).subspan(at, std::min<std::size_t>(777, bytes.size() - at)));
    }
    const auto second = pieces.finish();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->hashes, expected->hashes);
    EXPECT_EQ(second->package, expected->package);
    ManifestBuilder cut(bytes.size());
    cut.add(std::span(bytes).first(10));
    EXPECT_FALSE(cut.finish());
}

TEST(ManifestStore, KeepsWhatWasComputedAndDistrustsDamage) {
    const test::TempFolder folder;
    std::vector<std::byte> bytes(300'000);
    fill_random(bytes);
    ASSERT_TRUE(atomic_write(folder / "package", bytes));
    const ManifestStore store(folder / "blocks");
    const core::PackageInfo package{to_digest(sha256(bytes)), bytes.size(), 0};
    EXPECT_EQ(store.load(package), nullptr);
    const auto computed = store.load_or_compute(package, folder / "package");
    ASSERT_TRUE(computed);
    const auto loaded = store.load(package);
    ASSERT_NE(loaded, nullptr);
    EXPECT_EQ(loaded->hashes, (*computed)->hashes);

    const auto path = std::filesystem::directory_iterator(folder / "blocks")->path();
    auto file = File::open_update(path);
    ASSERT_TRUE(file);
    const std::byte damage{0x55};
    ASSERT_TRUE(file->write_at(std::span(&damage, 1), 60));
    EXPECT_EQ(store.load(package), nullptr);
    ASSERT_TRUE(store.load_or_compute(package, folder / "package"));
    EXPECT_NE(store.load(package), nullptr);
}

TEST(ManifestStore, TrimKeepsTheNewestOnes) {
    const test::TempFolder folder;
    const ManifestStore store(folder / "blocks");
    std::vector<core::PackageInfo> packages;
    for (int index = 0; index < 4; ++index) {
        std::vector<std::byte> bytes(70'000, static_cast<std::byte>(index));
        ASSERT_TRUE(atomic_write(folder / "package", bytes));
        packages.push_back({to_digest(sha256(bytes)), bytes.size(), 0});
        ASSERT_TRUE(store.load_or_compute(packages.back(), folder / "package"));
        // The file system's clock may stand still between two of them.
        auto file = File::open_update(
            folder / ("blocks/" + to_hex(std::as_bytes(std::span(packages.back().digest.bytes)))));
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->set_modified(16'000'000'000'000'000 + index));
    }
    const std::uint64_t bytes = 8 + 32 + 8 + 2 * 16 + 8;
    store.trim(2 * bytes);
    EXPECT_EQ(store.load(packages[0]), nullptr);
    EXPECT_EQ(store.load(packages[1]), nullptr);
    EXPECT_NE(store.load(packages[2]), nullptr);
    EXPECT_NE(store.load(packages[3]), nullptr);
}

TEST(ManifestStore, AFileThatIsNotThePackageIsAnError) {
    const test::TempFolder folder;
    ASSERT_TRUE(atomic_write(folder / "package", std::string_view("something else")));
    const ManifestStore store(folder / "blocks");
    EXPECT_FALSE(store.load_or_compute({core::Digest{}, 14, 0}, folder / "package"));
    EXPECT_FALSE(store.load_or_compute({core::Digest{}, 14, 0}, folder / "missing"));
}

} // namespace
} // namespace stationsync::host
