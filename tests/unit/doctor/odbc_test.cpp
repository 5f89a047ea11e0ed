#include "doctor/odbc_drivers.hpp"

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
