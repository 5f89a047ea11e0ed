// A program that may be killed: loads the plugin and does one thing, as the service does.
//
//   apply_program FOLDER export KEY PACKAGE
//   apply_program FOLDER apply KEY PACKAGE     expecting what a scan finds
// The exit status is 0, or the status of the plugin.
#include "component/sqlite/plugin_test.hpp"

#include <iostream>

int main(int count, char** arguments) {
    using namespace stationsync::test;
    if (count != 5)
        return 255;
    SqliteStation station(arguments[1]);
    const std::string key = arguments[3];
    if (const Outcome recovered = station.plugin().recover(); recovered.status != STSYNC_OK)
        return recovered.status;
    const ScanOutcome scanned = station.plugin().scan();
    if (scanned.status != STSYNC_OK)
        return scanned.status;
    Outcome outcome;
    if (std::string(arguments[2]) == "export") {
        outcome = station.plugin().export_object(key, arguments[4]);
    } else {
        const auto at = scanned.objects.find(key);
        outcome = station.plugin().apply(key, arguments[4],
                                         at == scanned.objects.end() ? stationsync::sdk::Mark()
                                                                     : at->second.mark);
    }
    if (outcome.status != STSYNC_OK)
        std::cerr << outcome.text << '\n';
    return outcome.status;
}
