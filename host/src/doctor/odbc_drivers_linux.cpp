#include "doctor/odbc_drivers.hpp"

#include "doctor/text_of.hpp"

#include <dlfcn.h>

#include <cstdlib>

namespace stationsync::host::doctor {
namespace {

namespace fs = std::filesystem;

fs::path variable(const char* name, const char* otherwise) {
    const auto* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

bool has_driver_manager() {
    void* const library = ::dlopen("libodbc.so.2", RTLD_LAZY | RTLD_LOCAL);
    if (library != nullptr) {
        ::dlclose(library);
    }
    return library != nullptr;
}

} // namespace

// The folders that the loader looks into for a bare name, without loading anything: a driver runs
// code when it is loaded.
bool odbc_library_exists(const std::string& library) {
    std::error_code ignored;
    if (library.find('/') != std::string::npos) {
        return fs::exists(library, ignored);
    }
    for (const auto* const top : {"/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib"}) {
        for (const auto* const below : {".", "odbc", "x86_64-linux-gnu", "x86_64-linux-gnu/odbc",
                                        "aarch64-linux-gnu", "aarch64-linux-gnu/odbc"}) {
            if (fs::exists(fs::path(top) / below / library, ignored)) {
                return true;
            }
        }
    }
    return false;
}

OdbcSurroundings read_odbc() {
    OdbcSurroundings odbc;
    odbc.has_manager = has_driver_manager();
    const auto folder = variable("ODBCSYSINI", "/etc");
    const auto drivers = folder / variable("ODBCINSTINI", "odbcinst.ini");
    odbc.where = drivers.string();
    odbc.manager_remedy = "apt-get install libodbc2 odbcinst   (unixODBC of your distribution)";
    odbc.driver_remedy = "Install it, for SQL Server for example: apt-get install tdsodbc; "
                         "`odbcinst -q -d` lists what is there.";
    for (const auto& [name, values] : parse_ini(text_of(drivers))) {
        for (const auto* const key : {"driver64", "driver"}) {
            if (const auto place = values.find(key); place != values.end()) {
                odbc.drivers.push_back({name, place->second, odbc_library_exists(place->second)});
                break;
            }
        }
    }
    for (const auto& [name, values] : parse_ini(text_of(folder / "odbc.ini"))) {
        if (const auto place = values.find("driver"); place != values.end()) {
            odbc.sources[name] = place->second;
        }
    }
    return odbc;
}

} // namespace stationsync::host::doctor
