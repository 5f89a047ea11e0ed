#include "service/run_service.hpp"

#include "api/api_server.hpp"
#include "base/computer_end.hpp"
#include "base/lock_file.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/workers.hpp"
#include "config/station_config.hpp"
#include "config/units.hpp"
#include "net/station_identity.hpp"
#include "service/service.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace stationsync::host {

namespace {

// The whole end takes less than 10 seconds, whatever a plugin or a disk does. First the engine has
// its patience with applies (Service::end), then all of it has this.
constexpr std::chrono::milliseconds end_time_max{6'500};
constexpr std::chrono::milliseconds last_calls_time_max{500};

int refuse(const std::string& text, const std::string& remedy = {}) {
    std::cerr << "stationsync: " << text << '\n';
    if (!remedy.empty())
        std::cerr << "  " << remedy << '\n';
    return 1;
}

int refuse(const IoError& error) {
    return refuse(error.text, remedy_of(error.kind));
}

std::optional<StationConfig> load_station(const RunOptions& options) {
    auto loaded = load_station_config(options.paths);
    if (!loaded) {
        refuse(to_text(loaded.problems));
        return std::nullopt;
    }
    StationConfig config = std::move(*loaded.value);
    if (!options.listen.empty()) {
        config.net.listen.clear();
        config.net.listen_is_default = false;
        for (const std::string& text : options.listen)
            if (const auto endpoint = parse_listen(text, link_port_default))
                config.net.listen.push_back(*endpoint);
    }
    if (options.api)
        config.net.api = parse_endpoint(*options.api, api_port_default);
    config.log.also_to_stderr = options.foreground;
    return config;
}

// A call into a plugin or the system does not return. Nothing that it uses may be destroyed under
// it, and the journal makes good what it had begun: so nothing is destroyed at all.
[[noreturn]] void end_without_them() {
    log::warning("service", "ended while a call had not returned; the next start makes it good");
    log::stop();
    std::_Exit(0);
}

// Runs until a signal; everything lives on this thread but the workers.
int run(const RunOptions& options, const StationConfig& config, StationIdentity identity) {
    boost::asio::io_context context{1};
    Workers workers(post_to_io_context(&context));
    Service service(context, workers, options, config, std::move(identity));
    ApiOptions api;
    api.endpoint = api_endpoint(config);
    api.tokens = make_api_tokens();
    std::unique_ptr<ApiServer> server;
    try {
        server = std::make_unique<ApiServer>(context, service, api);
        write_api_files(options.paths, server->endpoint(), api.tokens);
    } catch (const std::exception& problem) {
        return refuse(problem.what());
    }
    service.set_events(server.get());
    boost::asio::signal_set signals(context, SIGTERM, SIGINT);
    auto ended = [&] {
        service.set_events(nullptr);
        server->stop();
        signals.cancel();
        context.stop();
    };
    Timer end_timer(context);
    signals.async_wait([&](const boost::system::error_code& error, int signal) {
        if (error)
            return;
        const bool by_person = signal == SIGINT || !computer_is_ending();
        log::info("service", by_person ? "ending" : "ending with the computer");
        end_timer.set(end_time_max, ended);
        service.end(by_person, ended);
    });
    service.start();
    log::info("service",
              "the service runs, its local interface is at " + to_text(server->endpoint()));
    context.run();
    const bool all_returned = workers.stop_within(last_calls_time_max);
    remove_api_files(options.paths);
    if (!all_returned)
        end_without_them();
    return 0;
}

} // namespace

int run_service(const RunOptions& options) {
    auto config = load_station(options);
    if (!config)
        return 1;
    auto lock = LockFile::acquire(options.paths.lock_file());
    if (!lock && lock.error().kind == IoErrorKind::busy)
        return refuse(
            "this station runs already, or a command is changing its files: " + lock.error().text,
            "Stop that process first, or name the folder of another station with --root.");
    if (!lock)
        return refuse(lock.error());
    try {
        log::start(config->log);
    } catch (const std::exception& problem) {
        return refuse(problem.what());
    }
    auto identity = StationIdentity::load(options.paths.identity_file());
    if (!identity && identity.error().kind == IoErrorKind::not_found)
        return refuse(identity.error().text,
                      "Put the file back from a backup, or give this station a new identity with "
                      "`stationsync station new-identity`.");
    if (!identity)
        return refuse(identity.error());
    const int code = run(options, *config, std::move(*identity));
    log::info("service", "ended");
    log::stop();
    return code;
}

} // namespace stationsync::host
