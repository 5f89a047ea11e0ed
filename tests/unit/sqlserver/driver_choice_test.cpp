#include "driver_choice.hpp"

#include <stationsync/error.hpp>

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

std::vector<InstalledDriver> named(std::initializer_list<const char*> names) {
    std::vector<InstalledDriver> drivers;
    for (const char* const name : names)
        drivers.push_back({name, ""});
    return drivers;
}

std::string refusal(const std::vector<InstalledDriver>& installed, std::string_view wanted) {
    try {
        return "took " + choose_driver(installed, wanted).name;
    } catch (const sdk::Error& error) {
        EXPECT_EQ(error.status(), STSYNC_DENIED);
        return error.what();
    }
}

TEST(DriverChoice, TakesTheBestOfThoseInstalled) {
    auto drivers = named({"FreeTDS", "SQL Server", "SQL Server Native Client 11.0",
                          "ODBC Driver 11 for SQL Server", "PostgreSQL Unicode",
                          "ODBC Driver 13.1 for SQL Server", "ODBC Driver 17 for SQL Server",
                          "ODBC Driver 18 for SQL Server"});
    for (const char* const best :
         {"ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server",
          "ODBC Driver 13.1 for SQL Server", "ODBC Driver 11 for SQL Server",
          "SQL Server Native Client 11.0", "SQL Server", "FreeTDS"}) {
        EXPECT_EQ(choose_driver(drivers, "").name, best);
        std::erase_if(drivers, [&](const auto& each) { return each.name == best; });
    }
    EXPECT_EQ(drivers.size(), 1u);
    EXPECT_NE(refusal(drivers, "").find("installed are PostgreSQL Unicode"), std::string::npos);
    EXPECT_NE(refusal({}, "").find("no ODBC driver is installed"), std::string::npos);
}

TEST(DriverChoice, TakesTheOneThatIsWanted) {
    const auto drivers = named({"ODBC Driver 18 for SQL Server", "FreeTDS", "Mine"});
    EXPECT_EQ(choose_driver(drivers, "freetds").name, "FreeTDS");
    EXPECT_EQ(choose_driver(drivers, "Mine").family, DriverFamily::other);
    EXPECT_NE(refusal(drivers, "ODBC Driver 17 for SQL Server").find("is not installed"),
              std::string::npos);
    const Driver path = choose_driver(drivers, "/usr/lib/odbc/libtdsodbc.so");
    EXPECT_EQ(path.family, DriverFamily::freetds);
    EXPECT_EQ(path.name, "/usr/lib/odbc/libtdsodbc.so");
    EXPECT_TRUE(choose_driver({}, "/opt/microsoft/lib64/libmsodbcsql-18.4.so").is_microsoft());
}

TEST(DriverChoice, KnowsFreeTdsByItsLibraryWhateverItsName) {
    EXPECT_EQ(driver_of({"ODBC Driver 18 for SQL Server", "/usr/lib/libtdsodbc.so"}).family,
              DriverFamily::freetds);
    EXPECT_EQ(driver_of({"Plant", "libtdsodbc.so"}).family, DriverFamily::freetds);
    EXPECT_FALSE(driver_of({"Plant", ""}).is_microsoft());
    EXPECT_FALSE(driver_of({"ODBC Driver for SQL Server", ""}).is_microsoft());
    EXPECT_EQ(driver_of({"odbc driver 18 FOR sql server", ""}).version, 18);
}

} // namespace
} // namespace stationsync::sqlserver
