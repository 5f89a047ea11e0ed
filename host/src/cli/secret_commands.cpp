#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/render.hpp"
#include "config/secrets.hpp"
#include "config/units.hpp"

namespace stationsync::host::cli {
namespace {

std::string checked_name(const Invocation& call) {
    auto name = call.argument(0);
    if (!is_secret_name(name)) {
        throw UsageError("\"" + name +
                         "\" cannot name a secret: use 1 to 64 characters of A-Z, a-z, 0-9, \"-\" "
                         "and \"_\".");
    }
    return name;
}

// Standard input up to its end; one line end behind the value is no part of it.
std::string read_value(std::istream& in) {
    std::string value(secret_bytes_max + 3, '\0');
    in.read(value.data(), static_cast<std::streamsize>(value.size()));
    value.resize(static_cast<std::size_t>(in.gcount()));
    if (value.ends_with('\n')) {
        value.pop_back();
    }
    if (value.ends_with('\r')) {
        value.pop_back();
    }
    if (value.empty() || value.size() > secret_bytes_max) {
        throw CommandFailure("a secret's value must have 1 to 4096 bytes",
                             "Give it on standard input: `stationsync secret set NAME < FILE`.");
    }
    return value;
}

} // namespace

int run_secret_set(const Invocation& call, Environment& environment) {
    const auto name = checked_name(call);
    require_station(call.paths);
    const auto value = read_value(environment.in);
    // The service writes it as its own account, and gives it to the providers that use it.
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act)) {
        render_done(environment.out, client->act("secret-set", {{"name", name}, {"value", value}}));
        return exit_done;
    }
    const auto lock = lock_root(call.paths);
    need(SecretStore(call.paths.secrets()).set(name, value));
    environment.out << "The secret \"" << name << "\" is set.\n";
    return exit_done;
}

int run_secret_list(const Invocation& call, Environment& environment) {
    require_station(call.paths);
    const auto names = need(SecretStore(call.paths.secrets()).list());
    if (call.json) {
        auto list = Json::array();
        for (const auto& name : names) {
            list.push_back({{"name", name}});
        }
        write_json(environment.out, list);
        return exit_done;
    }
    for (const auto& name : names) {
        environment.out << name << '\n';
    }
    if (names.empty()) {
        environment.out << "No secrets are set.\n";
    }
    return exit_done;
}

int run_secret_remove(const Invocation& call, Environment& environment) {
    const auto name = checked_name(call);
    require_station(call.paths);
    if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::act)) {
        render_done(environment.out, client->act("secret-remove", {{"name", name}}));
        return exit_done;
    }
    const auto lock = lock_root(call.paths);
    need(SecretStore(call.paths.secrets()).remove(name));
    environment.out << "The secret \"" << name << "\" is removed.\n";
    return exit_done;
}

} // namespace stationsync::host::cli
