#include "base/durable.hpp"
#include "packages/manifest_store.hpp"
#include "packages/transfer_messages.hpp"
#include "transfer_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <sys/resource.h>
#include <utility>

namespace stationsync::host {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

void impatient(TransferOptions& options) {
    options.stall_us = 100'000;
    options.give_up_us = 400'000;
}

// Changes each message of a frame.
template <class Change>
bool change_messages(Content& frame, Change change) {
    Content changed;
    std::span<const std::byte> rest = frame;
    while (!rest.empty()) {
        auto message = next_message(rest);
        EXPECT_TRUE(message);
        change(*message);
        append(changed, *message);
    }
    frame = std::move(changed);
    return true;
}

TEST(TransferFaults, ASourceThatSendsWrongBlocksIsLeftOut) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    TestStation& c = world.add_station();
    const Content content = random_content(8 * mib);
    const auto package = a.add_package("db", content, 1);
    static_cast<void>(b.add_package("db", content, 1));
    b.on_send = [](const core::StationId&, TransferLane, Content& frame) {
        return change_messages(frame, [](TransferMessage& message) {
            if (auto* const block = std::get_if<BlockMessage>(&message);
                block != nullptr && !block->payload.empty()) {
                block->payload[block->payload.size() / 2] ^= std::byte{1};
            }
        });
    };
    c.engine->start_fetch(c.request_for(package, {a.id, b.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return c.is_over(1); }));
    ASSERT_TRUE(c.finished.contains(1)) << c.failed[1].text;
    EXPECT_EQ(content_of(c.finished[1].file), content);
    ASSERT_EQ(c.failed_sources.size(), 1U);
    EXPECT_EQ(c.failed_sources[0].first, b.id);
    EXPECT_NE(c.failed_sources[0].second.find("hash"), std::string::npos);
}

TEST(TransferFaults, AWrongListOfBlocksIsFoundOutByTheWholeDigest) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    TestStation& c = world.add_station();
    const Content content = random_content(4 * mib);
    Content other = content;
    other[3 * mib] ^= std::byte{1};
    const auto package = a.add_package("db", content, 1);
    // A lies consistently: list and blocks of other content under the package's name.
    const auto false_file = a.folder / "false";
    ASSERT_TRUE(atomic_write(false_file, other));
    a.on_locate = [&](const PackageRef&) { return LocatedPackage{false_file}; };
    {
        auto manifest = compute_manifest(false_file);
        ASSERT_TRUE(manifest);
        manifest->package = package.package.digest;
        ManifestStore(a.options.manifests).save(*manifest);
    }
    static_cast<void>(b.add_package("db", content, 1));
    c.engine->start_fetch(c.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return c.is_over(1); }));
    ASSERT_TRUE(c.failed.contains(1));
    EXPECT_EQ(c.failed[1].failure, FetchFailure::corrupt);
    EXPECT_TRUE(world.run_until([&] { return c.files_below() == 0; }));

    c.engine->start_fetch(c.request_for(package, {a.id, b.id}, 2));
    ASSERT_TRUE(world.run_until([&] { return c.is_over(2); }));
    ASSERT_TRUE(c.finished.contains(2)) << c.failed[2].text;
    EXPECT_EQ(content_of(c.finished[2].file), content);
}

TEST(TransferFaults, ASourceThatFallsSilentHoldsNothingUp) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    TestStation& c = world.add_station(impatient);
    const Content content = random_content(8 * mib);
    const auto package = a.add_package("db", content, 1);
    static_cast<void>(b.add_package("db", content, 1));
    int frames = 0;
    b.on_send = [&](const core::StationId&, TransferLane lane, Content&) {
        return lane == TransferLane::control || ++frames < 3;
    };
    c.engine->start_fetch(c.request_for(package, {a.id, b.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return c.is_over(1); }));
    EXPECT_EQ(content_of(c.finished.at(1).file), content);
}

TEST(TransferFaults, WithoutAnyAnswerTheReasonIsTold) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station(impatient);
    const auto large = a.add_package("large", random_content(mib), 1);
    const auto small = a.add_package("small", random_content(100), 2);
    a.on_send = [](const core::StationId&, TransferLane, Content&) { return false; };
    b.engine->start_fetch(b.request_for(large, {a.id}, 1));
    b.engine->start_fetch(b.request_for(small, {a.id}, 2));
    b.engine->start_fetch(b.request_for(small, {station_id(99)}, 3)); // not linked
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1) && b.is_over(2) && b.is_over(3); }));
    for (const std::uint64_t job : {1U, 2U}) {
        EXPECT_EQ(b.failed.at(job).failure, FetchFailure::no_source);
        EXPECT_NE(b.failed.at(job).text.find("does not answer"), std::string::npos);
    }
    EXPECT_EQ(b.failed.at(3).failure, FetchFailure::no_source);
}

TEST(TransferFaults, AStationThatDoesNotHaveItSaysSo) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    PackageDescription nowhere;
    nowhere.object = {"recipes", "x"};
    nowhere.package = {digest_of(random_content(10)), mib, 0};
    b.engine->start_fetch(b.request_for(nowhere, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(b.failed.at(1).failure, FetchFailure::no_source);
    ASSERT_EQ(b.failed_sources.size(), 1U);
    EXPECT_NE(b.failed_sources[0].second.find("is not in"), std::string::npos);
}

TEST(TransferFaults, AnInterruptedFetchContinuesAfterARestart) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const Content content = random_content(32 * mib);
    const auto package = a.add_package("db", content, 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.received() > 24 * mib; }));
    ASSERT_FALSE(b.is_over(1));
    a.engine->on_station_gone(b.id);
    b.restart();
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(content_of(b.finished.at(1).file), content);
    EXPECT_LT(b.received(), 20 * mib);
    EXPECT_EQ(b.files_below(), 2U);
}

TEST(TransferFaults, APartThatWasDamagedMeanwhileIsNotTrusted) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const Content content = random_content(32 * mib);
    const auto package = a.add_package("db", content, 1);
    FetchRequest request = b.request_for(package, {a.id}, 1);
    b.engine->start_fetch(request);
    ASSERT_TRUE(world.run_until([&] { return b.received() > 24 * mib; }));
    a.engine->on_station_gone(b.id);
    b.restart();
    const auto slot = b.packages.reserve(request.name, package.package.digest);
    ASSERT_TRUE(slot);
    {
        auto part = File::open_update(slot->part());
        ASSERT_TRUE(part);
        ASSERT_TRUE(part->write_at(random_content(mib), 2 * mib));
    }
    b.engine->start_fetch(request);
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(content_of(b.finished.at(1).file), content);
}

TEST(TransferFaults, ALostLinkKeepsWhatIsThereForTheNextAttempt) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const Content content = random_content(32 * mib);
    const auto package = a.add_package("db", content, 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.received() > 24 * mib; }));
    b.engine->on_station_gone(a.id);
    a.engine->on_station_gone(b.id);
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_EQ(b.failed.at(1).failure, FetchFailure::no_source);
    const std::uint64_t before = b.received();
    FetchRequest again = b.request_for(package, {a.id}, 1);
    again.id = core::JobId{2};
    b.engine->start_fetch(again);
    ASSERT_TRUE(world.run_until([&] { return b.is_over(2); }));
    EXPECT_EQ(content_of(b.finished.at(2).file), content);
    EXPECT_LT(b.received() - before, 20 * mib);
}

TEST(TransferFaults, CancelLeavesNothingBehind) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const auto package = a.add_package("db", random_content(32 * mib), 1);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    b.engine->cancel(core::JobId{1}); // before anything happened
    b.engine->start_fetch(b.request_for(package, {a.id}, 2));
    ASSERT_TRUE(world.run_until([&] { return b.received() > 4 * mib; }));
    b.engine->cancel(core::JobId{2});
    EXPECT_FALSE(b.engine->is_busy());
    ASSERT_TRUE(world.run_until([&] { return b.files_below() == 0 && !a.engine->is_busy(); }));
    EXPECT_TRUE(b.finished.empty());
    EXPECT_TRUE(b.failed.empty());
}

// A live file, and the package whose content it is.
PackageDescription make_live(const std::filesystem::path& live, std::size_t bytes) {
    const Content content = random_content(bytes);
    EXPECT_TRUE(atomic_write(live, content));
    PackageDescription package;
    package.object = {"recipes", "live" + std::to_string(bytes)};
    package.package = {digest_of(content), bytes, 0};
    return package;
}

TEST(TransferFaults, LiveContentThatChangedIsNotServedAsThePackage) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    for (const std::size_t bytes : {std::size_t{1000}, mib}) {
        const auto live = a.folder / "live";
        const PackageDescription package = make_live(live, bytes);
        a.on_locate = [&](const PackageRef&) { return LocatedPackage{live}; };
        ASSERT_TRUE(atomic_write(live, random_content(bytes)));
        b.engine->start_fetch(b.request_for(package, {a.id}, bytes));
        ASSERT_TRUE(world.run_until([&] { return b.is_over(bytes); }));
        EXPECT_EQ(b.failed.at(bytes).failure, FetchFailure::no_source);
    }
}

TEST(TransferFaults, APackageThatBecameLiveSinceItWasLocatedIsServedAllTheSame) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    for (const std::size_t bytes : {std::size_t{1000}, mib}) {
        const auto live = a.folder / "live";
        const PackageDescription package = make_live(live, bytes);
        bool applied = false;
        a.on_locate = [&](const PackageRef&) {
            return LocatedPackage{std::exchange(applied, true) ? live : a.folder / "applied"};
        };
        b.engine->start_fetch(b.request_for(package, {a.id}, bytes));
        ASSERT_TRUE(world.run_until([&] { return b.is_over(bytes); }));
        EXPECT_TRUE(b.finished.contains(bytes)) << b.failed[bytes].text;
        EXPECT_TRUE(b.failed_sources.empty());
    }
}

TEST(TransferFaults, ATemporaryExportIsRemovedAfterwards) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const Content content = random_content(mib);
    const auto exported = a.folder / "exported";
    ASSERT_TRUE(atomic_write(exported, content));
    PackageDescription package;
    package.object = {"recipes", "x"};
    package.package = {digest_of(content), content.size(), 0};
    auto temporary = std::make_shared<const TemporaryFile>(exported);
    a.on_locate = [&](const PackageRef&) {
        return LocatedPackage{exported, std::exchange(temporary, nullptr)};
    };
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1); }));
    EXPECT_TRUE(b.finished.contains(1));
    EXPECT_TRUE(world.run_until([&] { return !std::filesystem::exists(exported); }));
}

TEST(TransferFaults, AFullDiskIsToldAndLeavesNothing) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const auto package = a.add_package("db", random_content(4 * mib), 1);
    // A limit on the size of files stands for the full disk: both fail when room is reserved.
    ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    rlimit old_limit{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    rlimit limit = old_limit;
    limit.rlim_cur = mib;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    const bool over = world.run_until([&] { return b.is_over(1); });
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    ASSERT_TRUE(over);
    ASSERT_TRUE(b.failed.contains(1));
    EXPECT_EQ(b.failed[1].failure, FetchFailure::no_space);
    EXPECT_TRUE(world.run_until([&] { return b.files_below() == 0; }));
}

TEST(TransferFaults, TheSyncDirectoryMayBeDeletedWhileAFetchRuns) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const Content content = random_content(24 * mib);
    const auto package = a.add_package("db", content, 1);
    const auto small = a.add_package("small", random_content(100), 2);
    b.engine->start_fetch(b.request_for(package, {a.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return b.received() > 4 * mib; }));
    std::filesystem::remove_all(b.folder / "sync");
    b.engine->start_fetch(b.request_for(small, {a.id}, 2));
    ASSERT_TRUE(world.run_until([&] { return b.is_over(1) && b.is_over(2); }));
    EXPECT_TRUE(b.finished.contains(2));
    if (!b.finished.contains(1)) {
        FetchRequest again = b.request_for(package, {a.id}, 1);
        again.id = core::JobId{3};
        b.engine->start_fetch(again);
        ASSERT_TRUE(world.run_until([&] { return b.is_over(3); }));
        ASSERT_TRUE(b.finished.contains(3)) << b.failed[3].text;
    }
    EXPECT_TRUE(b.packages.find(package.object, package.package.digest));
}

TEST(TransferFaults, DamagedFramesAreToldToTheCaller) {
    TransferWorld world;
    TestStation& a = world.add_station();
    for (std::size_t length : {1U, 5U, 60U}) {
        EXPECT_FALSE(a.engine->on_frame(station_id(9), Content(length, std::byte{0xFF})));
    }
    // A length of 4 GiB.
    const Content huge = {std::byte{9}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF},
                          std::byte{0xFF}};
    EXPECT_FALSE(a.engine->on_frame(station_id(9), huge));
}

TEST(TransferFaults, RequestsThatMakeNoSenseAreRefusedAndCostNothing) {
    TransferWorld world;
    TestStation& a = world.add_station();
    TestStation& b = world.add_station();
    const auto package = a.add_package("db", random_content(mib), 1);
    std::vector<TransferMessage> answers;
    a.on_send = [&](const core::StationId&, TransferLane, Content& frame) {
        return change_messages(frame,
                               [&](TransferMessage& message) { answers.push_back(message); });
    };
    const auto say = [&](const TransferMessage& message) {
        Content frame;
        append(frame, message);
        EXPECT_TRUE(a.engine->on_frame(b.id, frame));
    };
    const PackageRef ref{package.package.digest, package.package.bytes};
    say(OpenMessage{1, package.object, ref, {}});
    ASSERT_TRUE(world.run_until([&] { return !answers.empty(); }));
    EXPECT_TRUE(std::holds_alternative<OpenedMessage>(answers.back()));
    say(BlockRequestMessage{1, no_base, {{0, 1'000'000}}});
    ASSERT_TRUE(world.run_until([&] { return answers.size() > 1; }));
    ASSERT_TRUE(world.run_until([&] { return !a.engine->is_busy(); }));
    EXPECT_TRUE(std::holds_alternative<CannotMessage>(answers.back()) ||
                std::holds_alternative<BlockMessage>(answers.back()));
    say(OpenMessage{2, package.object, {package.package.digest, ~std::uint64_t{0}}, {}});
    say(ManifestRequestMessage{77, {0, 1}, no_base}); // a channel that is not open
    say(OpenMessage{3, package.object, ref, {}});
    ASSERT_TRUE(world.run_until([&] {
        return std::any_of(answers.begin(), answers.end(), [](const TransferMessage& message) {
            const auto* const opened = std::get_if<OpenedMessage>(&message);
            return opened != nullptr && opened->channel == 3;
        });
    }));
    say(ManifestRequestMessage{3, {0, 8000}, no_base}); // more blocks than there are
    ASSERT_TRUE(world.run_until([&] { return !a.engine->is_busy(); }));
}

} // namespace
} // namespace stationsync::host
