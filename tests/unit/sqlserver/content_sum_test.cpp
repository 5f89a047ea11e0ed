#include "content_sum.hpp"

#include "scripted_session.hpp"

namespace stationsync::sqlserver {
namespace {

Answer table_with(const std::string& left_out) {
    return test::one_row(
        {{"schema_name", "dbo"}, {"table_name", "recipe"}, {"left_out", left_out}});
}

TEST(ContentSum, IsMadeOfTypesThatAreKnownToCountOnly) {
    test::ScriptedSession session;
    session.expect("sys.tables", table_with("1"));
    EXPECT_FALSE(read_content_sum(session, "plant", nullptr)) << "a column that is left out";

    session.expect(
        ".sys.columns c WHERE c.object_id = t.object_id AND c.system_type_id NOT IN (36,",
        table_with("0"));
    session.expect("BINARY_CHECKSUM",
                   test::one_row({{"row_count", "1"}, {"mixed", "2"}, {"added", "3"}}));
    EXPECT_TRUE(read_content_sum(session, "plant", nullptr));
}

} // namespace
} // namespace stationsync::sqlserver
