#include "doctor/checks.hpp"

#include <algorithm>

namespace stationsync::host::doctor {

void check_plugins(const StationFacts& facts, Findings& findings) {
    const auto& report = facts.report;
    if (!is_seen_by_service(facts)) {
        return;
    }
    if (!report.trouble.empty()) {
        findings.warning("plugins.loaded", "The plugins could not be looked at: " + report.trouble,
                         "stationsync plugin test   shows what happens.");
        return;
    }
    std::string loaded;
    for (const auto& plugin : report.plugins) {
        if (!plugin.refusal.empty()) {
            findings.problem("plugins.refused", plugin.file + ": " + plugin.refusal + ".",
                             "Put the right file there or remove this one, then start the service "
                             "again.");
        } else {
            loaded += (loaded.empty() ? "" : ", ") + plugin.name;
        }
    }
    if (!loaded.empty()) {
        findings.ok("plugins.loaded", "These plugins can be loaded: " + loaded + ".");
    } else if (report.plugins.empty()) {
        findings.problem("plugins.loaded", "There is no plugin.",
                         "Install the plugins beside the program, or name their folder with "
                         "--plugins.");
    }
}

void check_providers(const StationFacts& facts, Findings& findings) {
    if (!is_seen_by_service(facts)) {
        return; // tested by this account
    }
    for (const auto& provider : facts.report.providers) {
        const auto head = provider.name + " (" + provider.plugin + "): ";
        for (auto found : provider.found) {
            found.id = "providers." + found.id;
            found.text = head + found.text;
            if (found.severity != Severity::ok && found.remedy.empty()) {
                found.remedy = "See: stationsync explain " + provider.name + "/KEY";
            }
            findings.add(std::move(found));
        }
        if (provider.busy) {
            findings.warning("providers.test", head + provider.trouble,
                             "Try again when it is idle; what it does: stationsync objects");
        } else if (!provider.trouble.empty()) {
            findings.problem("providers.test", head + provider.trouble,
                             "Mend what is named here; then: " +
                                 stationsync_command(facts, "restart"));
        } else if (provider.tested && provider.found.empty()) {
            findings.ok("providers.test", head + "has nothing to say about itself.");
        }
    }
}

} // namespace stationsync::host::doctor
