#include "transfer_world.hpp"

#include "base/durable.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

TEST(Transfer, ALargePackageArrivesWithItsTimeAndDescription) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const Content content = random_content(5 * mib + 123);
    const auto package = a.add_package("line 1/db", content, 7);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    EXPECT_FALSE(b.is_over(1)); // never before the call returns
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    ASSERT_TRUE(b.finished.contains(1)) << b.failed[1].text;
    EXPECT_EQ(content_of(b.finished[1].file), content);
    const auto stored = b.packages.find(package.object, package.package.digest);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->description.revision, "revision 7");
    EXPECT_EQ(file_facts(stored->file)->modified_100ns, package.package.modified_100ns);
    EXPECT_EQ(b.files_below(), 2U); // package and description, no part left
    EXPECT_LT(b.received(), content.size() + content.size() / 50);
    EXPECT_EQ(b.bytes_done, content.size());
    ASSERT_TRUE(world.run_until([&] { return !a.engine->is_busy() && !b.engine->is_busy(); }));
}

TEST(Transfer, CompressibleContentTravelsCompressed) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    Content content(8 * mib);
    for (std::size_t at = 0; at < content.size(); ++at) {
        content[at] = static_cast<std::byte>((at / 3) % 50);
    }
    const auto package = a.add_package("db", content, 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(content_of(b.finished.at(1).file), content);
    EXPECT_LT(b.received(), content.size() / 10);
}

TEST(Transfer, SeveralSourcesServeOneFetch) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    TestStation& c = world.add_station();
    const Content content = random_content(16 * mib);
    const auto package = a.add_package("db", content, 1);
    static_cast<void>(b.add_package("db", content, 1));
    c.engine->start_fetch(c.request_for(package, {a.id, b.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return c.is_over(1); }));
    EXPECT_EQ(content_of(c.finished.at(1).file), content);
    EXPECT_GT(a.sent(), content.size() / 10);
    EXPECT_GT(b.sent(), content.size() / 10);
    EXPECT_LT(c.received(), content.size() * 11 / 10);
}

TEST(Transfer, AStationForwardsWhatItIsStillFetching) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    TestStation& c = world.add_station();
    const Content content = random_content(12 * mib);
    const auto package = a.add_package("db", content, 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    c.engine->start_fetch(c.request_for(package, {b.id}, 1));
    // C has blocks before B has the whole.
    ASSERT_TRUE(world.run_until([&] { return c.received() > mib || b.is_over(1); }));
    EXPECT_FALSE(b.is_over(1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1) && c.is_over(1); }));
    EXPECT_EQ(content_of(b.finished.at(1).file), content);
    EXPECT_EQ(content_of(c.finished.at(1).file), content);
    EXPECT_LT(a.sent(), content.size() * 11 / 10); // one copy left the origin
}

TEST(Transfer, StationsThatFetchTogetherSpareTheOrigin) {
    TransferWorld world;
    TestStation& a = world.add_station();
    a.narrow_link = true;
    std::vector<TestStation*> others;
    for (int count = 0; count < 3; ++count) {
        others.push_back(&world.add_station(
            [](TransferOptions& options) { options.fetch_window_bytes = mib / 2; }));
    }
    const Content content = random_content(24 * mib);
    const auto package = a.add_package("db", content, 1);
    for (TestStation* const station : others) {
        std::vector<core::StationId> sources = {a.id};
        for (const TestStation* const other : others) {
            if (other != station) {
                sources.push_back(other->id);
            }
        }
        FetchRequest request = station->request_for(package, sources, 1);
        request.spread = true;
        station->engine->start_fetch(request);
    }
    for (TestStation* const station : others) {
        ASSERT_TRUE(world.run_until([&] { return station->is_over(1); }));
        EXPECT_EQ(content_of(station->finished.at(1).file), content);
    }
    // Three copies without forwarding; how much is spared depends on how the threads are scheduled.
    EXPECT_LT(a.sent(), content.size() * 5 / 2);
}

TEST(Transfer, SmallPackagesTakeOneRoundTripAndShareFrames) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    constexpr std::size_t count = 500;
    std::vector<Content> contents;
    for (std::size_t index = 0; index < count; ++index) {
        contents.push_back(random_content(index * 16));
    }
    const auto packages = a.add_packages(contents);
    std::size_t frames = 0;
    const auto count_frames = [&](const core::StationId&, TransferLane, Content&) {
        ++frames;
        return true;
    };
    a.on_send = count_frames;
    b.on_send = count_frames;
    for (std::size_t index = 0; index < count; ++index) {
        b.engine->start_fetch(b.request_for(packages[index], {a.id}, index));
    }
    ASSERT_TRUE(world.run_until([&] { return b.finished.size() + b.failed.size() == count; }));
    EXPECT_TRUE(b.failed.empty());
    for (std::size_t index = 0; index < count; ++index) {
        EXPECT_EQ(digest_of(content_of(b.finished.at(index).file)), packages[index].package.digest);
    }
    EXPECT_EQ(b.files_below(), 2 * count);
    EXPECT_LT(frames, 2 * count); // fewer than one for each question and answer
    ASSERT_TRUE(world.run_until([&] { return !a.engine->is_busy(); }));
}

TEST(Transfer, WhatIsOnItsWayStaysWithinTheWindow) {
    TransferWorld world;
    const auto small_windows = [](TransferOptions& options) {
        options.fetch_window_bytes = mib;
        options.total_window_bytes = 2 * mib;
        options.serve_window_bytes = mib;
    };
    TestStation& a = world.add_station(small_windows);
    TestStation& b = world.add_station(small_windows);
    const Content content = random_content(24 * mib);
    std::vector<PackageDescription> packages;
    for (std::uint64_t job = 1; job <= 4; ++job) {
        packages.push_back(a.add_package("db" + std::to_string(job), content, job));
    }
    for (std::uint64_t job = 1; job <= 4; ++job) {
        b.engine->start_fetch(b.request_for(packages[job - 1], {a.id}, job));
    }
    ASSERT_TRUE(world.run_until([&] { return b.finished.size() + b.failed.size() == 4; }));
    EXPECT_TRUE(b.failed.empty());
    EXPECT_LE(b.in_flight_max, 2 * mib + mib / 4);
    EXPECT_LE(a.in_flight_max, mib + mib);
}

TEST(Transfer, ASlowLinkIsReadForSlowly) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    a.narrow_link = true;
    const Content content = random_content(6 * mib);
    const auto package = a.add_package("db", content, 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(content_of(b.finished.at(1).file), content);
}

TEST(Transfer, AnEmptyPackageNeedsNobody) {
    TransferWorld world;
    TestStation& b = world.add_station();
    PackageDescription package;
    package.object = {"recipes", "empty"};
    package.package = {digest_of({}), 0, 16'000'000'000'000'000};
    b.engine->start_fetch(b.request_for(package, {}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(std::filesystem::file_size(b.finished.at(1).file), 0U);
}

TEST(Transfer, APackageThatIsThereIsNotFetchedAgain) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const auto package = a.add_package("db", random_content(mib), 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    b.engine->start_fetch(b.request_for(package, {a.id}, 2)); // waits for the first
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1) && b.is_over(2); }));
    ASSERT_TRUE(b.finished.contains(2));
    EXPECT_LT(b.received(), mib * 11 / 10 * 2);
    const auto received = b.received();
    FetchRequest again = b.request_for(package, {a.id}, 1);
    again.id = core::JobId{3};
    b.engine->start_fetch(again);
    ASSERT_TRUE(world.run_until([&] { return b.is_over(3); }));
    EXPECT_TRUE(b.finished.at(3).already_there);
    EXPECT_EQ(b.received(), received);
}

} // namespace
} // namespace stationsync::host
