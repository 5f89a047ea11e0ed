// ODBC drivers and data sources that this computer knows.
#pragma once

#include "config/value.hpp"
#include "doctor/finding.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::doctor {

struct OdbcDriver {
    std::string name;
    std::string library;   // as registered
    bool is_there = false; // the file exists, or the system would find it
};

struct OdbcSurroundings {
    bool has_manager = false; // a driver manager is installed
    std::vector<OdbcDriver> drivers;
    std::map<std::string, std::string> sources; // data source -> name of its driver
    std::string where;                          // file or registry key, for messages
    std::string manager_remedy;
    std::string driver_remedy;
};

// Those for all accounts. Blocking.
[[nodiscard]] OdbcSurroundings read_odbc();

// Whether the library that a connection string names itself is there; never loads it.
[[nodiscard]] bool odbc_library_exists(const std::string& library);
// Driver managers take names of drivers and data sources in any case.
[[nodiscard]] bool is_same_odbc_name(std::string_view a, std::string_view b);

// A file of the driver manager: section -> key in lower case -> value.
using IniFile = std::map<std::string, std::map<std::string, std::string>>;
[[nodiscard]] IniFile parse_ini(std::string_view text);

// What a table of a plugin's own keys asks of ODBC; nothing when it does not use it.
struct OdbcNeed {
    std::string driver; // "Driver=" of the connection string; may be empty
    std::string source; // "DSN="; may be empty
};
[[nodiscard]] std::optional<OdbcNeed> odbc_need(const ConfigValue& own);

// `section` is the table with the need: "[discovery.stations]".
void check_odbc_need(const std::string& section, const OdbcNeed& need, const OdbcSurroundings& odbc,
                     Findings& findings);

} // namespace stationsync::host::doctor
