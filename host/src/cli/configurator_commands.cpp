// The station list of a plant that has no Batch Configurator: an SQLite database.
#include "base/path_text.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/station_list_file.hpp"
#include "cli/table.hpp"
#include "config/project_config.hpp"
#include "config/project_files.hpp"
#include "config/toml_reader.hpp"
#include "net/names.hpp"

#include <algorithm>

namespace stationsync::host::cli {
namespace {

constexpr const char* name_the_file = "Name the file with --database FILE.";

// The databases of discovery-static in the selected project.
std::vector<std::string> configured_lists(const Invocation& call) {
    const auto project = need(load_project_config(call.paths, selected_project(call.paths)));
    std::vector<std::string> files;
    for (const auto& discovery : project.discoveries) {
        const auto* const file = discovery.own.find("database");
        const auto* const text = file == nullptr ? nullptr : file->get<std::string>();
        if (discovery.plugin == "discovery-static" && text != nullptr) {
            files.push_back(*text);
        }
    }
    return files;
}

std::filesystem::path list_file(const Invocation& call) {
    if (const auto file = call.value("database")) {
        if (file->empty()) {
            throw UsageError("--database needs the path of a file.");
        }
        return path_of(*file);
    }
    const auto files = configured_lists(call);
    if (files.size() == 1) {
        return path_of(files.front());
    }
    throw CommandFailure(files.empty()
                             ? "the project has no station list: no [discovery.NAME] with "
                               "plugin = \"discovery-static\" has a `database`"
                             : "the project has several station lists",
                         name_the_file);
}

std::string checked_address(const std::string& given) {
    auto address = list_address(given);
    if (!address) {
        throw UsageError("\"" + given +
                         "\" is no address: write a name or an IP address with an optional port, "
                         "such as filling-2, 192.168.1.12:8883 or [fd00::7].");
    }
    return *std::move(address);
}

const std::string& checked_station(const std::string& name) {
    if (const auto problem = station_name_problem(name)) {
        throw UsageError(*problem);
    }
    return name;
}

// What a new list says of the project: the option, else the one that is selected here, if any.
std::optional<std::string> project_for(const Invocation& call) {
    if (auto name = call.value("project")) {
        if (const auto problem = project_name_problem(*name)) {
            throw UsageError(*problem);
        }
        return name;
    }
    const auto choice = load_project_choice(call.paths);
    return choice && !choice->project.empty() ? std::optional(choice->project) : std::nullopt;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) {
        all += (all.empty() ? "" : ", ") + text;
    }
    return all;
}

void tell_station(Environment& environment, const ListedStation& station) {
    write_wrapped(environment.out,
                  station.addresses.empty()
                      ? "The station \"" + station.name + "\" is not in the list any more."
                      : "The station \"" + station.name + "\" is in the list with " +
                            joined(station.addresses) + ".",
                  0);
}

} // namespace

int run_configurator_init(const Invocation& call, Environment& environment) {
    const auto file = list_file(call);
    const auto project = project_for(call);
    StationListFile::create(file, project);
    const auto text = path_text(std::filesystem::absolute(file));
    auto& out = environment.out;
    write_wrapped(out,
                  "The station list " + text + " is made" +
                      (project ? ", for project \"" + *project + "\"." : "."),
                  0);
    if (!call.value("database")) {
        return exit_done;
    }
    write_wrapped(out, "Stations look into it when their project files have:", 0);
    out << "\n[discovery.list]\n"
           "plugin = \"discovery-static\"\n"
           "database = "
        << toml_quoted(text) << "\n\n";
    write_wrapped(out,
                  "As an object of a provider with plugin = \"sqlite\" it is on all stations by "
                  "itself.",
                  0);
    return exit_done;
}

int run_configurator_list(const Invocation& call, Environment& environment) {
    const auto file = list_file(call);
    StationListFile list(file, StationListFile::Use::read);
    const auto stations = list.stations();
    const auto project = list.project();
    auto& out = environment.out;
    if (call.json) {
        auto rows = Json::array();
        for (const auto& station : stations) {
            rows.push_back({{"name", station.name}, {"addresses", station.addresses}});
        }
        write_json(out, {{"database", path_text(std::filesystem::absolute(file))},
                         {"project", project},
                         {"stations", rows}});
        return exit_done;
    }
    if (!project.empty()) {
        out << "Project  " << project << "\n\n";
    }
    Table table({{"NAME", false, true}, {"ADDRESSES", false, true}});
    for (const auto& station : stations) {
        table.add({station.name, joined(station.addresses)});
    }
    if (table.empty()) {
        out << "No stations are listed.\n";
    } else {
        table.write(out);
    }
    return exit_done;
}

int run_configurator_add_station(const Invocation& call, Environment& environment) {
    const auto& name = checked_station(call.arguments.front());
    std::vector<std::string> addresses;
    for (auto given = call.arguments.begin() + 1; given != call.arguments.end(); ++given) {
        const auto address = checked_address(*given);
        if (std::ranges::find(addresses, address) == addresses.end()) {
            addresses.push_back(address);
        }
    }
    StationListFile list(list_file(call), StationListFile::Use::write);
    tell_station(environment, list.add(name, addresses));
    return exit_done;
}

int run_configurator_remove_station(const Invocation& call, Environment& environment) {
    const auto& name = call.arguments.front();
    std::optional<std::string> address;
    if (call.arguments.size() > 1) {
        address = checked_address(call.arguments[1]);
    }
    StationListFile list(list_file(call), StationListFile::Use::write);
    tell_station(environment, list.remove(name, address));
    return exit_done;
}

} // namespace stationsync::host::cli
