// Packages into databases, with users in them.
#include "component/sqlserver_apply/apply_fixture.hpp"

#include "quoting.hpp"

namespace stationsync::test {
namespace {

TEST_F(SqlServerApply, SideBySideExchangesTheContentAndReportsItsMark) {
    start();
    make_two_states();
    const Ended ended = station_->apply("plant", fresh_, sql::mark_of(old_.content));
    ASSERT_TRUE(ended.mark) << ended.text;
    EXPECT_EQ(*ended.mark, sql::mark_of(fresh_.content));
    EXPECT_EQ(ended.changed_at, 1'700'000'000'000'000);
    expect_whole("plant", "fresh");
    EXPECT_EQ(station_->mark_of("plant"), sql::mark_of(fresh_.content)) << "an echo";
}

} // namespace
} // namespace stationsync::test
