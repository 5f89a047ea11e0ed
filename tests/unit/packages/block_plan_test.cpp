#include "packages/block_plan.hpp"
#include "packages/source_window.hpp"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using State = BlockPlan::State;

TEST(BlockPlan, TakesEachBlockOnce) {
    BlockPlan plan(10);
    std::uint32_t cursor = 0;
    EXPECT_EQ(plan.take(cursor, 4), (std::vector<std::uint32_t>{0, 1, 2, 3}));
    EXPECT_EQ(plan.take(cursor, 100), (std::vector<std::uint32_t>{4, 5, 6, 7, 8, 9}));
    EXPECT_TRUE(plan.take(cursor, 1).empty());
    plan.set(3, State::missing);
    EXPECT_EQ(plan.take(cursor, 1), (std::vector<std::uint32_t>{3}));
}

TEST(BlockPlan, FrontierIsTheFirstBlockThatIsNotDone) {
    BlockPlan plan(4);
    plan.set(1, State::done);
    EXPECT_EQ(plan.frontier(), 0U);
    plan.set(0, State::done);
    EXPECT_EQ(plan.frontier(), 2U);
    plan.set(3, State::done);
    plan.set(2, State::done);
    EXPECT_EQ(plan.frontier(), 4U);
    EXPECT_TRUE(plan.is_complete());
}

TEST(BlockPlan, CompleteSourcesAreSparedWhatOthersForward) {
    BlockPlan plan(6);
    plan.add_partial_holder(0);
    plan.add_partial_holder(1);
    std::uint32_t cursor = 0;
    EXPECT_EQ(plan.take(cursor, 4), (std::vector<std::uint32_t>{2, 3, 4, 5}));
    // Nothing else is left: better twice the same source than idle.
    EXPECT_EQ(plan.take(cursor, 4), (std::vector<std::uint32_t>{0, 1}));
}

TEST(BlockPlan, PartialSourceGivesOnlyWhatItHas) {
    BlockPlan plan(6);
    BlockSet has(6);
    has.add(2);
    has.add(5);
    std::uint32_t cursor = 3;
    EXPECT_EQ(plan.take(has, cursor, 9), (std::vector<std::uint32_t>{5, 2}));
}

TEST(BlockPlan, RunsJoinNeighboursWhateverTheirOrder) {
    EXPECT_EQ(runs_of({5, 1, 2, 9, 3}), (std::vector<BlockRun>{{1, 3}, {5, 1}, {9, 1}}));
    BlockSet set(20);
    for (const std::uint32_t index : {0U, 1U, 7U, 19U}) {
        set.add(index);
    }
    EXPECT_EQ(set.runs(10), (std::vector<BlockRun>{{0, 2}, {7, 1}, {19, 1}}));
    EXPECT_EQ(set.runs(1), (std::vector<BlockRun>{{0, 2}}));
}

TEST(SourceWindow, GrowsForAFastSourceAndShrinksForASlowOne) {
    SourceWindow fast(65536, 8U << 20);
    for (int count = 0; count < 1000; ++count) {
        fast.on_block(1'000);
    }
    EXPECT_EQ(fast.blocks(), 128U);
    for (int count = 0; count < 1000; ++count) {
        fast.on_block(5'000'000);
    }
    EXPECT_LE(fast.blocks(), 8U);
    EXPECT_GE(fast.blocks(), 1U);
}

} // namespace
} // namespace stationsync::host
