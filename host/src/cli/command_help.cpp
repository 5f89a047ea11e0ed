#include "cli/command_help.hpp"

#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "cli/api_client.hpp"
#include "cli/render.hpp"
#include "config/project_files.hpp"
#include "config/units.hpp"

namespace stationsync::host::cli {

void require_provider_name(const std::string& name) {
    if (!is_provider_name(name)) {
        throw UsageError("\"" + name +
                         R"(" is no provider's name: those have 1 to 32 of a-z, 0-9 and "-".)");
    }
}

ObjectName parse_object(const std::string& text) {
    auto object = parse_provider_or_object(text);
    if (object.key.empty()) {
        throw UsageError("\"" + text + "\" names no object: write PROVIDER/KEY, such as recipes/" +
                         "mash.xml.");
    }
    return object;
}

ObjectName parse_provider_or_object(const std::string& text) {
    constexpr std::size_t key_bytes_max = 4096;
    const auto slash = text.find('/');
    ObjectName object{text.substr(0, slash),
                      slash == std::string::npos ? "" : text.substr(slash + 1)};
    require_provider_name(object.provider);
    if ((slash != std::string::npos && object.key.empty()) || object.key.size() > key_bytes_max) {
        throw UsageError("the key behind \"" + object.provider + "/\" must have 1 to 4096 bytes.");
    }
    return object;
}

void require_station(const RootPaths& paths) {
    std::error_code error;
    if (!std::filesystem::exists(paths.station_file(), error)) {
        if (error) {
            const auto failed = io_error("look for", paths.station_file(), error);
            throw CommandFailure(failed.text, remedy_of(failed.kind));
        }
        throw CommandFailure("there is no station in " + path_text(paths.configuration) +
                                 ": station.toml is missing",
                             "Name the station's folder with --root DIR, or make a station with "
                             "`stationsync init` or `stationsync join`.");
    }
}

LockFile lock_root(const RootPaths& paths) {
    need(make_directories(paths.state));
    auto lock = LockFile::acquire(paths.lock_file());
    if (!lock && lock.error().kind == IoErrorKind::busy) {
        throw CommandFailure(
            "the service of this station is starting, stopping or not answering, and "
            "its files must not be changed meanwhile",
            "Try again in a moment. (" + lock.error().text + ")");
    }
    return need(std::move(lock));
}

std::string selected_project(const RootPaths& paths) {
    require_station(paths);
    auto choice = need(load_project_choice(paths));
    if (choice.project.empty()) {
        throw CommandFailure("no project is selected",
                             "Choose one with `stationsync project use NAME`; `stationsync project "
                             "list` shows all.");
    }
    return std::move(choice.project);
}

void write_json(std::ostream& out, const Json& json) {
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

int act(const Invocation& call, Environment& environment, const std::string& action,
        const Json& arguments) {
    const auto answer = ApiClient(call.paths, ApiClient::Token::act).act(action, arguments);
    if (call.json) {
        write_json(environment.out, answer);
    } else {
        render_done(environment.out, answer);
    }
    return exit_done;
}

} // namespace stationsync::host::cli
