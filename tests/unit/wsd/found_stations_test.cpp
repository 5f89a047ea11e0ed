// The table under attack: row 31 of the acceptance table.
#include "found_stations.hpp"

#include <gtest/gtest.h>

namespace stationsync::discovery_wsd {
namespace {

std::string id_of(unsigned number) {
    std::string digits = std::to_string(number);
    digits.insert(0, 12 - digits.size(), '0');
    return "00000000-0000-4000-8000-" + digits;
}

Sighting sighting(unsigned number, const std::string& address, bool is_answer = false,
                  AppSequence sequence = {1, 1}) {
    Sighting result;
    result.record = {id_of(number), "Plant", "Station " + std::to_string(number), "1", ""};
    result.endpoint = {*parse_ip(address), 8883};
    result.zone = 2;
    result.via = "eth0";
    result.sequence = sequence;
    result.is_answer = is_answer;
    result.ttl = Time(180'000);
    return result;
}

std::string address_of(unsigned number) {
    return "10." + std::to_string(number / 65536) + "." + std::to_string(number / 256 % 256) + "." +
           std::to_string(number % 256);
}

TEST(FoundTable, StaysBoundedAndKeepsWhoAnswered) {
    FoundStations found{Limits{}};
    Time now{0};
    for (unsigned i = 0; i < 10; ++i)
        ASSERT_FALSE(found.see(sighting(i, address_of(i), true), now));
    // A minute of invented stations, each from an address of its own.
    for (unsigned i = 1000; i < 11'000; ++i) {
        found.see(sighting(i, address_of(i)), now);
        now += Time(6);
        found.take_changes(now);
        ASSERT_LE(found.size(), 256U);
    }
    for (unsigned i = 0; i < 10; ++i)
        EXPECT_TRUE(found.contains(id_of(i)));
}

TEST(FoundTable, TakesSixtyFourNewStationsAtOnceAndThenFiveASecond) {
    FoundStations found{Limits{}};
    unsigned taken = 0;
    for (unsigned i = 0; i < 100; ++i)
        taken += found.see(sighting(i, address_of(i)), Time(0)) ? 0 : 1;
    EXPECT_EQ(taken, 64U);
    EXPECT_EQ(found.see(sighting(200, address_of(200)), Time(0)), DropReason::find_rate);
    for (unsigned i = 300; i < 400; ++i)
        taken += found.see(sighting(i, address_of(i)), Time(2000)) ? 0 : 1;
    EXPECT_EQ(taken, 74U);
}

TEST(FoundTable, OldestThatNeverAnsweredGoesFirstAndIsToldAsLost) {
    Limits limits;
    limits.finds = 3;
    FoundStations found(limits);
    found.see(sighting(1, "10.0.0.1", true), Time(0));
    found.see(sighting(2, "10.0.0.2"), Time(1000));
    found.see(sighting(3, "10.0.0.3"), Time(2000));
    found.take_changes(Time(2000));
    found.see(sighting(2, "10.0.0.2", false, {1, 2}), Time(3000));
    EXPECT_FALSE(found.see(sighting(4, "10.0.0.4"), Time(4000)));
    const auto changes = found.take_changes(Time(4000));
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].what, FindChange::What::lost);
    EXPECT_EQ(changes[0].station_id, id_of(3));
    found.see(sighting(2, "10.0.0.2", true, {1, 3}), Time(5000));
    found.see(sighting(4, "10.0.0.4", true, {1, 3}), Time(5000));
    EXPECT_EQ(found.see(sighting(5, "10.0.0.5"), Time(6000)), DropReason::table_full);
}

TEST(FoundTable, GivesOneAddressFewStations) {
    FoundStations found{Limits{}};
    for (unsigned i = 0; i < 4; ++i)
        EXPECT_FALSE(found.see(sighting(i, "10.0.0.1"), Time(0)));
    EXPECT_EQ(found.see(sighting(4, "10.0.0.1"), Time(0)), DropReason::finds_of_source);
    EXPECT_FALSE(found.see(sighting(4, "10.0.0.2"), Time(0)));
    // Nor as a second address of one that is known.
    EXPECT_EQ(found.see(sighting(4, "10.0.0.1"), Time(0)), DropReason::finds_of_source);
    EXPECT_FALSE(found.see(sighting(3, "10.0.0.1", false, {1, 2}), Time(0)));
}

TEST(FoundTable, WhoAnswersTakesThePlaceOfThoseWhoAreSaidToBeAtItsAddress) {
    FoundStations found{Limits{}};
    for (unsigned i = 0; i < 4; ++i)
        EXPECT_FALSE(found.see(sighting(i, "10.0.0.1"), Time(i)));
    EXPECT_FALSE(found.see(sighting(9, "10.0.0.1", true), Time(10)));
    EXPECT_EQ(found.size(), 4U);
    EXPECT_FALSE(found.contains(sighting(0, "10.0.0.1").record.station_id)) << "silent for longest";
    // Those who answered stay, and claims do not come back in.
    EXPECT_EQ(found.see(sighting(8, "10.0.0.1"), Time(11)), DropReason::finds_of_source);
    for (unsigned i = 0; i < 200; ++i)
        static_cast<void>(found.see(sighting(100 + i, address_of(10 + i)), Time(12)));
    EXPECT_FALSE(found.see(sighting(7, "10.0.0.2", true), Time(12)))
        << "claims use up their own rate only";
}

TEST(FoundTable, WhatIsKnownLastsUntilThreeOfTheLongerPeriods) {
    FoundStations found{Limits{}};
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.1", true), Time(0)));
    found.prolong(Time(900'000));
    found.expire(Time(899'999));
    EXPECT_EQ(found.take_changes(Time(899'999)).size(), 1U);
    found.expire(Time(900'000));
    EXPECT_EQ(found.take_changes(Time(900'000)).at(0).what, FindChange::What::lost);
}

TEST(FoundTable, AWholePlantIsTakenAtOnce) {
    FoundStations found{Limits{}};
    for (unsigned i = 0; i < 60; ++i)
        EXPECT_FALSE(found.see(sighting(i, address_of(i + 1)), Time(1'000'000)));
    EXPECT_EQ(found.take_changes(Time(1'000'000)).size(), 60U);
}

TEST(FoundTable, OrdersHellosOfOneSourceOnly) {
    FoundStations found{Limits{}};
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.1", false, {5, 7}), Time(0)));
    EXPECT_EQ(found.see(sighting(1, "10.0.0.1", false, {5, 7}), Time(1)), DropReason::stale);
    EXPECT_EQ(found.see(sighting(1, "10.0.0.1", false, {4, 9}), Time(1)), DropReason::stale);
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.1", true, {5, 3}), Time(1)));
    EXPECT_EQ(found.see(sighting(1, "10.0.0.1", false, {5, 7}), Time(2)), DropReason::stale);
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.1", false, {5, 9}), Time(2))); // with gaps
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.1", false, {6, 0}), Time(3))); // restarted
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.2", false, {2, 1}), Time(3)));
    auto without = sighting(1, "10.0.0.1");
    without.sequence.reset();
    EXPECT_FALSE(found.see(without, Time(4)));
}

TEST(FoundTable, RepeatsAreNotToldBeforeHalfAPeriodAndChangesOncePerSecond) {
    FoundStations found{Limits{}};
    found.see(sighting(1, "10.0.0.1", true, {1, 1}), Time(0));
    EXPECT_EQ(found.take_changes(Time(0)).size(), 1U);
    found.see(sighting(1, "10.0.0.1", true, {1, 2}), Time(1));
    EXPECT_EQ(found.take_changes(Time(1)).size(), 0U);
    auto renamed = sighting(1, "10.0.0.1", true, {1, 3});
    renamed.record.name = "New";
    found.see(renamed, Time(2));
    EXPECT_EQ(found.take_changes(Time(2)).size(), 0U);
    EXPECT_EQ(found.next_deadline(), Time(1000));
    const auto changes = found.take_changes(Time(1000));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].find.record.name, "New");
    found.see(renamed, Time(60'000));
    EXPECT_EQ(found.take_changes(Time(60'000)).size(), 1U);
}

TEST(FoundTable, AByeOfOneAddressEndsAllOfTheSameRun) {
    FoundStations found{Limits{}};
    found.see(sighting(1, "10.0.0.1", true, {5, 1}), Time(0));
    found.see(sighting(1, "10.0.1.1", true, {5, 2}), Time(0));
    found.take_changes(Time(0));
    EXPECT_EQ(found.leave(id_of(1), *parse_ip("10.0.0.1"), 3, std::nullopt),
              DropReason::unknown_bye); // another link
    EXPECT_FALSE(found.leave(id_of(1), *parse_ip("10.0.0.1"), 2, AppSequence{5, 3}));
    const auto changes = found.take_changes(Time(0));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].what, FindChange::What::lost);
    EXPECT_EQ(found.size(), 0U);
}

TEST(FoundTable, TwoComputersWithOneIdAreToldUntilOneIsGone) {
    FoundStations found{Limits{}};
    found.see(sighting(1, "10.0.0.1", true, {5, 1}), Time(0));
    found.see(sighting(1, "10.0.0.2", true, {6, 1}), Time(0));
    EXPECT_TRUE(found.clashes().empty()) << "it may have moved";
    found.see(sighting(1, "10.0.0.1", true, {5, 2}), Time(1000));
    ASSERT_EQ(found.clashes().size(), 1U);
    EXPECT_NE(found.clashes()[0].find("10.0.0.1 and 10.0.0.2"), std::string::npos);
    found.expire(Time(180'001));
    EXPECT_TRUE(found.clashes().empty());
}

TEST(FoundTable, TwoComputersWithOneIdAreToldUntilOneSaysGoodbye) {
    FoundStations found{Limits{}};
    found.see(sighting(1, "10.0.0.1", true, {5, 1}), Time(0));
    found.see(sighting(1, "10.0.0.2", true, {6, 1}), Time(0));
    found.see(sighting(1, "10.0.0.1", true, {5, 2}), Time(1000));
    ASSERT_EQ(found.clashes().size(), 1U);
    EXPECT_FALSE(found.leave(id_of(1), *parse_ip("10.0.0.2"), 2, AppSequence{6, 2}));
    EXPECT_TRUE(found.clashes().empty());
}

TEST(FoundTable, AnAnswerThatWasOvertakenDescribesNothing) {
    FoundStations found{Limits{}};
    auto renamed = sighting(1, "10.0.0.1", false, {5, 4});
    renamed.record.name = "renamed";
    found.see(renamed, Time(0));
    auto late = sighting(1, "10.0.0.1", true, {5, 3});
    late.record.name = "old name";
    found.see(late, Time(100));
    const auto changes = found.take_changes(Time(2000));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].find.record.name, "renamed");
}

TEST(FoundTable, AForgedHugeInstanceLastsOnlyUntilTheStationAnswers) {
    FoundStations found{Limits{}};
    found.see(sighting(1, "10.0.0.1", true, {5, 1}), Time(0));
    found.see(sighting(1, "10.0.0.1", false, {4294967295U, 1}), Time(100));
    found.see(sighting(1, "10.0.0.1", true, {5, 2}), Time(200));
    EXPECT_FALSE(found.see(sighting(1, "10.0.0.1", false, {5, 3}), Time(300))) << "not stale";
}

TEST(FoundTable, PathsOfOneStationAreBounded) {
    FoundStations found{Limits{}};
    for (unsigned i = 0; i < 100; ++i)
        found.see(sighting(1, address_of(i + 1)), Time(0));
    const auto changes = found.take_changes(Time(0));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_LE(changes[0].find.endpoints.size(), 8U);
}

} // namespace
} // namespace stationsync::discovery_wsd
