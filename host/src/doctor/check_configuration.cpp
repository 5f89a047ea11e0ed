#include "base/path_text.hpp"
#include "doctor/checks.hpp"

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

bool has_enabled_provider(const ProjectConfig& config) {
    return std::ranges::any_of(config.providers, &ProviderConfig::enabled);
}

void check_choice(const StationFacts& facts, Findings& findings) {
    if (facts.is_hidden && facts.project.empty()) {
        return; // it may be one that this account does not see
    }
    if (!facts.choice_trouble.empty()) {
        findings.problem("configuration.project",
                         "Which project is selected cannot be read: " + facts.choice_trouble + ".",
                         "stationsync project use NAME");
    } else if (facts.project.empty()) {
        findings.problem(
            "configuration.project", "No project is selected.",
            facts.projects.empty()
                ? "stationsync join CODE   (or, on the first station: stationsync init "
                  "--project NAME)"
                : "stationsync project use " + facts.projects.front());
    } else if (!facts.active) {
        findings.warning("configuration.project",
                         "Project \"" + facts.project +
                             "\" is deactivated: nothing is synchronized.",
                         "stationsync project activate");
    }
}

} // namespace

void check_configuration(const StationFacts& facts, Findings& findings) {
    if (facts.is_hidden) {
        findings.warning("configuration.rights",
                         "This account may not look at all of this station: what it cannot see is "
                         "left out here.",
                         administrator_remedy);
    }
    check_choice(facts, findings);
    std::vector<std::string> told;
    for (const auto& problem : facts.problems) {
        const bool of_station = problem.file == facts.paths.station_file();
        told.push_back(to_text(problem));
        findings.problem(
            "configuration.invalid", told.back(),
            "Correct " + path_text(problem.file) +
                (of_station ? ", then start the service again." : ", then: stationsync restart"));
    }
    for (const auto& text : facts.report.configuration) {
        if (is_seen_by_service(facts) && std::ranges::find(told, text) == told.end()) {
            findings.problem("configuration.invalid", text,
                             "Correct it there, then: stationsync restart");
        }
    }
    if (facts.config && !has_enabled_provider(*facts.config)) {
        findings.warning("configuration.providers",
                         "No provider is enabled: nothing is synchronized.",
                         "Add one to " + path_text(facts.config->file) +
                             ", or: stationsync project enable PROVIDER");
    }
    if (facts.problems.empty() && facts.report.configuration.empty() && facts.config) {
        findings.ok("configuration.files",
                    "station.toml and projects/" + facts.project + ".toml are in order.");
    }
}

} // namespace stationsync::host::doctor
