#include "doctor/odbc_drivers.hpp"

#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace stationsync::host::doctor {
namespace {

ConfigValue table(std::string key, decltype(ConfigValue::data) value) {
    ConfigValue::Table entries;
    entries.push_back({std::move(key), 1, {std::move(value), 1}});
    return {std::move(entries), 1};
}

TEST(OdbcNeed, AConnectionStringNamesItsDriver) {
    const auto need = odbc_need(
        table("connection", std::string("Server=db;driver = {ODBC Driver 18 for SQL Server};")));
    ASSERT_TRUE(need);
    EXPECT_EQ(need->driver, "ODBC Driver 18 for SQL Server");
    EXPECT_EQ(need->source, "");
}

TEST(OdbcNeed, ADataSourceIsNamedByStringOrKey) {
    EXPECT_EQ(odbc_need(table("source", std::string("DSN=Batch;UID=x")))->source, "Batch");
    EXPECT_EQ(odbc_need(table("dsn", std::string("Batch")))->source, "Batch");
}

TEST(OdbcNeed, ASecretConnectionUsesOdbcWithoutBeingRead) {
    const auto need = odbc_need(table("odbc", SecretReference{"DB"}));
    ASSERT_TRUE(need);
    EXPECT_EQ(need->driver, "");
}

TEST(OdbcNeed, OtherKeysNeedNone) {
    EXPECT_FALSE(odbc_need(table("root", std::string("/srv/recipes"))));
    EXPECT_FALSE(odbc_need(table("query", std::string("SELECT name, address FROM stations"))));
    EXPECT_FALSE(odbc_need({}));
}

Finding finding_of(const OdbcNeed& need, const OdbcSurroundings& odbc) {
    Findings findings;
    check_odbc_need("[providers.db]", need, odbc, findings);
    EXPECT_EQ(findings.all().size(), 1u);
    return findings.all().empty() ? Finding{} : findings.all().front();
}

TEST(OdbcCheck, DriversAndSourcesAreKnownInAnyCase) {
    OdbcSurroundings odbc;
    odbc.drivers = {{"FreeTDS", "libtdsodbc.so", true}};
    odbc.sources = {{"Batch", "freetds"}};
    EXPECT_EQ(finding_of({"FREETDS", ""}, odbc).severity, Severity::ok);
    EXPECT_EQ(finding_of({"", "BATCH"}, odbc).severity, Severity::ok);
    EXPECT_EQ(finding_of({"FreeTDS 2", ""}, odbc).severity, Severity::problem);
    EXPECT_EQ(finding_of({"", "Batches"}, odbc).severity, Severity::problem);
}

TEST(OdbcCheck, ALibraryThatIsNamedByItsPathIsLookedAt) {
    const test::TempFolder folder;
    const auto library = (folder / "libplant.so").string();
    const OdbcSurroundings none;
    const auto missing = finding_of({library, ""}, none);
    EXPECT_EQ(missing.severity, Severity::problem);
    EXPECT_NE(missing.text.find(library + ", which is missing"), std::string::npos);
    test::write_file(library, "");
    EXPECT_EQ(finding_of({library, ""}, none).severity, Severity::ok);
    OdbcSurroundings source;
    source.sources = {{"Batch", library}};
    EXPECT_EQ(finding_of({"", "Batch"}, source).severity, Severity::ok);
    EXPECT_EQ(finding_of({"libnowhere-at-all.so", ""}, none).severity, Severity::problem);
}

TEST(IniFile, SectionsAndKeysOfTheDriverManagerAreRead) {
    const auto file =
        parse_ini("; comment\n[SQLite3]\nDescription=SQLite3 ODBC Driver\n"
                  "Driver = libsqlite3odbc.so\r\n\n[FreeTDS]\nDriver64=/usr/lib/x.so\n");
    EXPECT_EQ(file.at("SQLite3").at("driver"), "libsqlite3odbc.so");
    EXPECT_EQ(file.at("FreeTDS").at("driver64"), "/usr/lib/x.so");
    EXPECT_TRUE(parse_ini("key=outside\n[unclosed").contains("unclosed"));
}

} // namespace
} // namespace stationsync::host::doctor
