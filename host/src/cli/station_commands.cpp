// Keys of the project, other stations, and the station's own name and identity.
#include "api/key_listing.hpp"
#include "base/clock.hpp"
#include "base/durable.hpp"
#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/render.hpp"
#include "cli/table.hpp"
#include "config/config_text.hpp"
#include "config/toml_reader.hpp"
#include "net/names.hpp"
#include "net/project_key.hpp"
#include "net/station_identity.hpp"

namespace stationsync::host::cli {
namespace {

// A whole id, or the beginning that the listing shows: the service knows which stations there are.
Json station_argument(const Invocation& call) {
    const auto& text = call.argument(0);
    constexpr std::size_t shortest = 4;
    constexpr std::size_t longest = 36;
    if (text.size() < shortest || text.size() > longest ||
        text.find_first_not_of("0123456789abcdefABCDEF-") != std::string::npos) {
        throw UsageError("\"" + text +
                         "\" is no station's id: `stationsync stations` shows the ids; the first "
                         "digits are enough.");
    }
    return {{"station", text}};
}

} // namespace

int run_key_rotate(const Invocation& call, Environment& environment) {
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act)) {
        render_done(environment.out, client->act("key-rotate", Json::object()));
        return exit_done;
    }
    const auto project = selected_project(call.paths);
    const auto lock = lock_root(call.paths);
    auto keys = need(KeyRing::load(call.paths.project_key(project)));
    keys.rotate(core::WallTime{wall_now_us()});
    need(keys.save(call.paths.project_key(project)));
    write_wrapped(environment.out,
                  "Project \"" + project + "\" has the new key " + keys.current().fingerprint() +
                      ". It reaches the other stations once the service runs; the old key is "
                      "accepted until `stationsync key retire`, at most 30 days.",
                  0);
    return exit_done;
}

int run_key_list(const Invocation& call, Environment& environment) {
    Json keys;
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::view)) {
        keys = client->get("keys");
    } else {
        const auto project = selected_project(call.paths);
        keys = key_listing(need(KeyRing::load(call.paths.project_key(project))),
                           core::WallTime{wall_now_us()});
    }
    if (call.json) {
        write_json(environment.out, keys);
    } else {
        render_keys(environment.out, keys);
    }
    return exit_done;
}

int run_key_retire(const Invocation& call, Environment& environment) {
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act)) {
        render_done(environment.out, client->act("key-retire", Json::object()));
        return exit_done;
    }
    const auto project = selected_project(call.paths);
    const auto lock = lock_root(call.paths);
    auto keys = need(KeyRing::load(call.paths.project_key(project)));
    if (!keys.retire(core::WallTime{wall_now_us()})) {
        environment.out << "Only the current key is accepted already.\n";
        return exit_done;
    }
    need(keys.save(call.paths.project_key(project)));
    write_wrapped(
        environment.out,
        "Only the current key is accepted from now on. A station that has not received it "
        "needs a new join code.",
        0);
    return exit_done;
}

int run_block(const Invocation& call, Environment& environment) {
    return act(call, environment, "block", station_argument(call));
}

int run_unblock(const Invocation& call, Environment& environment) {
    return act(call, environment, "unblock", station_argument(call));
}

int run_forget_station(const Invocation& call, Environment& environment) {
    return act(call, environment, "forget-station", station_argument(call));
}

int run_station_rename(const Invocation& call, Environment& environment) {
    const auto& name = call.argument(0);
    if (const auto problem = station_name_problem(name)) {
        throw UsageError(*problem);
    }
    require_station(call.paths);
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act)) {
        render_done(environment.out, client->act("station-rename", {{"name", name}}));
        return exit_done;
    }
    const auto lock = lock_root(call.paths);
    const auto file = call.paths.station_file();
    const auto text = need(read_text_file(file));
    need(atomic_write(file, need(with_station_name(text, file, name))));
    write_wrapped(environment.out, "The station is called \"" + name + "\" from the next start.",
                  0);
    return exit_done;
}

int run_station_new_identity(const Invocation& call, Environment& environment) {
    require_station(call.paths);
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act)) {
        render_done(environment.out, client->act("station-new-identity", Json::object()));
        return exit_done;
    }
    const auto lock = lock_root(call.paths);
    const auto identity = need(StationIdentity::replace(call.paths.identity_file()));
    write_wrapped(environment.out,
                  "The station has the new id " + core::to_text(identity.id()) +
                      ". For the other stations it is a newcomer.",
                  0);
    return exit_done;
}

} // namespace stationsync::host::cli
