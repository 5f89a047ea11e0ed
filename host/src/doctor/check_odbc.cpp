#include "doctor/checks.hpp"
#include "doctor/odbc_drivers.hpp"

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

struct User {
    std::string section; // "[discovery.stations]"
    OdbcNeed need;
};

std::vector<User> users(const ProjectConfig& config) {
    std::vector<User> found;
    for (const auto& provider : config.providers) {
        if (const auto need = odbc_need(provider.own); provider.enabled && need) {
            found.push_back({"[providers." + provider.name + "]", *need});
        }
    }
    for (const auto& discovery : config.discoveries) {
        if (const auto need = odbc_need(discovery.own); discovery.enabled && need) {
            found.push_back({"[discovery." + discovery.name + "]", *need});
        }
    }
    return found;
}

std::string names_of(const OdbcSurroundings& odbc) {
    std::string names;
    for (const auto& driver : odbc.drivers) {
        names += (names.empty() ? "" : ", ") + driver.name;
    }
    return names.empty() ? "none" : names;
}

// A connection string may name the library itself instead of a driver.
bool is_library(const std::string& driver) {
    return driver.find_first_of("/\\") != std::string::npos || driver.ends_with(".so") ||
           driver.find(".so.") != std::string::npos;
}

void check_library(const std::string& section, const std::string& library,
                   const OdbcSurroundings& odbc, Findings& findings) {
    if (odbc_library_exists(library)) {
        findings.ok("odbc.driver",
                    section + " uses the ODBC library " + library + ", which is there.");
    } else {
        findings.problem("odbc.driver",
                         section + " names the ODBC library " + library + ", which is missing.",
                         "Correct Driver= there. " + odbc.driver_remedy);
    }
}

} // namespace

void check_odbc_need(const std::string& section, const OdbcNeed& need, const OdbcSurroundings& odbc,
                     Findings& findings) {
    auto wanted = need.driver;
    if (wanted.empty() && !need.source.empty()) {
        const auto place = std::ranges::find_if(odbc.sources, [&](const auto& source) {
            return is_same_odbc_name(source.first, need.source);
        });
        if (place == odbc.sources.end()) {
            findings.problem("odbc.source",
                             section + " uses the data source \"" + need.source +
                                 "\", which this computer does not know.",
                             "Add it for all accounts, or use a connection string with Driver= and "
                             "Server=.");
            return;
        }
        wanted = place->second;
    }
    const auto found = std::ranges::find_if(odbc.drivers, [&](const OdbcDriver& driver) {
        return is_same_odbc_name(driver.name, wanted) || driver.library == wanted;
    });
    if (found != odbc.drivers.end() && found->is_there) {
        findings.ok("odbc.driver",
                    section + " uses the ODBC driver \"" + found->name + "\", which is there.");
    } else if (found != odbc.drivers.end()) {
        findings.problem("odbc.driver",
                         "The ODBC driver \"" + found->name + "\" is registered in " + odbc.where +
                             ", but its library " + found->library + " is missing.",
                         odbc.driver_remedy);
    } else if (is_library(wanted)) {
        check_library(section, wanted, odbc, findings);
    } else if (!wanted.empty()) {
        findings.problem("odbc.driver",
                         section + " needs the ODBC driver \"" + wanted +
                             "\", which is not registered in " + odbc.where +
                             "; there are: " + names_of(odbc) + ".",
                         odbc.driver_remedy);
    } else if (odbc.drivers.empty()) {
        findings.problem("odbc.driver",
                         section + " uses ODBC, but no driver is registered in " + odbc.where + ".",
                         odbc.driver_remedy);
    } else {
        findings.ok("odbc.driver",
                    section + " uses ODBC; these drivers are there: " + names_of(odbc) + ".");
    }
}

// Who does not use ODBC need not have it.
void check_odbc(const StationFacts& facts, Findings& findings) {
    const auto all = facts.config ? users(*facts.config) : std::vector<User>{};
    if (all.empty()) {
        return;
    }
    const auto odbc = read_odbc();
    if (!odbc.has_manager) {
        findings.problem("odbc.manager",
                         all.front().section + " uses ODBC, but no driver manager is installed.",
                         odbc.manager_remedy);
        return;
    }
    for (const auto& user : all) {
        check_odbc_need(user.section, user.need, odbc, findings);
    }
}

} // namespace stationsync::host::doctor
