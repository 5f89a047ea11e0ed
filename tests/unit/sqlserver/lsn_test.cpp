#include "lsn.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

TEST(LogPosition, HasTwoFormsOfOneValue) {
    const auto of_view = parse_lsn("0000002d:000000a6:00be");
    const auto of_header = parse_lsn("45000000016600190");
    ASSERT_TRUE(of_view && of_header);
    EXPECT_EQ(*of_view, *of_header);
    EXPECT_EQ(of_view->file, 45u);
    EXPECT_EQ(of_view->block, 166u);
    EXPECT_EQ(of_view->slot, 190u);
    EXPECT_EQ(to_number(*of_view), "45000000016600190");
    EXPECT_EQ(to_hex(*of_header), "0000002d:000000a6:00be");
}

TEST(LogPosition, IsComparedAsANumber) {
    // As text, the shorter one would be the greater.
    EXPECT_LT(parse_lsn("9000000016600190"), parse_lsn("45000000016600190"));
    EXPECT_LT(parse_lsn("0000002d:000000a6:00be"), parse_lsn("0000002d:000000a6:00bf"));
    EXPECT_LT(parse_lsn("0000002d:000000a6:ffff"), parse_lsn("0000002d:000000a7:0000"));
    EXPECT_LT(parse_lsn("0000002d:ffffffff:ffff"), parse_lsn("0000002e:00000000:0000"));
}

TEST(LogPosition, HasRoomForTheGreatest) {
    const auto greatest = parse_lsn("ffffffff:ffffffff:ffff");
    ASSERT_TRUE(greatest);
    EXPECT_EQ(to_number(*greatest), "4294967295429496729565535");
    EXPECT_EQ(parse_lsn(to_number(*greatest)), greatest);
    EXPECT_EQ(parse_lsn("0"), Lsn{});
    EXPECT_EQ(to_number(Lsn{}), "0");
    EXPECT_EQ(parse_lsn(" 0x0000002d:000000a6:00be "), parse_lsn("45000000016600190"));
}

TEST(LogPosition, IsNothingElse) {
    for (const char* const text :
         {"", " ", "x", "1:2", "1:2:3:4", "-1", "1.5", "45 0", "12:zz:0", "1:2:10000",
          "100000000:0:0", "4294967295429496729565536", "4294967296000000000000000",
          "14294967295429496729565535", ":::", "1::2"})
        EXPECT_FALSE(parse_lsn(text)) << text;
}

} // namespace
} // namespace stationsync::sqlserver
