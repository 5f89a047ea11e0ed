// What the service says becomes findings of the right weight.
#include "doctor/checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

StationFacts running() {
    StationFacts facts;
    facts.service.answers = true;
    facts.service.engine_runs = true;
    return facts;
}

const Finding* find(const Findings& findings, std::string_view id) {
    const auto found = std::ranges::find(findings.all(), id, &Finding::id);
    return found == findings.all().end() ? nullptr : &*found;
}

TEST(DoctorIdentity, TwoStationsWithOneIdAreAProblemWithItsRemedy) {
    auto facts = running();
    facts.service.messages.push_back({"station-clone", "error", "id", "Two computers run.", ""});
    Findings findings;
    check_identity(facts, findings);
    check_service(facts, findings);
    ASSERT_NE(find(findings, "identity.twice"), nullptr);
    EXPECT_EQ(find(findings, "identity.twice")->severity, Severity::problem);
    EXPECT_NE(find(findings, "identity.twice")->remedy.find("station new-identity"),
              std::string::npos);
    EXPECT_EQ(find(findings, "service.message"), nullptr) << "told once";
}

TEST(DoctorIdentity, NothingIsClaimedWhileNoServiceRuns) {
    Findings findings;
    check_identity({}, findings);
    EXPECT_TRUE(findings.all().empty());
}

TEST(DoctorService, StandingErrorsAreProblemsAndWarningsAreCounted) {
    auto facts = running();
    facts.service.messages = {{"a", "error", "recipes", "Bad.", "Mend."},
                              {"b", "warning", "", "Hm.", ""},
                              {"c", "info", "", "So.", ""}};
    Findings findings;
    check_service(facts, findings);
    ASSERT_NE(find(findings, "service.message"), nullptr);
    EXPECT_EQ(find(findings, "service.message")->text, "recipes: Bad.");
    EXPECT_EQ(find(findings, "service.message")->remedy, "Mend.");
    ASSERT_NE(find(findings, "service.warnings"), nullptr);
    EXPECT_EQ(find(findings, "service.warnings")->text,
              "1 message of the service to be looked at.");
}

TEST(DoctorClock, DifferencesBeyondTheLimitAreAProblem) {
    for (const auto& [ms, severity] :
         {std::pair{-61'000, Severity::problem}, std::pair{31'000, Severity::warning},
          std::pair{-200, Severity::ok}}) {
        auto facts = running();
        facts.service.peers.push_back({"B", "connected", true, true, 10});
        facts.service.peers.push_back({"C", "connected", true, true, ms});
        Findings findings;
        check_clock(facts, findings);
        ASSERT_NE(find(findings, "clock.difference"), nullptr);
        EXPECT_EQ(find(findings, "clock.difference")->severity, severity) << ms;
    }
}

TEST(DoctorProviders, FindingsOfPluginsKeepSeverityAndGetARemedy) {
    StationFacts facts;
    ProviderFacts provider;
    provider.name = "recipes";
    provider.plugin = "filesync";
    provider.tested = true;
    provider.found.push_back({"filesync.root", Severity::problem, "Gone.", ""});
    facts.report.providers = {provider, {"db", "sqlite", false, false, "did not answer", {}}};
    Findings findings;
    check_providers(facts, findings);
    ASSERT_EQ(findings.all().size(), 2u);
    EXPECT_EQ(findings.all()[0].id, "providers.filesync.root");
    EXPECT_EQ(topic_of(findings.all()[0]), "providers");
    EXPECT_EQ(findings.all()[0].text, "recipes (filesync): Gone.");
    EXPECT_FALSE(findings.all()[0].remedy.empty());
    EXPECT_EQ(findings.all()[1].severity, Severity::problem);
    EXPECT_EQ(findings.worst(), Severity::problem);
}

TEST(DoctorProviders, OneThatIsBusyIsNoProblemAndNeedsNoRestart) {
    StationFacts facts;
    facts.report.providers = {{"db", "sqlite", false, true, "did not answer", {}}};
    Findings findings;
    check_providers(facts, findings);
    EXPECT_EQ(findings.worst(), Severity::warning);
    EXPECT_EQ(findings.all().at(0).remedy.find("restart"), std::string::npos);
}

TEST(DoctorService, ACommandNamesTheRootOfTheStation) {
    StationFacts facts;
    EXPECT_EQ(stationsync_command(facts, "start"), "stationsync start");
    facts.paths.root = "/srv/plant a";
    EXPECT_EQ(stationsync_command(facts, "start"), "stationsync --root \"/srv/plant a\" start");
}

} // namespace
} // namespace stationsync::host::doctor
