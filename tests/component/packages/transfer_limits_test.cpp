// Sources that take their time, and peers that ask for too much.
#include "packages/block_manifest.hpp"
#include "packages/transfer_messages.hpp"
#include "transfer_world.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <variant>
#include <vector>

namespace stationsync::host {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

// Counts the messages of a frame that `wanted` accepts.
template <class Wanted>
std::size_t count_messages(const Content& frame, Wanted wanted) {
    std::size_t count = 0;
    std::span<const std::byte> rest = frame;
    while (!rest.empty()) {
        const auto message = next_message(rest);
        if (!message) {
            ADD_FAILURE() << "a frame is damaged";
            break;
        }
        count += wanted(*message) ? 1 : 0;
    }
    return count;
}

TEST(TransferPatience, ASourceThatIsStillPreparingIsWaitedFor) {
    TransferWorld world;
    TestStation& source =
        world.add_station([](TransferOptions& options) { options.preparing_us = 50'000; });
    TestStation& fetcher = world.add_station([](TransferOptions& options) {
        options.stall_us = 200'000;
        options.give_up_us = 1'000'000;
    });
    const auto small = source.add_package("small", random_content(1000), 1);
    const auto large = source.add_package("large", random_content(mib), 2);
    std::size_t told = 0;
    source.on_send = [&](const core::StationId&, TransferLane, Content& frame) {
        told += count_messages(frame, [](const TransferMessage& message) {
            return std::holds_alternative<HaveMessage>(message);
        });
        return true;
    };
    source.hold_locates = true;
    fetcher.engine->start_fetch(fetcher.request_for(small, {source.id}, 1));
    fetcher.engine->start_fetch(fetcher.request_for(large, {source.id}, 2));
    // Both are told each time: three times as long as a silent source is believed in.
    ASSERT_TRUE(world.run_until(
        [&] { return told >= 2 * 60 || fetcher.is_over(1) || fetcher.is_over(2); }));
    source.release_locates();
    ASSERT_TRUE(world.run_until([&] { return fetcher.is_over(1) && fetcher.is_over(2); }));
    EXPECT_TRUE(fetcher.finished.contains(1)) << fetcher.failed[1].text;
    EXPECT_TRUE(fetcher.finished.contains(2)) << fetcher.failed[2].text;
    EXPECT_TRUE(fetcher.failed_sources.empty());
}

TEST(TransferPatience, ASourceThatPreparesForEverIsLeftOut) {
    TransferWorld world;
    TestStation& source = world.add_station([](TransferOptions& options) {
        options.preparing_us = 50'000;
        options.preparing_max_us = 300'000;
    });
    TestStation& fetcher = world.add_station([](TransferOptions& options) {
        options.stall_us = 100'000;
        options.give_up_us = 400'000;
    });
    const auto large = source.add_package("large", random_content(mib), 1);
    source.hold_locates = true;
    fetcher.engine->start_fetch(fetcher.request_for(large, {source.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return fetcher.is_over(1); }));
    EXPECT_EQ(fetcher.failed.at(1).failure, FetchFailure::no_source);
    source.release_locates();
}

// Says to an engine whatever a station of the project may say. It reads nothing of the answers.
class GreedyPeer : public ::testing::Test {
protected:
    void SetUp() override {
        source.on_send = [this](const core::StationId&, TransferLane lane, Content& frame) {
            answers += count_messages(frame, [this](const TransferMessage& message) {
                const auto* const cannot = std::get_if<CannotMessage>(&message);
                opened += std::holds_alternative<OpenedMessage>(message) ? 1 : 0;
                if (cannot != nullptr) {
                    last_refusal = *cannot;
                    ++refusals;
                }
                return true;
            });
            block_bytes += lane == TransferLane::blocks ? frame.size() : 0;
            return false;
        };
    }
    void say(const std::vector<TransferMessage>& messages) {
        Content frame;
        for (const TransferMessage& message : messages) {
            append(frame, message);
        }
        ASSERT_TRUE(source.engine->on_frame(peer.id, frame));
    }
    OpenMessage open(ChannelId channel) const {
        return {channel, package.object, {package.package.digest, package.package.bytes}, {}};
    }

    TransferWorld world;
    TestStation& source = world.add_station();
    TestStation& peer = world.add_station();
    PackageDescription package = source.add_package("db", random_content(4 * mib), 1);
    std::size_t answers = 0;
    std::size_t opened = 0;
    std::size_t refusals = 0;
    std::size_t block_bytes = 0;
    std::optional<CannotMessage> last_refusal;
};

TEST_F(GreedyPeer, OpeningAndClosingInALoopLooksForFewPackagesAtOnce) {
    source.hold_locates = true;
    for (ChannelId channel = 1; channel <= 20'000; ++channel) {
        say({open(channel), CloseMessage{channel}});
    }
    EXPECT_LE(source.locates, 64U);
    source.engine->on_station_gone(peer.id); // coming back does not help
    for (ChannelId channel = 1; channel <= 1000; ++channel) {
        say({open(channel), CloseMessage{channel}});
    }
    EXPECT_LE(source.locates, 64U);
    // Who means well is served afterwards.
    source.release_locates();
    say({open(7)});
    ASSERT_TRUE(world.run_until([&] { return opened > 0; }));
    EXPECT_EQ(refusals, 0U);
}

TEST_F(GreedyPeer, TooManyChannelsAreRefused) {
    source.hold_locates = true;
    for (ChannelId channel = 1; channel <= 20'000; ++channel) {
        say({open(channel)});
    }
    ASSERT_TRUE(world.run_until([&] { return refusals > 0; }));
    EXPECT_EQ(last_refusal->reason, CannotReason::busy);
    EXPECT_LE(source.locates, 64U);
    source.engine->on_station_gone(peer.id);
    EXPECT_FALSE(source.engine->is_busy());
    source.release_locates();
}

TEST_F(GreedyPeer, TheMemoryForQuestionsIsBounded) {
    source.narrow_link = true; // nothing of what it gets is ever taken
    constexpr ChannelId channels = 60;
    for (ChannelId channel = 1; channel <= channels; ++channel) {
        say({open(channel)});
    }
    ASSERT_TRUE(world.run_until([&] { return opened >= channels; }));
    const std::vector<PageHash> pages(package_block_bytes_max / page_bytes);
    const std::size_t bytes_each = pages.size() * sizeof(PageHash);
    const BlockLayout layout = *layout_of(package.package.bytes);
    std::size_t asked = 0;
    for (std::uint32_t round = 0; round < 200 && refusals == 0; ++round) {
        for (ChannelId channel = 1; channel <= channels; ++channel) {
            say({PagesRequestMessage{channel, round % layout.count, pages}});
            asked += bytes_each;
        }
        bool flushed = false; // refusals leave with the next turn of the loop
        world.post([&] { flushed = true; });
        ASSERT_TRUE(world.run_until([&] { return flushed; }));
    }
    EXPECT_GT(refusals, 0U);
    EXPECT_EQ(last_refusal->reason, CannotReason::busy) << last_refusal->text;
    EXPECT_LT(asked, 16 * mib);
}

TEST_F(GreedyPeer, RefusalsDoNotFillTheLaneOfAPeerThatReadsNothing) {
    source.narrow_link = true;
    say({open(1)});
    ASSERT_TRUE(world.run_until([&] { return opened > 0; }));
    const std::uint32_t blocks = layout_of(package.package.bytes)->count;
    say({ManifestRequestMessage{1, {0, blocks}, no_base}});
    ASSERT_TRUE(world.run_until([&] { return block_bytes > 0; })); // full from here on
    const std::size_t before = block_bytes;
    for (ChannelId channel = 2; channel <= 5000; ++channel) {
        say({open(channel), BlockRequestMessage{channel, no_base, {{100, 1}}}});
    }
    ASSERT_TRUE(world.run_until([&] { return refusals >= 4999; }));
    EXPECT_EQ(block_bytes, before);
}

} // namespace
} // namespace stationsync::host
