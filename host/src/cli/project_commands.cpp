#include "api/project_listing.hpp"
#include "base/durable.hpp"
#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/render.hpp"
#include "cli/table.hpp"
#include "config/config_text.hpp"
#include "config/project_config.hpp"
#include "config/project_files.hpp"
#include "config/toml_reader.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace stationsync::host::cli {
namespace {

std::unique_ptr<ApiClient> running(const Invocation& call) {
    return ApiClient::if_running(call.paths, ApiClient::Token::act);
}

int set_active(const Invocation& call, Environment& environment, bool active) {
    if (const auto client = running(call)) {
        render_done(environment.out, client->act(active ? "project-activate" : "project-deactivate",
                                                 Json::object()));
        return exit_done;
    }
    const auto project = selected_project(call.paths);
    const auto lock = lock_root(call.paths);
    need(save_project_choice(call.paths, {project, active}));
    write_wrapped(environment.out,
                  "Project \"" + project + "\" is " + (active ? "active" : "inactive") +
                      " from the next start of the service.",
                  0);
    return exit_done;
}

void tell_about_newcomer(Environment& environment, const std::string& provider) {
    write_wrapped(environment.out,
                  "If no station is established for \"" + provider +
                      "\" yet, because it is new in the whole plant, run `stationsync establish " +
                      provider + "` on the station whose data shall count.",
                  0);
}

int set_enabled(const Invocation& call, Environment& environment, bool enabled) {
    const auto& provider = call.argument(0);
    require_provider_name(provider);
    if (const auto client = running(call)) {
        render_done(environment.out, client->act(enabled ? "provider-enable" : "provider-disable",
                                                 {{"provider", provider}}));
    } else {
        const auto project = selected_project(call.paths);
        const auto lock = lock_root(call.paths);
        const auto file = call.paths.project_file(project);
        const auto text = need(read_text_file(file));
        need(atomic_write(file, need(with_provider_enabled(text, file, provider, enabled))));
        write_wrapped(environment.out,
                      "Provider \"" + provider + "\" of project \"" + project + "\" is " +
                          (enabled ? "enabled" : "disabled") +
                          " from the next start of the service.",
                      0);
    }
    if (enabled) {
        tell_about_newcomer(environment, provider);
    }
    return exit_done;
}

} // namespace

int run_project_list(const Invocation& call, Environment& environment) {
    require_station(call.paths);
    const auto client = ApiClient::if_running(call.paths, ApiClient::Token::view);
    const auto projects = client ? client->get("projects") : project_listing(call.paths);
    if (call.json) {
        write_json(environment.out, projects);
    } else {
        render_projects(environment.out, projects);
    }
    return exit_done;
}

int run_project_use(const Invocation& call, Environment& environment) {
    require_station(call.paths);
    const auto& name = call.argument(0);
    const auto projects = list_projects(call.paths);
    if (std::ranges::find(projects, name) == projects.end()) {
        throw CommandFailure("there is no project \"" + name + "\" here." +
                                 suggestion(name, projects),
                             "Make it with `stationsync init` or join it with `stationsync join`.");
    }
    if (const auto client = running(call)) {
        render_done(environment.out, client->act("project-use", {{"project", name}}));
        return exit_done;
    }
    const auto lock = lock_root(call.paths);
    need(save_project_choice(call.paths, {name, true}));
    write_wrapped(
        environment.out,
        "The station works for project \"" + name + "\" from the next start of the service.", 0);
    return exit_done;
}

int run_project_activate(const Invocation& call, Environment& environment) {
    return set_active(call, environment, true);
}

int run_project_deactivate(const Invocation& call, Environment& environment) {
    return set_active(call, environment, false);
}

int run_project_enable(const Invocation& call, Environment& environment) {
    return set_enabled(call, environment, true);
}

int run_project_disable(const Invocation& call, Environment& environment) {
    return set_enabled(call, environment, false);
}

} // namespace stationsync::host::cli
