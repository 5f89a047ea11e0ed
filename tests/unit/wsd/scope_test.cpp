// Rows 15 and 17 of the acceptance table, and what stations say in scopes.
#include "scope.hpp"

#include <gtest/gtest.h>

namespace stationsync::discovery_wsd {
namespace {

const std::string rule_base = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/";
const StationRecord self{"01234567-89ab-4def-8123-456789abcdef", "Demo Line 1", "Press 3", "1.0",
                         "2.3.1"};

bool matches(std::vector<std::string> scopes, std::string rule = "") {
    Target probe;
    probe.scopes = std::move(scopes);
    probe.match_by = std::move(rule);
    return is_asked_for(probe, scopes_of(self));
}

TEST(ProbeTypes, AreComparedByNamespaceAndName) {
    const auto asks = [](std::vector<QName> types) {
        Target probe;
        probe.types = std::move(types);
        return is_asked_for(probe, scopes_of(self));
    };
    const QName ours{std::string(station_namespace), "Station"};
    EXPECT_TRUE(asks({}));
    EXPECT_TRUE(asks({ours}));
    EXPECT_TRUE(asks({ours, ours}));
    EXPECT_FALSE(asks({{"urn:wrong", "Station"}}));
    EXPECT_FALSE(asks({{std::string(station_namespace), "station"}}));
    EXPECT_FALSE(asks({{"", "Station"}}));
    EXPECT_FALSE(asks({ours, {"http://schemas.xmlsoap.org/ws/2006/02/devprof", "Device"}}));
}

TEST(ScopeRule, ComparesWholeSegments) {
    EXPECT_TRUE(matches({"stn://stationsync/project/Demo%20Line%201"}));
    EXPECT_TRUE(matches({"stn://stationsync/project"}));
    EXPECT_TRUE(matches({"stn://stationsync/project/"}));
    EXPECT_TRUE(matches({"stn://stationsync"}));
    EXPECT_TRUE(matches({"STN://StationSync/project/Demo%20Line%201"}));
    EXPECT_TRUE(matches({"stn://stationsync/project/Demo%20Line%201?x#y"}));
    EXPECT_TRUE(matches({"stn://stationsync/project/%44emo%20Line%201"}));
    EXPECT_FALSE(matches({"stn://stationsync/project/Demo"}));
    EXPECT_FALSE(matches({"stn://stationsync/project/Demo%20Line"}));
    EXPECT_FALSE(matches({"stn://stationsync/Project/Demo%20Line%201"}));
    EXPECT_FALSE(matches({"stn://stationsync/project/Demo%20Line%201/x"}));
    EXPECT_FALSE(matches({"stn://stationsync/x/../project/Demo%20Line%201"}));
    EXPECT_FALSE(matches({"stn://stationsync/./project"}));
    EXPECT_FALSE(matches({"stn://other/project/Demo%20Line%201"}));
    EXPECT_FALSE(matches({"http://stationsync/project"}));
    EXPECT_FALSE(matches({"project"}));
    EXPECT_FALSE(matches({""}));
    // A slash inside a segment separates nothing.
    EXPECT_FALSE(matches({"stn://stationsync/project%2FDemo%20Line%201"}));
    EXPECT_FALSE(matches({"stn://stationsync/project/%4"}));
}

TEST(ScopeRule, OfAllMustMatch) {
    EXPECT_TRUE(matches({"stn://stationsync/project", "stn://stationsync/name/Press%203"}));
    EXPECT_FALSE(matches({"stn://stationsync/project", "stn://stationsync/name/Press%204"}));
}

TEST(ScopeRule, IsTheOneThatWasAskedFor) {
    const std::string exact = "stn://stationsync/project/Demo%20Line%201";
    for (const char* name : {"rfc3986", "rfc2396"})
        EXPECT_TRUE(matches({"stn://stationsync/project"}, rule_base + name));
    EXPECT_TRUE(matches({exact}, rule_base + "strcmp0"));
    EXPECT_FALSE(matches({"stn://stationsync/project"}, rule_base + "strcmp0"));
    EXPECT_FALSE(matches({"STN://stationsync/project/Demo%20Line%201"}, rule_base + "strcmp0"));
    EXPECT_FALSE(matches({exact}, rule_base + "none"));
    EXPECT_FALSE(matches({exact}, rule_base + "ldap"));
    EXPECT_FALSE(matches({exact}, "urn:mine"));
    EXPECT_FALSE(matches({}, "urn:mine"));
    EXPECT_FALSE(matches({exact}, rule_base + "uuid"));
    EXPECT_TRUE(matches({exact}, "http://schemas.xmlsoap.org/ws/2005/04/discovery/strcmp0"));
}

TEST(StationRecord, TravelsInScopes) {
    Target target;
    target.endpoint = "urn:uuid:01234567-89AB-4DEF-8123-456789ABCDEF";
    target.scopes = scopes_of(self);
    EXPECT_EQ(record_of(target), self);
    target.scopes.emplace_back("onvif://www.onvif.org/name/x");
    target.scopes.emplace_back("stn://stationsync/later/x");
    EXPECT_EQ(record_of(target), self);
}

TEST(StationRecord, IsRefusedWhenItIsNotWhole) {
    const auto with = [](auto&& change) {
        Target target;
        target.endpoint = endpoint_of(self.station_id);
        target.scopes = scopes_of(self);
        change(target);
        return record_of(target).has_value();
    };
    EXPECT_TRUE(with([](Target& target) { target.scopes.pop_back(); })); // without product version
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_FALSE(with([&](Target& target) {
            target.scopes.erase(target.scopes.begin() + static_cast<std::ptrdiff_t>(i));
        })) << i;
    EXPECT_FALSE(with([](Target& target) { target.endpoint = "urn:uuid:1"; }));
    EXPECT_FALSE(with(
        [](Target& target) { target.endpoint = "urn:uuid:11111111-89ab-4def-8123-456789abcdef"; }));
    EXPECT_FALSE(with([](Target& target) { target.scopes.push_back(target.scopes[0]); }));
    for (const char* name : {"%00", "a%0Ab", "%1B[31m", "%C3%28", "%7f", "%C2%85", "%4", "%zz",
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""})
        EXPECT_FALSE(with([&](Target& target) {
            target.scopes[2] = std::string("stn://stationsync/name/") + name;
        })) << name;
}

TEST(PercentCoding, IsReversible) {
    const std::string text = "a/b c\xc3\xbc%&\"<>~-._";
    EXPECT_EQ(percent_encoded(text), "a%2Fb%20c%C3%BC%25%26%22%3C%3E~-._");
    EXPECT_EQ(percent_decoded(percent_encoded(text)), text);
    EXPECT_EQ(percent_decoded("%c3%bc"), "\xc3\xbc");
}

} // namespace
} // namespace stationsync::discovery_wsd
