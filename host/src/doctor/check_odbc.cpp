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

void check_user(const User& user, const OdbcSurroundings& odbc, Findings& findings) {
    auto wanted = user.need.driver;
    if (wanted.empty() && !user.need.source.empty()) {
        const auto place = odbc.sources.find(user.need.source);
        if (place == odbc.sources.end()) {
            findings.problem("odbc.source",
                             user.section + " uses the data source \"" + user.need.source +
                                 "\", which this computer does not know.",
                             "Add it for all accounts, or use a connection string with Driver= and "
                             "Server=.");
            return;
        }
        wanted = place->second;
    }
    // A connection string may name the library itself.
    const auto found = std::ranges::find_if(odbc.drivers, [&](const OdbcDriver& driver) {
        return driver.name == wanted || driver.library == wanted;
    });
    if (found != odbc.drivers.end() && found->is_there) {
        findings.ok("odbc.driver", user.section + " uses the ODBC driver \"" + found->name +
                                       "\", which is there.");
    } else if (found != odbc.drivers.end()) {
        findings.problem("odbc.driver",
                         "The ODBC driver \"" + found->name + "\" is registered in " + odbc.where +
                             ", but its library " + found->library + " is missing.",
                         odbc.driver_remedy);
    } else if (!wanted.empty() && wanted.find('/') == std::string::npos) {
        findings.problem("odbc.driver",
                         user.section + " needs the ODBC driver \"" + wanted +
                             "\", which is not registered in " + odbc.where +
                             "; there are: " + names_of(odbc) + ".",
                         odbc.driver_remedy);
    } else if (odbc.drivers.empty()) {
        findings.problem("odbc.driver",
                         user.section + " uses ODBC, but no driver is registered in " + odbc.where +
                             ".",
                         odbc.driver_remedy);
    } else {
        findings.ok("odbc.driver",
                    user.section + " uses ODBC; these drivers are there: " + names_of(odbc) + ".");
    }
}

} // namespace

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
        check_user(user, odbc, findings);
    }
}

} // namespace stationsync::host::doctor
