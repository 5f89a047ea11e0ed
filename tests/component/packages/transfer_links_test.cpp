// One of the links between two stations ends while another one stays.
#include "packages/transfer_messages.hpp"
#include "transfer_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <variant>
#include <vector>

namespace stationsync::host {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

// Nothing ends by waiting.
void patient(TransferOptions& options) {
    options.stall_us = std::int64_t{3'600'000'000};
    options.give_up_us = std::int64_t{3'600'000'000};
}

// The link of both directions swallows what it is given until the station hears of its end.
struct DeadLink {
    DeadLink(TestStation& one, TestStation& other) {
        for (TestStation* const station : {&one, &other}) {
            station->on_send = [this, station](const core::StationId&, TransferLane, Content&) {
                swallowed += on_it(*station) ? 1 : 0;
                return !on_it(*station);
            };
        }
    }
    void die(const std::vector<TestStation*>& users) { uses = users; }
    void tell(TestStation& station, const TestStation& peer) {
        std::erase(uses, &station);
        station.engine->on_link_lost(peer.id);
    }
    [[nodiscard]] bool on_it(const TestStation& station) const {
        return std::find(uses.begin(), uses.end(), &station) != uses.end();
    }

    std::vector<TestStation*> uses; // stations that still send on it
    int swallowed = 0;
};

class LinkLost : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(WhoNoticesFirst, LinkLost, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "Source" : "Fetcher"; });

TEST_P(LinkLost, InTheMiddleOfALargePackageCostsOnlyWhatWasOnTheWay) {
    TransferWorld world;
    TestStation& source = world.add_station(patient);
    TestStation& fetcher = world.add_station(patient);
    source.narrow_link = true; // its lane is full when the link ends
    const Content content = random_content(32 * mib);
    const auto package = source.add_package("db", content, 1);
    DeadLink link(source, fetcher);
    fetcher.engine->start_fetch(fetcher.request_for(package, {source.id}, 1));
    ASSERT_TRUE(world.run_until([&] { return fetcher.received() > 8 * mib; }));
    link.die({&source, &fetcher});
    ASSERT_TRUE(world.run_until([&] { return link.swallowed > 0; }));
    TestStation& first = GetParam() ? source : fetcher;
    TestStation& second = GetParam() ? fetcher : source;
    link.tell(first, second);
    // What the first one says now is answered on the dead link.
    const int before = link.swallowed;
    ASSERT_TRUE(world.run_until([&] { return link.swallowed > before; }));
    ASSERT_FALSE(fetcher.is_over(1));
    link.tell(second, first);
    ASSERT_TRUE(world.run_until([&] { return fetcher.is_over(1); }));
    ASSERT_TRUE(fetcher.finished.contains(1)) << fetcher.failed[1].text;
    EXPECT_EQ(content_of(fetcher.finished[1].file), content);
    EXPECT_TRUE(fetcher.failed_sources.empty()); // it would not come back by itself
    EXPECT_LT(fetcher.received(), 40 * mib);
    EXPECT_TRUE(world.run_until([&] { return !source.engine->is_busy(); }));
}

TEST_P(LinkLost, BeforeTheSourceHasAnsweredIsNoFailure) {
    TransferWorld world;
    TestStation& source = world.add_station(patient);
    TestStation& fetcher = world.add_station(patient);
    const Content small = random_content(1000);
    const Content large = random_content(3 * mib);
    const auto small_package = source.add_package("small", small, 1);
    const auto large_package = source.add_package("large", large, 2);
    DeadLink link(source, fetcher);
    // Questions arrive, answers do not.
    link.die({&source});
    fetcher.engine->start_fetch(fetcher.request_for(small_package, {source.id}, 1));
    fetcher.engine->start_fetch(fetcher.request_for(large_package, {source.id}, 2));
    ASSERT_TRUE(world.run_until([&] { return link.swallowed > 0; }));
    link.die({&source, &fetcher});
    TestStation& first = GetParam() ? source : fetcher;
    TestStation& second = GetParam() ? fetcher : source;
    link.tell(first, second);
    link.tell(second, first);
    ASSERT_TRUE(world.run_until([&] { return fetcher.is_over(1) && fetcher.is_over(2); }));
    ASSERT_TRUE(fetcher.finished.contains(1)) << fetcher.failed[1].text;
    ASSERT_TRUE(fetcher.finished.contains(2)) << fetcher.failed[2].text;
    EXPECT_EQ(content_of(fetcher.finished[1].file), small);
    EXPECT_EQ(content_of(fetcher.finished[2].file), large);
    EXPECT_TRUE(fetcher.failed_sources.empty());
}

TEST(LinkLostForEver, ASourceThatOnlySaysSoIsLeftOut) {
    TransferWorld world;
    TestStation& source = world.add_station(patient);
    TestStation& fetcher = world.add_station(patient);
    const auto small = source.add_package("small", random_content(1000), 1);
    const auto large = source.add_package("large", random_content(mib), 2);
    source.on_send = [](const core::StationId&, TransferLane, Content& frame) {
        Content changed;
        std::span<const std::byte> rest = frame;
        while (!rest.empty()) {
            const auto message = next_message(rest);
            const ChannelId channel =
                std::visit([](const auto& any) { return any.channel; }, *message);
            append(changed, CannotMessage{channel, CannotReason::lost, "lost"});
        }
        frame = std::move(changed);
        return true;
    };
    fetcher.engine->start_fetch(fetcher.request_for(small, {source.id}, 1));
    fetcher.engine->start_fetch(fetcher.request_for(large, {source.id}, 2));
    ASSERT_TRUE(world.run_until([&] { return fetcher.is_over(1) && fetcher.is_over(2); }));
    EXPECT_EQ(fetcher.failed.at(1).failure, FetchFailure::no_source);
    EXPECT_EQ(fetcher.failed.at(2).failure, FetchFailure::no_source);
}

} // namespace
} // namespace stationsync::host
