#include "driver_choice.hpp"

#include "text.hpp"

#include <stationsync/error.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace stationsync::sqlserver {

namespace {

// "18" of "ODBC Driver 18 for SQL Server".
std::optional<int> number_between(std::string_view text, std::string_view before,
                                  std::string_view after) {
    if (text.size() < before.size() || !is_same_name(text.substr(0, before.size()), before))
        return std::nullopt;
    text.remove_prefix(before.size());
    int value = 0;
    const auto [stopped, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{})
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
    if (text.starts_with(".")) // 13.1, 11.0
        text.remove_prefix(std::min(text.size(), text.find_first_not_of(".0123456789")));
    return is_same_name(text, after) ? std::optional(value) : std::nullopt;
}

bool has_word(std::string_view text, std::string_view word) {
    return lowered(text).find(word) != std::string::npos;
}

int rank(DriverFamily family) {
    switch (family) {
    case DriverFamily::microsoft:
        return 4;
    case DriverFamily::native_client:
        return 3;
    case DriverFamily::windows:
        return 2;
    case DriverFamily::freetds:
        return 1;
    case DriverFamily::other:
        break;
    }
    return 0;
}

bool is_better(const Driver& a, const Driver& b) {
    return rank(a.family) != rank(b.family) ? rank(a.family) > rank(b.family)
                                            : a.version > b.version;
}

[[noreturn]] void fail(const std::string& what, const std::vector<InstalledDriver>& installed) {
    std::string list;
    for (const InstalledDriver& each : installed)
        list += (list.empty() ? "" : ", ") + each.name;
    throw sdk::Error(
        STSYNC_DENIED,
        what + "; " + (list.empty() ? "no ODBC driver is installed" : "installed are " + list) +
            ". Install \"ODBC Driver 18 for SQL Server\" of Microsoft, or on Debian the package "
            "tdsodbc.");
}

} // namespace

Driver driver_of(const InstalledDriver& installed) {
    const std::string& name = installed.name;
    // By its library first: a name is free to choose, and a wrong guess would cost the password.
    if (has_word(installed.library, "tdsodbc") || has_word(name, "tdsodbc") ||
        has_word(name, "freetds"))
        return {name, DriverFamily::freetds, 0};
    if (const auto number = number_between(name, "ODBC Driver ", " for SQL Server"))
        return {name, DriverFamily::microsoft, *number};
    if (const auto number = number_between(name, "SQL Server Native Client ", ""))
        return {name, DriverFamily::native_client, *number};
    if (has_word(name, "msodbcsql")) // the path of the library
        return {name, DriverFamily::microsoft, 17};
    if (is_same_name(name, "SQL Server"))
        return {name, DriverFamily::windows, 0};
    return {name, DriverFamily::other, 0};
}

Driver choose_driver(const std::vector<InstalledDriver>& installed, std::string_view wanted) {
    if (!wanted.empty()) {
        const bool is_path = wanted.find_first_of("/\\") != std::string_view::npos;
        const auto place = std::find_if(installed.begin(), installed.end(), [&](const auto& each) {
            return is_same_name(each.name, wanted);
        });
        if (place == installed.end() && !is_path)
            fail("The ODBC driver \"" + std::string(wanted) + "\" is not installed", installed);
        return driver_of(place == installed.end() ? InstalledDriver{std::string(wanted), ""}
                                                  : *place);
    }
    std::vector<Driver> usable;
    for (const InstalledDriver& each : installed)
        if (Driver driver = driver_of(each); driver.family != DriverFamily::other)
            usable.push_back(std::move(driver));
    if (usable.empty())
        fail("No ODBC driver for SQL Server was found", installed);
    return *std::min_element(usable.begin(), usable.end(), is_better);
}

} // namespace stationsync::sqlserver
