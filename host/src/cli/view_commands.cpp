#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/render.hpp"
#include "cli/table.hpp"

namespace stationsync::host::cli {
namespace {

using Render = void (*)(std::ostream&, const Json&);

int show(const Invocation& call, Environment& environment, const std::string& view,
         const Parameters& parameters, Render render) {
    const auto answer = ApiClient(call.paths, ApiClient::Token::view).get(view, parameters);
    if (call.json) {
        write_json(environment.out, answer);
    } else {
        render(environment.out, answer);
    }
    return exit_done;
}

} // namespace

int run_status(const Invocation& call, Environment& environment) {
    return show(call, environment, "status", {}, render_status);
}

int run_stations(const Invocation& call, Environment& environment) {
    ApiClient client(call.paths, ApiClient::Token::view);
    const auto stations = client.get("stations");
    if (call.json) {
        write_json(environment.out, stations);
        return exit_done;
    }
    if (listing(stations, "stations").empty()) {
        if (const auto status = client.get("status", {{"digests", "no"}});
            text_at(status, "engine") != "running") {
            write_wrapped(environment.out,
                          "The engine is stopped: " + text_at(status, "reason") + '.', 0);
            return exit_done;
        }
    }
    (call.has("checks") ? render_station_checks : render_stations)(environment.out, stations);
    return exit_done;
}

int run_discover(const Invocation& call, Environment& environment) {
    return show(call, environment, "discover", {}, render_discover);
}

int run_objects(const Invocation& call, Environment& environment) {
    Parameters parameters;
    if (const auto provider = call.value("provider")) {
        require_provider_name(*provider);
        parameters.emplace_back("provider", *provider);
    }
    return show(call, environment, "objects", parameters, render_objects);
}

int run_explain(const Invocation& call, Environment& environment) {
    const auto object = parse_object(call.argument(0));
    return show(call, environment, "explain", {{"provider", object.provider}, {"key", object.key}},
                render_explain);
}

int run_history(const Invocation& call, Environment& environment) {
    Parameters parameters;
    if (!call.arguments.empty()) {
        const auto object = parse_provider_or_object(call.argument(0));
        parameters.emplace_back("provider", object.provider);
        if (!object.key.empty()) {
            parameters.emplace_back("key", object.key);
        }
    }
    return show(call, environment, "history", parameters, render_history);
}

int run_plugin_list(const Invocation& call, Environment& environment) {
    return show(call, environment, "plugins", {}, render_plugins);
}

} // namespace stationsync::host::cli
