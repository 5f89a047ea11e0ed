#include "doctor/station_facts.hpp"

#include "base/file.hpp"
#include "base/path_text.hpp"
#include "config/project_files.hpp"
#include "doctor/file_access.hpp"

#include <algorithm>
#include <set>

namespace stationsync::host::doctor {
namespace {

// A project whose file was lost still has its key.
std::vector<std::string> known_projects(const RootPaths& paths) {
    const auto with_file = list_projects(paths);
    std::set<std::string> names(with_file.begin(), with_file.end());
    std::error_code error; // what cannot be read has a finding of its own
    for (std::filesystem::directory_iterator at(paths.state, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        if (std::filesystem::exists(at->path() / "key", ignored)) {
            names.insert(path_text(at->path().filename()));
        }
    }
    return {names.begin(), names.end()};
}

bool is_denied(const std::filesystem::path& file) {
    const auto opened = File::open_read(file);
    return !opened && opened.error().kind == IoErrorKind::denied;
}

// Files that cannot be read are no mistakes in them.
void take_problems(std::vector<ConfigProblem>&& problems, StationFacts& facts) {
    for (auto& problem : problems) {
        if (is_denied(problem.file)) {
            facts.is_hidden = true;
        } else {
            facts.problems.push_back(std::move(problem));
        }
    }
}

} // namespace

std::vector<Endpoint> StationFacts::listen() const {
    if (station) {
        return station->net.listen;
    }
    return {{"0.0.0.0", link_port_default}, {"::", link_port_default}};
}

bool StationFacts::listen_is_default() const {
    return !station || station->net.listen_is_default;
}

bool StationFacts::is_no_station() const {
    const auto is_there = [](const std::filesystem::path& file) {
        std::error_code ignored;
        return std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
    };
    return !is_hidden && !service.answers && projects.empty() && !is_there(paths.station_file()) &&
           !is_there(paths.identity_file());
}

bool StationFacts::is_discovery_enabled(std::string_view plugin) const {
    return config && std::ranges::any_of(config->discoveries, [&](const auto& discovery) {
               return discovery.enabled && discovery.plugin == plugin;
           });
}

StationFacts read_station(const RootPaths& paths) {
    StationFacts facts;
    facts.paths = paths;
    auto station = load_station_config(paths);
    facts.is_hidden = is_hidden(paths.identity_file());
    facts.station = std::move(station.value);
    take_problems(std::move(station.problems), facts);
    const auto choice = load_project_choice(paths);
    if (!choice && choice.error().kind == IoErrorKind::denied) {
        facts.is_hidden = true;
    } else if (!choice) {
        facts.choice_trouble = choice.error().text;
    } else {
        facts.project = choice->project;
        facts.active = choice->active;
    }
    if (!facts.project.empty()) {
        auto project = load_project_config(paths, facts.project);
        facts.config = std::move(project.value);
        take_problems(std::move(project.problems), facts);
    }
    facts.projects = known_projects(paths);
    return facts;
}

std::string stationsync_command(const StationFacts& facts, const std::string& arguments) {
    const auto root = path_text(facts.paths.root);
    const bool has_blank = root.find(' ') != std::string::npos;
    return "stationsync " +
           (root.empty() ? "" : "--root " + (has_blank ? '"' + root + '"' : root) + ' ') +
           arguments;
}

} // namespace stationsync::host::doctor
