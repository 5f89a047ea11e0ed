// Which ODBC driver reaches SQL Server, and what each of them understands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stationsync::sqlserver {

struct InstalledDriver {
    std::string name;    // for Driver={…}
    std::string library; // file name, as far as the system tells; may be empty
};

enum class DriverFamily : std::uint8_t {
    microsoft,     // ODBC Driver 11 and later for SQL Server
    native_client, // SQL Server Native Client 10 and 11
    windows,       // "SQL Server", part of every Windows
    freetds,
    other, // unknown: gets what FreeTDS needs, for it may be FreeTDS under another name
};

struct Driver {
    std::string name;
    DriverFamily family = DriverFamily::other;
    int version = 0; // 18 of "ODBC Driver 18 for SQL Server"

    // Made by Microsoft. All others are always told to speak TDS 7.4.
    bool is_microsoft() const noexcept {
        return family == DriverFamily::microsoft || family == DriverFamily::native_client ||
               family == DriverFamily::windows;
    }
};

// What a name in the configuration or in the list of the system stands for.
Driver driver_of(const InstalledDriver& installed);

// The best of those installed: ODBC Driver 18, 17, 13, 11 for SQL Server, SQL Server Native Client,
// "SQL Server", FreeTDS. With `wanted` that one, by name or by the path of its library. Throws
// sdk::Error(DENIED) when there is none, naming what is installed.
Driver choose_driver(const std::vector<InstalledDriver>& installed, std::string_view wanted);

} // namespace stationsync::sqlserver
