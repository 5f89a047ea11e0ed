// Which stations may exchange data: the checks and their texts.
#include "clock_judge.hpp"
#include "compatibility.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::core {
namespace {

using namespace std::chrono_literals;

Profile profile(std::uint8_t id, std::string name) {
    Profile made;
    made.station.bytes.fill(id);
    made.station_name = std::move(name);
    made.project = "Plant";
    made.product_version = "4.2";
    made.providers = {
        {"batchdb", "sqlserver", "1.2", true, {{"sqlserver.version", "16.0", 0}}, false},
        {"recipes", "filesync", "1.0", true, {}, true}};
    return made;
}

const std::vector<TokenVerdict> both_fit = {{"batchdb", true, {}}, {"recipes", true, {}}};

struct Judged {
    Compatibility ours;
    Compatibility theirs;
};

// The pair as each of the two sees it.
Judged judge(const Profile& a, const Profile& b, const std::vector<TokenVerdict>& by_a = both_fit,
             const std::vector<TokenVerdict>& by_b = both_fit, const PairTime& time = {}) {
    PairTime mirrored = time;
    const auto negated = [](std::optional<Duration> value) {
        return value ? std::optional(-*value) : value;
    };
    mirrored.ours = negated(time.theirs);
    mirrored.theirs = negated(time.ours);
    mirrored.difference = negated(time.difference);
    return {evaluate({&a, by_a}, {&b, by_b}, time, {}),
            evaluate({&b, by_b}, {&a, by_a}, mirrored, {})};
}

const CheckResult& check(const Compatibility& result, std::string_view name) {
    const auto place = std::find_if(result.checks.begin(), result.checks.end(),
                                    [&](const CheckResult& entry) { return entry.check == name; });
    if (place == result.checks.end())
        throw std::logic_error("no check " + std::string(name));
    return *place;
}

void expect_same_text(const Judged& judged, std::string_view name) {
    const CheckResult& ours = check(judged.ours, name);
    const CheckResult& theirs = check(judged.theirs, name);
    EXPECT_FALSE(ours.text.empty());
    EXPECT_EQ(ours.text, theirs.text);
    EXPECT_EQ(ours.passed, theirs.passed);
    EXPECT_EQ(ours.limit, theirs.limit);
    EXPECT_NE(ours.text.find("\"A\""), std::string::npos) << ours.text;
    EXPECT_NE(ours.text.find("\"B\""), std::string::npos) << ours.text;
}

TEST(Compatibility, EqualStationsFitAndOpenAllProviders) {
    const Judged judged = judge(profile(1, "A"), profile(2, "B"));
    EXPECT_TRUE(is_compatible(judged.ours.checks));
    EXPECT_EQ(judged.ours.open_providers, (std::set<std::string>{"batchdb", "recipes"}));
    EXPECT_EQ(judged.ours.checks.size(), 7u);
}

TEST(Compatibility, AllChecksAreEvaluatedEvenIfTheFirstFails) {
    Profile b = profile(2, "B");
    b.protocol_major = 2;
    b.project = "Other";
    b.product_version = "4.3";
    b.providers[0].plugin_version = "2.0";
    const PairTime time{true, 61s, 62s, 61500ms};
    const Judged judged = judge(profile(1, "A"), b, both_fit, both_fit, time);
    for (const char* name :
         {"protocol", "project", "time", "product-version", "provider:batchdb"}) {
        EXPECT_FALSE(check(judged.ours, name).passed) << name;
        expect_same_text(judged, name);
        EXPECT_FALSE(check(judged.ours, name).remedy.empty()) << name;
        EXPECT_EQ(check(judged.ours, name).remedy, check(judged.theirs, name).remedy);
    }
    EXPECT_TRUE(check(judged.ours, "provider:recipes").passed);
    EXPECT_FALSE(is_compatible(judged.ours.checks));
    EXPECT_FALSE(is_compatible(judged.theirs.checks));
}

TEST(Compatibility, TimeTellsWhoIsAheadAndTheLimit) {
    const PairTime time{true, 61s, 62s, 61500ms}; // B is ahead
    const Judged judged = judge(profile(1, "A"), profile(2, "B"), both_fit, both_fit, time);
    EXPECT_TRUE(check(judged.ours, "time")
                    .text.starts_with("The clock of \"B\" is 61.5 s ahead of \"A\"'s"))
        << check(judged.ours, "time").text;
    expect_same_text(judged, "time");
    EXPECT_EQ(check(judged.ours, "time").limit, "60 s");
    EXPECT_EQ(check(judged.ours, "time").ours, "61 s");
    EXPECT_EQ(check(judged.theirs, "time").ours, "-62 s");
}

TEST(Compatibility, RefusalByOnePluginRejectsBothSides) {
    const std::vector<TokenVerdict> refuses = {{"batchdb", false, "15.0 cannot read 16.0"},
                                               {"recipes", true, {}}};
    const Judged judged = judge(profile(1, "A"), profile(2, "B"), both_fit, refuses);
    expect_same_text(judged, "provider:batchdb");
    EXPECT_NE(check(judged.ours, "provider:batchdb").text.find("15.0 cannot read 16.0"),
              std::string::npos);
    EXPECT_FALSE(is_compatible(judged.ours.checks));
    EXPECT_FALSE(is_compatible(judged.theirs.checks));
}

TEST(Compatibility, ARefusalByBothPluginsIsToldOnce) {
    const std::vector<TokenVerdict> by_a = {{"batchdb", false, "15.0 is older than 16.0"},
                                            {"recipes", true, {}}};
    const std::vector<TokenVerdict> by_b = {{"batchdb", false, "16.0 is newer than 15.0"},
                                            {"recipes", true, {}}};
    const Judged judged = judge(profile(1, "A"), profile(2, "B"), by_a, by_b);
    expect_same_text(judged, "provider:batchdb");
    const std::string text = check(judged.ours, "provider:batchdb").text;
    EXPECT_NE(text.find("15.0 is older than 16.0"), std::string::npos) << text;
    EXPECT_EQ(text.find("16.0 is newer than 15.0"), std::string::npos) << text;
}

TEST(Compatibility, UnknownBackEndSuspendsTheProviderOnly) {
    Profile b = profile(2, "B");
    b.providers[0].known = false;
    const std::vector<TokenVerdict> recipes_only = {{"recipes", true, {}}};
    const Judged judged = judge(profile(1, "A"), b, recipes_only, recipes_only);
    EXPECT_TRUE(is_compatible(judged.ours.checks));
    EXPECT_TRUE(check(judged.ours, "provider:batchdb").suspends_only);
    expect_same_text(judged, "provider:batchdb");
    EXPECT_EQ(judged.ours.open_providers, std::set<std::string>{"recipes"});
}

TEST(Compatibility, MissingVerdictOfEitherSideKeepsTheProviderClosed) {
    const std::vector<TokenVerdict> recipes_only = {{"recipes", true, {}}};
    const Judged judged = judge(profile(1, "A"), profile(2, "B"), both_fit, recipes_only);
    EXPECT_EQ(judged.ours.open_providers, std::set<std::string>{"recipes"});
    EXPECT_EQ(judged.theirs.open_providers, std::set<std::string>{"recipes"});
    EXPECT_TRUE(is_compatible(judged.ours.checks));
}

TEST(Compatibility, AMismatchedProviderIsSkippedAloneWhenBothSidesSaySo) {
    Profile a = profile(1, "A");
    Profile b = profile(2, "B");
    a.on_provider_mismatch = b.on_provider_mismatch = ProviderMismatch::skip_provider;
    const std::vector<TokenVerdict> refuses = {{"batchdb", false, "15.0 cannot read 16.0"},
                                               {"recipes", true, {}}};
    const Judged judged = judge(a, b, both_fit, refuses);
    expect_same_text(judged, "provider:batchdb");
    EXPECT_TRUE(is_compatible(judged.ours.checks));
    EXPECT_EQ(judged.ours.open_providers, std::set<std::string>{"recipes"});
    EXPECT_EQ(judged.theirs.open_providers, std::set<std::string>{"recipes"});
}

TEST(Compatibility, StationsThatTreatAMismatchDifferentlyAreRejected) {
    Profile b = profile(2, "B");
    b.on_provider_mismatch = ProviderMismatch::skip_provider;
    const std::vector<TokenVerdict> refuses = {{"batchdb", false, "15.0 cannot read 16.0"},
                                               {"recipes", true, {}}};
    const Judged judged = judge(profile(1, "A"), b, both_fit, refuses);
    expect_same_text(judged, "on-provider-mismatch");
    EXPECT_FALSE(check(judged.ours, "provider:batchdb").suspends_only); // one side is not enough
    EXPECT_FALSE(is_compatible(judged.ours.checks));
    EXPECT_FALSE(is_compatible(judged.theirs.checks));
}

TEST(Compatibility, AProviderOfOneSideOnlyIsInTheReportOfBoth) {
    Profile b = profile(2, "B");
    b.providers.erase(b.providers.begin());
    const Judged judged = judge(profile(1, "A"), b);
    EXPECT_TRUE(check(judged.ours, "provider:batchdb").passed);
    EXPECT_EQ(check(judged.ours, "provider:batchdb").theirs, "not in use");
    EXPECT_EQ(check(judged.theirs, "provider:batchdb").ours, "not in use");
    EXPECT_EQ(check(judged.theirs, "provider:batchdb").theirs,
              check(judged.ours, "provider:batchdb").ours);
}

TEST(Compatibility, ProviderOfOneSideOnlyFailsNothing) {
    Profile b = profile(2, "B");
    b.providers.erase(b.providers.begin());
    const Judged judged = judge(profile(1, "A"), b);
    EXPECT_TRUE(is_compatible(judged.ours.checks));
    EXPECT_EQ(judged.ours.open_providers, std::set<std::string>{"recipes"});
}

TEST(Compatibility, OtherPluginRejects) {
    Profile b = profile(2, "B");
    b.providers[1].plugin = "sqlite";
    const Judged judged = judge(profile(1, "A"), b);
    expect_same_text(judged, "provider:recipes");
    EXPECT_FALSE(is_compatible(judged.ours.checks));
}

TEST(Compatibility, MinorPluginVersionDoesNotMatter) {
    Profile b = profile(2, "B");
    b.providers[1].plugin_version = "1.7.3";
    EXPECT_TRUE(is_compatible(judge(profile(1, "A"), b).ours.checks));
}

TEST(Compatibility, StationsOfTheSameNameAreToldApartByTheirIds) {
    Profile b = profile(2, "A");
    b.project = "Other";
    const Judged judged = judge(profile(1, "A"), b);
    EXPECT_NE(check(judged.ours, "project").text.find("\"A\" (01010101)"), std::string::npos)
        << check(judged.ours, "project").text;
}

TEST(SecondsText, RoundsToTenths) {
    EXPECT_EQ(seconds_text(60s), "60 s");
    EXPECT_EQ(seconds_text(-61'249ms), "-61.2 s");
    EXPECT_EQ(seconds_text(-20ms), "0 s");
    EXPECT_EQ(seconds_text(61'250ms), "61.3 s");
}

// ---- time difference -------------------------------------------------------------------------

ClockJudge judged_clock(Duration ours, Duration theirs, std::optional<bool> told = true) {
    ClockJudge clock;
    clock.measured(ours);
    clock.reported(-theirs);
    clock.told(told);
    clock.judge({});
    return clock;
}

TEST(ClockJudge, JudgesTheMeanOfBothMeasurements) {
    EXPECT_TRUE(judged_clock(70s, 49s).passed());
    EXPECT_FALSE(judged_clock(70s, 51s).passed());
    EXPECT_EQ(judged_clock(70s, 50s).difference(), Duration{60s});
}

TEST(ClockJudge, SixtySecondsPassAndMoreDoesNot) {
    EXPECT_TRUE(judged_clock(60s, 60s).passed());
    EXPECT_TRUE(judged_clock(-60s, -60s).passed());
    EXPECT_FALSE(judged_clock(60s + 1us, 60s + 1us).passed());
    EXPECT_FALSE(judged_clock(-61s, -61s).passed());
}

TEST(ClockJudge, ReadmitsOnlyBelowTheLowerLimit) {
    ClockJudge clock = judged_clock(61s, 61s);
    EXPECT_TRUE(clock.failed());
    clock.measured(57s);
    clock.reported(-57s);
    clock.judge({});
    EXPECT_TRUE(clock.failed());
    clock.measured(55s);
    clock.reported(-55s);
    clock.judge({});
    EXPECT_TRUE(clock.failed());
    clock.measured(54s);
    clock.reported(-55s);
    clock.judge({});
    EXPECT_TRUE(clock.passed());
}

TEST(ClockJudge, RejectionByThePeerHoldsHereToo) {
    ClockJudge clock = judged_clock(57s, 57s, false);
    EXPECT_TRUE(clock.failed());
    EXPECT_FALSE(clock.passed_here());
    clock.told(true);
    clock.judge({});
    EXPECT_FALSE(clock.passed()) << "57 s is not below the limit of readmission";
}

TEST(ClockJudge, NothingPassesBeforeThePeerHasJudged) {
    const ClockJudge clock = judged_clock(1s, 1s, std::nullopt);
    EXPECT_FALSE(clock.passed());
    EXPECT_FALSE(clock.failed());
}

TEST(ClockJudge, HostileReportsDoNotOverflow) {
    ClockJudge clock;
    clock.measured(Duration::max());
    clock.reported(Duration::min());
    clock.told(true);
    clock.judge({});
    EXPECT_TRUE(clock.failed());
}

TEST(ClockJudge, RejectionSurvivesALostLink) {
    ClockJudge clock = judged_clock(61s, 61s);
    clock.forget_measurements();
    clock.measured(58s);
    clock.reported(-58s);
    clock.told(true);
    clock.judge({});
    EXPECT_FALSE(clock.passed());
}

} // namespace
} // namespace stationsync::core
