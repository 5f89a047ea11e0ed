#include "scripted_session.hpp"

#include <stationsync/error.hpp>

#include <limits>

namespace stationsync::sqlserver {
namespace {

TEST(Rows, AreReadByTheNamesOfTheirColumns) {
    const Answer answer = test::one_row({{"state_desc", "ONLINE"}, {"Position", "3"}});
    const Row row = answer.row();
    EXPECT_EQ(row["STATE_DESC"].text(), "ONLINE");
    EXPECT_EQ(row["position"].integer(), 3);
    EXPECT_EQ(row.find("nothing"), nullptr);
    EXPECT_THROW(row["nothing"], sdk::Error);
    EXPECT_TRUE(answer.rows().has("Position"));
    EXPECT_FALSE(answer.rows().has("Pos"));
}

TEST(Rows, ThatAreMissingAreAFailure) {
    EXPECT_THROW(Answer().rows(), sdk::Error);
    Answer none = test::one_row({{"a", "1"}});
    none.results.front().rows.clear();
    EXPECT_THROW(none.row(), sdk::Error);
    Answer two = test::one_row({{"a", "1"}});
    two.results.front().rows.push_back(two.results.front().rows.front());
    EXPECT_THROW(two.row(), sdk::Error);
}

TEST(Values, NullIsNothingInEveryType) {
    const Value null;
    EXPECT_TRUE(null.is_null());
    EXPECT_FALSE(null.text());
    EXPECT_FALSE(null.integer());
    EXPECT_FALSE(null.real());
    EXPECT_FALSE(null.flag());
    EXPECT_FALSE(null.guid());
    EXPECT_FALSE(null.numeric());
    EXPECT_FALSE(null.date_time());
    EXPECT_FALSE(null.bytes());
}

TEST(Values, AreReadAsTheirType) {
    EXPECT_EQ(Value::of_text("-9223372036854775808").integer(),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(Value::of_text("0.1").real(), 0.1);
    EXPECT_EQ(Value::of_text("0").flag(), false);
    EXPECT_EQ(Value::of_text("1").flag(), true);
    EXPECT_EQ(Value::of_text("45000000016600190").numeric(), "45000000016600190");
    EXPECT_EQ(Value::of_text("{6f9619ff-8b86-d011-b42d-00c04fc964ff}").guid(),
              "6F9619FF-8B86-D011-B42D-00C04FC964FF");
    EXPECT_EQ(Value::of_bytes(std::string("\0\xff", 2)).bytes(), std::string("\0\xff", 2));
    EXPECT_EQ(Value::of_text("").text(), "");
}

TEST(Values, OfAnotherTypeAreAFailure) {
    const Value text = Value::of_text("twelve");
    EXPECT_THROW(text.integer(), sdk::Error);
    EXPECT_THROW(text.real(), sdk::Error);
    EXPECT_THROW(text.guid(), sdk::Error);
    EXPECT_THROW(text.numeric(), sdk::Error);
    EXPECT_THROW(text.date_time(), sdk::Error);
    EXPECT_THROW(text.bytes(), sdk::Error);
    EXPECT_THROW(Value::of_bytes("1").text(), sdk::Error);
    EXPECT_THROW(Value::of_text("99999999999999999999").integer(), sdk::Error);
    EXPECT_THROW(Value::of_text("1.2.3").numeric(), sdk::Error);
    EXPECT_THROW(Value::of_text("6f9619ff-8b86-d011-b42d-00c04fc964f").guid(), sdk::Error);
    EXPECT_THROW(Value::of_text("6f9619ff08b86-d011-b42d-00c04fc964ff").guid(), sdk::Error);
}

TEST(Times, OfAllTypesOfSqlServer) {
    const auto datetime = parse_date_time("2024-03-31 02:30:00.997");
    ASSERT_TRUE(datetime);
    EXPECT_EQ(datetime->nanoseconds, 997000000);
    EXPECT_FALSE(datetime->offset_minutes);
    EXPECT_EQ(datetime->microseconds(), 1711852200997000);
    EXPECT_EQ(parse_date_time("2024-03-31T02:30:00.9970000Z")->microseconds(), 1711852200997000);
    EXPECT_EQ(parse_date_time("2024-03-31 04:30:00.997 +02:00")->microseconds(), 1711852200997000);
    EXPECT_EQ(parse_date_time("2024-03-30 18:00:00.997 -08:30")->microseconds(), 1711852200997000);
    EXPECT_EQ(parse_date_time("1970-01-01")->microseconds(), 0);
    EXPECT_EQ(parse_date_time("0001-01-01 00:00:00")->microseconds(), -62135596800000000);
    EXPECT_EQ(parse_date_time("9999-12-31 23:59:59.9999999")->microseconds(), 253402300799999999);
    EXPECT_EQ(parse_date_time("1969-12-31 23:59:59.9999999")->microseconds(), -1);
}

TEST(Times, ThatAreNoneAreRefused) {
    for (const char* const text :
         {"", "2024", "2024-13-01", "2024-00-01", "2024-01-32", "2024-01-01 24:00:00",
          "2024-01-01 00:60:00", "2024-01-01 00:00:00.", "2024-01-01 00:00:00 +15:00",
          "2024-01-01 00:00:00 x", "Mar 31 2024  2:30AM", "0000-01-01", "-024-01-01"})
        EXPECT_FALSE(parse_date_time(text)) << text;
}

TEST(Messages, OfSeverityTenAndLessAreNoErrors) {
    EXPECT_FALSE(test::information(3211).is_error());
    EXPECT_TRUE(test::error(3201).is_error());
    EXPECT_TRUE(test::error(0, "gone", "08S01").is_error());
    EXPECT_TRUE(test::information(20017, "Unexpected EOF from the server").is_error())
        << "so FreeTDS tells that the connection is gone";
    EXPECT_EQ(to_text({test::error(3201, "a"), test::information(0, "b")}),
              "a (42000, 3201); b (01000)");
    EXPECT_EQ(to_text(std::vector<Diagnostic>()), "the driver gives no reason");
}

} // namespace
} // namespace stationsync::sqlserver
