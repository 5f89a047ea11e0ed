#include "server_version.hpp"

#include "scripted_session.hpp"

#include <stationsync/error.hpp>

namespace stationsync::sqlserver {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields properties(const std::string& version, const std::string& format) {
    return {{"server_name", "PLANT\\SQLEXPRESS"},
            {"model_version", format},
            {"product_version", version},
            {"product_level", "RTM"},
            {"update_level", "NULL"},
            {"edition", "Express Edition (64-bit)"},
            {"edition_id", "-1592396055"},
            {"engine_edition", "4"},
            {"collation", "Latin1_General_CI_AS"},
            {"machine_name", "PLANT"},
            {"instance_name", "SQLEXPRESS"},
            {"is_local_db", "0"},
            {"is_clustered", "0"},
            {"is_hadr_enabled", "NULL"},
            {"is_xtp_supported", "1"},
            {"filestream_level", "0"},
            {"is_full_text_installed", "0"},
            {"data_path", "C:\\Data\\"},
            {"log_path", "C:\\Data\\"},
            {"backup_path", "NULL"},
            {"path_separator", "NULL"}};
}

ServerFacts facts(const std::string& version, const std::string& format,
                  const std::string& engine = "4") {
    Fields fields = properties(version, format);
    for (auto& [column, value] : fields)
        if (column == "engine_edition")
            value = engine;
    return parse_server_facts(test::one_row(fields).row());
}

std::vector<sdk::Token> tokens(const std::string& version, const std::string& format,
                               bool is_build_exact = false) {
    return tokens_of(facts(version, format), is_build_exact);
}

TEST(ServerVersion, IsReadFromItsText) {
    EXPECT_EQ(parse_version("16.0.4105.2"), (ServerVersion{16, 0, 4105, 2}));
    EXPECT_EQ(parse_version("11.0.2100"), (ServerVersion{11, 0, 2100, 0}));
    EXPECT_EQ(to_text(*parse_version("16.0.4105.2")), "16.0.4105.2");
    EXPECT_LT(parse_version("13.0.999.0"), parse_version("13.0.5026.0"));
    for (const char* const text : {"", "16", "a.b", "16.0.", "1.2.3.4.5", "-1.0", "16,0"})
        EXPECT_FALSE(parse_version(text)) << text;
}

TEST(ServerVersion, HasTheNameOfItsRelease) {
    EXPECT_EQ(release_of(11, 0), "2012");
    EXPECT_EQ(release_of(16, 0), "2022");
    EXPECT_EQ(release_of(17, 0), "2025");
    EXPECT_EQ(release_of(18, 0), "version 18.0");
    EXPECT_EQ(release_of(10, 50), "2008 R2");
}

TEST(ServerFacts, AreReadWithWhatIsNotKnown) {
    const ServerFacts read = facts("16.0.4105.2", "957");
    EXPECT_EQ(read.name(), "SQL Server 2022 (16.0.4105.2), Express Edition (64-bit)");
    EXPECT_EQ(read.format, 957);
    EXPECT_EQ(read.instance, "SQLEXPRESS");
    EXPECT_EQ(read.path_separator, "\\");
    EXPECT_FALSE(read.is_linux);
    EXPECT_TRUE(read.backup_folder.empty());
    EXPECT_FALSE(read.is_hadr_enabled);
    EXPECT_THROW(facts("unknown", "1"), sdk::Error);
}

TEST(ServerFacts, SayWhatAVersionOffers) {
    EXPECT_FALSE(facts("11.0.7001.0", "706").has_log_stats());
    EXPECT_FALSE(facts("13.0.4001.0", "852").has_log_stats()) << "2016 SP1";
    EXPECT_TRUE(facts("13.0.5026.0", "852").has_log_stats()) << "2016 SP2";
    EXPECT_TRUE(facts("14.0.1000.169", "869").has_log_stats());
    EXPECT_FALSE(facts("13.0.5026.0", "852").has_file_exists());
    EXPECT_FALSE(facts("11.0.2100.60", "706").has_connect_any());
    EXPECT_TRUE(facts("16.0.1000.6", "957").splits_server_state());
    EXPECT_FALSE(facts("15.0.2000.5", "904").splits_server_state());
}

TEST(ServerFacts, KnowTheLimitsOfEditions) {
    constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;
    EXPECT_EQ(facts("16.0.1000.6", "957").data_bytes_max(), 10 * gibibyte);
    EXPECT_EQ(facts("17.0.1000.7", "998").data_bytes_max(), 50 * gibibyte);
    EXPECT_FALSE(facts("16.0.1000.6", "957", "3").data_bytes_max());
    EXPECT_FALSE(facts("16.0.1000.6", "957").can_compress());
    EXPECT_TRUE(facts("16.0.1000.6", "957", "3").can_compress());
    ServerFacts standard = facts("16.0.1000.6", "957", "2");
    EXPECT_FALSE(standard.can_compress());
    standard.edition_id = -1534726760;
    EXPECT_TRUE(standard.can_compress());
}

TEST(ServerFacts, AreAskedForInOneQuestionAndTheHostInAnother) {
    test::ScriptedSession session;
    session.expect("SERVERPROPERTY('ProductVersion')",
                   test::one_row(properties("15.0.4322.2", "904")));
    session.expect("sys.dm_os_host_info", test::one_row({{"host_platform", "Linux"}}));
    EXPECT_TRUE(ask_server_facts(session, nullptr).is_linux);
    session.expect("SERVERPROPERTY", test::one_row(properties("13.0.5026.0", "852")));
    EXPECT_FALSE(ask_server_facts(session, nullptr).is_linux) << "2016 knows no such view";
    session.expect("SERVERPROPERTY", test::one_row(properties("15.0.4322.2", "904")));
    session.expect("sys.dm_os_host_info", test::failed({test::error(300)}));
    EXPECT_FALSE(ask_server_facts(session, nullptr).is_linux) << "a missing right is no failure";
}

TEST(UnsupportedServer, IsNamedWithItsRemedy) {
    EXPECT_EQ(unsupported_reason(facts("11.0.2100.60", "706")), "");
    EXPECT_EQ(unsupported_reason(facts("18.0.100.1", "1010")), "");
    EXPECT_NE(unsupported_reason(facts("10.50.6000.34", "661")).find("2008 R2"), std::string::npos);
    for (const char* const engine : {"5", "6", "8", "9", "11"})
        EXPECT_NE(unsupported_reason(facts("12.0.2000.8", "900", engine)).find("cloud"),
                  std::string::npos)
            << engine;
    for (const char* const engine : {"2", "3", "4"})
        EXPECT_EQ(unsupported_reason(facts("16.0.1000.6", "957", engine)), "") << engine;
    ServerFacts local = facts("15.0.4322.2", "904");
    local.is_local_db = true;
    EXPECT_NE(unsupported_reason(local).find("LocalDB"), std::string::npos);
}

TEST(Compatibility, AnotherReleaseIsRejectedWithBothNames) {
    const auto newer = tokens("16.0.4105.2", "957");
    const auto older = tokens("15.0.4322.2", "904");
    const auto reasons = incompatibilities(newer, older);
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_NE(reasons[0].find("2022 (16.0.4105.2) here"), std::string::npos) << reasons[0];
    EXPECT_NE(reasons[0].find("2019 (15.0.4322.2) there"), std::string::npos) << reasons[0];
    EXPECT_EQ(incompatibilities(older, newer).size(), 1u);
}

TEST(Compatibility, AnotherFormatOfFilesIsRejected) {
    const auto reasons =
        incompatibilities(tokens("16.0.700.4", "950"), tokens("16.0.1000.6", "957"));
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_NE(reasons[0].find("950 here and 957 there"), std::string::npos) << reasons[0];
}

TEST(Compatibility, AnotherBuildIsADifferenceOnly) {
    const auto ours = tokens("16.0.4105.2", "957");
    const auto theirs = tokens("16.0.1000.6", "957");
    EXPECT_TRUE(incompatibilities(ours, theirs).empty());
    const auto noted = differences(ours, theirs);
    ASSERT_EQ(noted.size(), 1u);
    EXPECT_NE(noted[0].find("16.0.4105.2 here and 16.0.1000.6 there"), std::string::npos);
    EXPECT_TRUE(differences(ours, ours).empty());
}

TEST(Compatibility, BothSidesGiveTheSameVerdictAlsoWhenOneIsStricter) {
    const std::vector<std::vector<sdk::Token>> stations = {tokens("16.0.4105.2", "957"),
                                                           tokens("16.0.4105.2", "957", true),
                                                           tokens("16.0.1000.6", "957"),
                                                           tokens("16.0.1000.6", "957", true),
                                                           tokens("15.0.4322.2", "904"),
                                                           tokens("16.0.4105.2", "950"),
                                                           {}};
    for (const auto& a : stations)
        for (const auto& b : stations)
            EXPECT_EQ(incompatibilities(a, b).empty(), incompatibilities(b, a).empty());
    EXPECT_FALSE(incompatibilities(stations[1], stations[2]).empty()) << "exact_build here";
    EXPECT_FALSE(incompatibilities(stations[2], stations[1]).empty()) << "exact_build there";
    EXPECT_TRUE(incompatibilities(stations[0], stations[1]).empty());
    EXPECT_FALSE(incompatibilities(stations[0], stations[6]).empty()) << "nothing is known of it";
}

HeaderVersion header(int major, int minor, int build, int format) {
    return {{major, minor, build, 0}, format, "Latin1_General_CI_AS"};
}

TEST(PackageVersion, MustBeThatOfTheServer) {
    const ServerFacts here = facts("16.0.4105.2", "957");
    EXPECT_EQ(judge_package(header(16, 0, 4105, 957), here, true).obstacle, "");
    const std::string older = judge_package(header(15, 0, 4322, 904), here, false).obstacle;
    EXPECT_NE(older.find("SQL Server 2019 (15.0.4322)"), std::string::npos) << older;
    EXPECT_NE(older.find("SQL Server 2022 (16.0.4105.2)"), std::string::npos) << older;
    EXPECT_NE(judge_package(header(17, 0, 1000, 998), here, false).obstacle, "");
    EXPECT_NE(judge_package(header(16, 5, 4105, 957), here, false).obstacle, "");
    EXPECT_NE(judge_package(header(16, 0, 4105, 904), here, false).obstacle.find("904"),
              std::string::npos);
}

TEST(PackageVersion, AnotherBuildIsAWarningUnlessExactBuildIsAskedFor) {
    const ServerFacts here = facts("16.0.4105.2", "957");
    const PackageVerdict newer = judge_package(header(16, 0, 4215, 957), here, false);
    EXPECT_EQ(newer.obstacle, "");
    ASSERT_EQ(newer.warnings.size(), 1u);
    EXPECT_NE(newer.warnings[0].find("on this station"), std::string::npos);
    const PackageVerdict older = judge_package(header(16, 0, 1000, 957), here, false);
    ASSERT_EQ(older.warnings.size(), 1u);
    EXPECT_NE(older.warnings[0].find("on that station"), std::string::npos);
    EXPECT_NE(judge_package(header(16, 0, 4215, 957), here, true).obstacle, "");
    EXPECT_NE(judge_package(header(16, 0, 1000, 957), here, true).obstacle, "");
}

TEST(PackageVersion, IsReadFromTheHeaderByName) {
    const Answer answer = test::one_row({{"Collation", "x"},
                                         {"SoftwareVersionMinor", "0"},
                                         {"DatabaseVersion", "957"},
                                         {"SoftwareVersionBuild", "4105"},
                                         {"SoftwareVersionMajor", "16"}});
    const HeaderVersion read = parse_header_version(answer.row());
    EXPECT_EQ(read.version, (ServerVersion{16, 0, 4105, 0}));
    EXPECT_EQ(read.format, 957);
}

} // namespace
} // namespace stationsync::sqlserver
