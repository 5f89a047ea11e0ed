#include "base/path_text.hpp"
#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/render.hpp"
#include "config/project_config.hpp"
#include "config/project_files.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace stationsync::host::cli {
namespace {

Json object_arguments(const ObjectName& object) {
    Json arguments{{"provider", object.provider}};
    if (!object.key.empty()) {
        arguments["key"] = object.key;
    }
    return arguments;
}

Json optional_provider(const Invocation& call) {
    if (call.arguments.empty()) {
        return Json::object();
    }
    require_provider_name(call.argument(0));
    return {{"provider", call.argument(0)}};
}

// Without a service the wish is written down; the next start fulfils it before anything is put
// back.
int publish_at_start(const Invocation& call, Environment& environment, const ObjectName& object) {
    const auto project = selected_project(call.paths);
    const auto lock = lock_root(call.paths);
    const auto config = need(load_project_config(call.paths, project));
    const auto known = std::ranges::find(config.providers, object.provider, &ProviderConfig::name);
    if (known == config.providers.end()) {
        std::vector<std::string> names;
        for (const auto& provider : config.providers) {
            names.push_back(provider.name);
        }
        throw CommandFailure("project \"" + project + "\" has no provider \"" + object.provider +
                                 "\"." + suggestion(object.provider, names),
                             "Correct the name, or add [providers." + object.provider + "] to " +
                                 path_text(config.file) + ".");
    }
    need(add_pending_publish(call.paths, project, {object.provider, object.key}));
    environment.out
        << "The service is not running. The object will be published at its next start, "
           "before\nanything is put back.\n";
    return exit_done;
}

} // namespace

int run_send_now(const Invocation& call, Environment& environment) {
    auto arguments = Json::object();
    if (!call.arguments.empty()) {
        arguments = object_arguments(parse_provider_or_object(call.argument(0)));
    }
    return act(call, environment, "send-now", arguments);
}

int run_publish(const Invocation& call, Environment& environment) {
    const auto object = parse_object(call.argument(0));
    const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act);
    if (!client) {
        return publish_at_start(call, environment, object);
    }
    render_done(environment.out, client->act("publish", object_arguments(object)));
    return exit_done;
}

int run_restore(const Invocation& call, Environment& environment) {
    auto arguments = object_arguments(parse_object(call.argument(0)));
    const auto version = call.value("version");
    if (!version || version->empty()) {
        throw UsageError("`restore` needs --version N; `stationsync history " + call.argument(0) +
                         "` shows the versions.");
    }
    arguments["version"] = *version;
    return act(call, environment, "restore", arguments);
}

int run_start(const Invocation& call, Environment& environment) {
    return act(call, environment, "start", Json::object());
}

int run_stop(const Invocation& call, Environment& environment) {
    return act(call, environment, "stop", Json::object());
}

int run_restart(const Invocation& call, Environment& environment) {
    return act(call, environment, "restart", Json::object());
}

int run_hold(const Invocation& call, Environment& environment) {
    require_provider_name(call.argument(0));
    Json arguments{{"provider", call.argument(0)}};
    if (const auto length = call.value("for")) {
        const auto parsed = parse_duration(*length);
        if (!parsed || parsed->count() <= 0) {
            throw UsageError("--for needs a duration such as 30m, 2h or 1h30m, not \"" + *length +
                             "\".");
        }
        arguments["for"] = *length;
    }
    return act(call, environment, "hold", arguments);
}

int run_release(const Invocation& call, Environment& environment) {
    require_provider_name(call.argument(0));
    return act(call, environment, "release", {{"provider", call.argument(0)}});
}

int run_establish(const Invocation& call, Environment& environment) {
    return act(call, environment, "establish", optional_provider(call));
}

int run_verify(const Invocation& call, Environment& environment) {
    const auto answer =
        ApiClient(call.paths, ApiClient::Token::act).act_long("verify", optional_provider(call));
    if (call.json) {
        write_json(environment.out, answer);
    } else {
        render_done(environment.out, answer);
    }
    return field(answer, "equal") == Json(false) ? exit_failed : exit_done;
}

int run_accept_root(const Invocation& call, Environment& environment) {
    require_provider_name(call.argument(0));
    return act(call, environment, "provider-accept-root", {{"provider", call.argument(0)}});
}

} // namespace stationsync::host::cli
