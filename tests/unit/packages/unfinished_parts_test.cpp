// The limits of what unfinished fetches leave in the sync directory.
#include "packages/unfinished_parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::int64_t now_us = 1'800'000'000'000'000;

UnfinishedPart part(const char* file, std::uint64_t bytes, std::int64_t seconds_ago) {
    return {file, bytes, now_us - seconds_ago * 1'000'000};
}

TEST(UnfinishedParts, WhatNobodyContinuedForTooLongGoes) {
    EXPECT_THAT(
        parts_to_drop({part("old", 1, 61), part("young", 1, 60)}, {100, seconds(60)}, now_us),
        UnorderedElementsAre("old"));
}

TEST(UnfinishedParts, BeyondTheSizeTheOldestGo) {
    EXPECT_THAT(parts_to_drop({part("a", 50, 3), part("b", 50, 1), part("c", 50, 2)},
                              {100, seconds(60)}, now_us),
                UnorderedElementsAre("a"));
    EXPECT_THAT(
        parts_to_drop({part("large", 101, 1), part("small", 100, 2)}, {100, seconds(60)}, now_us),
        UnorderedElementsAre("large"));
}

TEST(UnfinishedParts, NoSizeMeansNone) {
    EXPECT_THAT(parts_to_drop({part("a", 1, 1)}, {0, seconds(60)}, now_us),
                UnorderedElementsAre("a"));
}

// A clock that was put back makes nothing old.
TEST(UnfinishedParts, OneFromTheFutureStays) {
    EXPECT_THAT(parts_to_drop({part("a", 1, -3600)}, {100, seconds(0)}, now_us), IsEmpty());
}

} // namespace
} // namespace stationsync::host
