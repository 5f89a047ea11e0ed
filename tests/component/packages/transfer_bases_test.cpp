#include "base/file.hpp"
#include "packages/manifest_store.hpp"
#include "transfer_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace stationsync::host {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

// One page in a hundred gets some new bytes, as rows that change in place do.
Content with_changed_pages(Content content) {
    std::mt19937 random(1);
    constexpr std::size_t page = 4096;
    const std::size_t pages = content.size() / page;
    for (std::size_t count = 0; count < pages / 100; ++count) {
        const std::size_t start = (random() % pages) * page;
        const Content fresh = random_content(120);
        std::ranges::copy(fresh,
                          content.begin() + static_cast<std::ptrdiff_t>(start + random() % 3900));
    }
    return content;
}

struct Pair {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
};

TEST(TransferBases, OnePercentOfPagesChangedIsCheapWhenTheSourceHasTheOldVersion) {
    Pair pair;
    const Content old_content = random_content(64 * mib);
    const Content content = with_changed_pages(old_content);
    static_cast<void>(pair.a.add_package("db", old_content, 1));
    const auto old_package = pair.b.add_package("db", old_content, 1);
    const auto package = pair.a.add_package("db", content, 2);
    FetchRequest request = pair.b.request_for(package, {pair.a.id}, 2);
    request.bases = {pair.b.base_for(old_package)};
    pair.b.engine->start_fetch(request);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.b.is_over(2); }));
    ASSERT_TRUE(pair.b.finished.contains(2)) << pair.b.failed[2].text;
    EXPECT_EQ(digest_of(content_of(pair.b.finished[2].file)), package.package.digest);
    EXPECT_LT(pair.b.received() + pair.b.sent(), content.size() / 100);
}

TEST(TransferBases, OnePercentOfPagesChangedCostsPagesWhenTheSourceHasNoOldVersion) {
    Pair pair;
    const Content old_content = random_content(64 * mib);
    const Content content = with_changed_pages(old_content);
    const auto old_package = pair.b.add_package("db", old_content, 1);
    const auto package = pair.a.add_package("db", content, 2);
    FetchRequest request = pair.b.request_for(package, {pair.a.id}, 2);
    request.bases = {pair.b.base_for(old_package)};
    pair.b.engine->start_fetch(request);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.b.is_over(2); }));
    ASSERT_TRUE(pair.b.finished.contains(2)) << pair.b.failed[2].text;
    EXPECT_EQ(digest_of(content_of(pair.b.finished[2].file)), package.package.digest);
    EXPECT_LT(pair.b.received() + pair.b.sent(), content.size() * 2 / 100);
}

TEST(TransferBases, BlocksThatMovedAreFoundByTheirHash) {
    Pair pair;
    const Content old_content = random_content(8 * mib);
    Content content = old_content;
    std::rotate(content.begin(), content.begin() + 65536 * 3, content.end());
    const auto old_package = pair.b.add_package("db", old_content, 1);
    const auto package = pair.a.add_package("db", content, 2);
    FetchRequest request = pair.b.request_for(package, {pair.a.id}, 2);
    request.bases = {pair.b.base_for(old_package)};
    pair.b.engine->start_fetch(request);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.b.is_over(2); }));
    EXPECT_EQ(content_of(pair.b.finished.at(2).file), content);
    EXPECT_LT(pair.b.received(), content.size() / 100);
}

TEST(TransferBases, ABaseThatIsNotWhatItsNameSaysDoesNoHarm) {
    Pair pair;
    const Content old_content = random_content(8 * mib);
    const Content content = with_changed_pages(old_content);
    static_cast<void>(pair.a.add_package("db", old_content, 1));
    const auto old_package = pair.b.add_package("db", old_content, 1);
    const auto package = pair.a.add_package("db", content, 2);
    FetchRequest request = pair.b.request_for(package, {pair.a.id}, 2);
    request.bases = {pair.b.base_for(old_package)};
    // Its list of blocks is in the store; then its file is written to.
    {
        TestStation& b = pair.b;
        const ManifestStore store(b.options.manifests);
        ASSERT_TRUE(store.load_or_compute(old_package.package, request.bases[0].file));
        auto file = File::open_update(request.bases[0].file);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->write_at(random_content(4 * mib), mib));
    }
    pair.b.engine->start_fetch(request);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.b.is_over(2); }));
    ASSERT_TRUE(pair.b.finished.contains(2)) << pair.b.failed[2].text;
    EXPECT_EQ(content_of(pair.b.finished[2].file), content);
    EXPECT_TRUE(pair.b.failed_sources.empty());
}

TEST(TransferBases, NothingInCommonCostsLittleMoreThanEverything) {
    Pair pair;
    const Content content = random_content(8 * mib);
    static_cast<void>(pair.a.add_package("db", random_content(8 * mib), 1));
    const auto old_package = pair.b.add_package("db", random_content(8 * mib), 1);
    const auto package = pair.a.add_package("db", content, 2);
    FetchRequest request = pair.b.request_for(package, {pair.a.id}, 2);
    request.bases = {pair.b.base_for(old_package)};
    pair.b.engine->start_fetch(request);
    ASSERT_TRUE(pair.world.run_until([&] { return pair.b.is_over(2); }));
    EXPECT_EQ(content_of(pair.b.finished.at(2).file), content);
    EXPECT_LT(pair.b.received() + pair.b.sent(), content.size() * 102 / 100);
}

TEST(TransferBases, ManyZerosCostNothing) {
    Pair pair;
    Content content(32 * mib);
    std::ranges::copy(random_content(1000), content.begin() + 7 * mib);
    const auto package = pair.a.add_package("db", content, 2);
    pair.b.engine->start_fetch(pair.b.request_for(package, {pair.a.id}, 2));
    ASSERT_TRUE(pair.world.run_until([&] { return pair.b.is_over(2); }));
    EXPECT_EQ(content_of(pair.b.finished.at(2).file), content);
    EXPECT_LT(pair.b.received(), 64U * 1024);
}

} // namespace
} // namespace stationsync::host
