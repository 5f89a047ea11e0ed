#include "failed_applies.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver::test {
namespace {

using std::chrono::minutes;

FailedApplies::What package_of(const std::string& file, std::uint8_t content, stsync_time time) {
    ContentId id;
    id.bytes[0] = content;
    return {file, id, time};
}

class SqlServerFailedApplies : public ::testing::Test {
protected:
    bool is_held_back(const FailedApplies::What& what) {
        return failed_.answer("plant", what, now_).has_value();
    }
    void fail(const FailedApplies::What& what) {
        failed_.remember("plant", what, "It failed.", now_, 0);
    }

    FailedApplies failed_;
    FailedApplies::Clock::time_point now_{std::chrono::hours(1000)};
    FailedApplies::What what_ = package_of("a", 1, 10);
};

TEST_F(SqlServerFailedApplies, EachFailureDoublesThePauseUpToFourHours) {
    for (const int length : {5, 10, 20, 40, 80, 160, 240, 240}) {
        EXPECT_FALSE(is_held_back(what_));
        fail(what_);
        now_ += minutes(length) - std::chrono::seconds(1);
        EXPECT_TRUE(is_held_back(what_)) << length;
        now_ += std::chrono::seconds(1);
    }
}

TEST_F(SqlServerFailedApplies, TheAnswerTellsTheCauseAndWhenItIsTriedAgain) {
    failed_.remember("plant", what_, "The cause.", now_, 14ll * 3600 * 1'000'000);
    now_ += minutes(2);
    const auto answer = failed_.answer("plant", what_, now_);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status(), STSYNC_BUSY);
    EXPECT_EQ(answer->retry_after_ms(), 3u * 60 * 1000);
    EXPECT_NE(std::string(answer->what()).find("The cause."), std::string::npos);
    EXPECT_NE(std::string(answer->what()).find("14:05 UTC"), std::string::npos) << answer->what();
}

TEST_F(SqlServerFailedApplies, TheSameContentFetchedAgainAndAFileNotReadYetAreTheSame) {
    fail(what_);
    EXPECT_TRUE(is_held_back(package_of("b", 1, 10)));
    EXPECT_TRUE(is_held_back({"a", std::nullopt, 10}));
    EXPECT_FALSE(is_held_back({"b", std::nullopt, 10}));
}

TEST_F(SqlServerFailedApplies, AnotherContentANewOrderAndASuccessBeginAnew) {
    fail(what_);
    fail(what_);
    EXPECT_FALSE(is_held_back(package_of("b", 2, 10)));
    EXPECT_FALSE(is_held_back(package_of("a", 1, 11)));
    EXPECT_FALSE(failed_.answer("other", what_, now_));
    const auto other = package_of("b", 2, 10);
    fail(other);
    now_ += minutes(5);
    EXPECT_FALSE(is_held_back(other)) << "the first pause, not the third";
    fail(what_);
    failed_.forget("plant");
    EXPECT_FALSE(is_held_back(what_));
}

} // namespace
} // namespace stationsync::sqlserver::test
