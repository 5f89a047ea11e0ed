// Making a station a member of a project: init, join, invite. They work on files alone.
#include "base/clock.hpp"
#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/system.hpp"
#include "cli/table.hpp"
#include "config/config_text.hpp"
#include "config/project_files.hpp"
#include "config/station_config.hpp"
#include "config/units.hpp"
#include "net/address.hpp"
#include "net/join_code.hpp"
#include "net/names.hpp"
#include "net/project_key.hpp"
#include "net/station_identity.hpp"

#include <algorithm>
#include <iterator>

namespace stationsync::host::cli {
namespace {

struct NewProject {
    std::string name;
    KeyRing keys;
    ProjectOrigin origin;
    std::vector<std::string> stations; // to dial
};

bool is_there(const std::filesystem::path& path) {
    std::error_code error;
    const auto there = std::filesystem::exists(path, error);
    if (error) {
        const auto failed = io_error("look for", path, error);
        throw CommandFailure(failed.text, remedy_of(failed.kind));
    }
    return there;
}

std::string checked(std::optional<std::string> problem, std::string name) {
    if (problem) {
        throw UsageError(*problem);
    }
    return name;
}

// What --station, --listen and --api say about a station that does not exist yet.
FreshStation fresh_station(const Invocation& call) {
    FreshStation station;
    const auto name = call.value("station");
    if (!name) {
        throw UsageError(
            "`" + call.command->name +
            "` needs --station S, the name of this station, because there is none yet in " +
            path_text(call.paths.configuration) + ".");
    }
    station.name = checked(station_name_problem(*name), *name);
    for (const auto& text : call.values("listen")) {
        const auto endpoint = parse_listen(text, link_port_default);
        if (!endpoint) {
            throw UsageError("--listen takes " + std::string(listen_form(text)) + ", not \"" +
                             text + "\".");
        }
        station.listen.push_back(*endpoint);
    }
    if (const auto text = call.value("api")) {
        station.api = parse_endpoint(*text, api_port_default);
        if (!station.api) {
            throw UsageError("--api takes " + std::string(endpoint_form) + ", not \"" + *text +
                             "\".");
        }
    }
    return station;
}

void refuse_station_options(const Invocation& call) {
    for (const auto* option : {"station", "listen", "api"}) {
        if (call.has(option)) {
            throw UsageError("there is a station in " + path_text(call.paths.configuration) +
                             " already: leave out --" + option +
                             " to add a project to it, or name another folder with --root.");
        }
    }
}

struct Added {
    std::string id;
    bool selected = false;
    bool first = false; // the station was made, too
};

// station.toml comes last: only with it the root is a station, so an interrupted run can be
// repeated.
Added add_project(const Invocation& call, const NewProject& project) {
    const auto& paths = call.paths;
    const auto first = !is_there(paths.station_file());
    FreshStation station;
    if (first) {
        station = fresh_station(call);
    } else {
        refuse_station_options(call);
        if (is_there(paths.project_file(project.name)) ||
            is_there(paths.project_key(project.name))) {
            throw CommandFailure(
                "project \"" + project.name + "\" is known here already",
                "`stationsync project use \"" + project.name +
                    "\"` works for it. To take another key, move its files away first: " +
                    path_text(paths.project_file(project.name)) + " and " +
                    path_text(paths.project_key(project.name)) + ".");
        }
    }
    need(make_directories(paths.projects()));
    need(make_directories(paths.project_state(project.name)));
    const auto identity = need(StationIdentity::load_or_create(paths.identity_file()));
    need(project.keys.save(paths.project_key(project.name)));
    need(save_project_origin(paths, project.name, project.origin));
    const auto choice = first ? ProjectChoice{} : need(load_project_choice(paths));
    need(atomic_write(paths.project_file(project.name),
                      fresh_project_text({project.name, project.stations})));
    Added added{core::to_text(identity.id()), choice.project.empty(), first};
    if (added.selected) {
        need(save_project_choice(paths, {project.name, true}));
    }
    if (first) {
        need(atomic_write(paths.station_file(), fresh_station_text(station)));
    }
    return added;
}

void tell_added(const Invocation& call, Environment& environment, const NewProject& project,
                const Added& added) {
    auto& out = environment.out;
    const auto root = call.paths.root.empty() ? "" : " --root " + path_text(call.paths.root);
    if (added.first) {
        out << "Station  " << *call.value("station") << "  (" << added.id << ")\n";
    }
    out << "Project  " << project.name << (added.selected ? "" : "  (not selected yet)") << "\n\n";
    out << "Next: edit " << path_text(call.paths.project_file(project.name)) << "\n"
        << "      (paths, and enabled = true for what shall be synchronized), then\n";
    if (added.selected) {
        out << "      stationsync" << root << " run\n";
    } else {
        out << "      stationsync" << root << " project use \"" << project.name << "\"\n";
    }
}

std::string read_code(const Invocation& call, Environment& environment) {
    if (call.argument(0) != "-") {
        return call.argument(0);
    }
    constexpr std::size_t bytes_max = 65536;
    std::string text(bytes_max, '\0');
    environment.in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(environment.in.gcount()));
    return text;
}

// Addresses under which others can reach this station.
std::vector<std::string> own_addresses(const Invocation& call, const StationConfig& config) {
    std::vector<std::string> addresses;
    const auto add = [&addresses](const std::string& text) {
        if (std::ranges::find(addresses, text) == addresses.end()) {
            addresses.push_back(text);
        }
    };
    for (const auto& text : call.values("address")) {
        const auto address = parse_host_port(text, link_port_default);
        if (!address) {
            throw UsageError(
                "--address takes a name or numeric address with an optional port, not \"" + text +
                "\".");
        }
        add(to_text(*address));
    }
    if (!addresses.empty()) {
        return addresses;
    }
    for (const auto& listen : config.net.listen) {
        if (!is_wildcard(listen)) {
            add(to_text(listen));
            continue;
        }
        const auto v6 = listen.address == "::";
        for (const auto& local : local_addresses()) {
            if ((local.find(':') != std::string::npos) == v6) {
                add(to_text(Endpoint{local, listen.port}));
            }
        }
    }
    return addresses;
}

} // namespace

int run_init(const Invocation& call, Environment& environment) {
    const auto name = call.value("project");
    if (!name) {
        throw UsageError("`init` needs --project P, the name of the project.");
    }
    const auto now = wall_now_us();
    const NewProject project{checked(project_name_problem(*name), *name),
                             KeyRing(ProjectKey::generate(), core::WallTime{now}),
                             {.founder = true, .made_at_us = now, .inviter = {}},
                             {}};
    const auto added = add_project(call, project);
    tell_added(call, environment, project, added);
    environment.out << "Other stations join with the code that `stationsync invite` prints here.\n";
    return exit_done;
}

int run_join(const Invocation& call, Environment& environment) {
    auto code = parse_join_code(read_code(call, environment));
    if (!code) {
        throw CommandFailure(code.error().text);
    }
    const auto now = wall_now_us();
    const NewProject project{
        code->project,
        KeyRing(code->key, code->key_made_at),
        {.founder = false, .made_at_us = now, .inviter = core::to_text(code->inviter)},
        code->addresses};
    const auto added = add_project(call, project);
    tell_added(call, environment, project, added);
    auto& out = environment.out;
    out << "\nWaiting for the first exchange";
    if (!code->addresses.empty()) {
        out << " with the station at " << code->addresses.front();
    }
    out << ".\n";
    write_wrapped(
        out,
        "Until then nothing of this station reaches the others, and what it holds loses to "
        "the data of the plant; it stays in the history.",
        0);
    return exit_done;
}

int run_invite(const Invocation& call, Environment& environment) {
    const auto project = selected_project(call.paths);
    const auto config = need(load_station_config(call.paths));
    const auto identity = need(StationIdentity::load(call.paths.identity_file()));
    const auto keys = need(KeyRing::load(call.paths.project_key(project)));
    const auto addresses = own_addresses(call, config);
    const JoinCode code{project, keys.current(), keys.made_at(), identity.id(), addresses};
    const auto text = to_text(code);
    if (call.json) {
        write_json(environment.out,
                   {{"project", project}, {"code", text}, {"addresses", addresses}});
        return exit_done;
    }
    environment.out << text << '\n';
    environment.out.flush();
    // Apart from the code, so that it can be piped into `join -`.
    write_wrapped(
        environment.err,
        "This code IS the key of project \"" + project +
            "\": whoever has it is a member. Hand it over in person or by a safe way, and "
            "do not keep it. `stationsync key rotate` makes a new key.",
        0);
    std::string reached;
    for (const auto& address : addresses) {
        reached += (reached.empty() ? "" : ", ") + address;
    }
    write_wrapped(environment.err,
                  reached.empty()
                      ? std::string("It names no address of this station: use --address.")
                      : "The new station will look for this one at " + reached + ".",
                  0);
    return exit_done;
}

} // namespace stationsync::host::cli
