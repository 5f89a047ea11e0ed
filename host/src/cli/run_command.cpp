#include "base/path_text.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/plugin_folder.hpp"
#include "config/units.hpp"

#include <cstdlib>

namespace stationsync::host::cli {

std::filesystem::path plugin_folder(const Invocation& call, const Environment& environment) {
    if (const auto folder = call.value("plugins")) {
        return std::filesystem::absolute(path_of(*folder));
    }
    if (const auto* const folder = std::getenv("STATIONSYNC_PLUGINS");
        folder != nullptr && *folder != '\0') {
        return std::filesystem::absolute(std::filesystem::path(folder));
    }
    return environment.program.parent_path() / "plugins";
}

int run_run(const Invocation& call, Environment& environment) {
    require_station(call.paths);
    RunOptions options;
    options.paths = call.paths;
    options.listen = call.values("listen");
    options.api = call.value("api");
    for (const auto& text : options.listen) {
        if (!parse_listen(text, link_port_default)) {
            throw UsageError("--listen takes " + std::string(listen_form(text)) + ", not \"" +
                             text + "\".");
        }
    }
    if (options.api && !parse_endpoint(*options.api, api_port_default)) {
        throw UsageError("--api takes " + std::string(endpoint_form) + ", not \"" + *options.api +
                         "\".");
    }
    options.plugins = plugin_folder(call, environment);
    options.foreground = !call.has("quiet");
    return environment.run(options);
}

} // namespace stationsync::host::cli
