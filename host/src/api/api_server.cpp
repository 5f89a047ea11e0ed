#include "api/api_server.hpp"

#include "api/api_implementation.hpp"
#include "api/api_system.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text_codes.hpp"

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <stdexcept>

namespace stationsync::host {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds accept_retry_delay{200};

// Tells the events of this run of the service from those of an earlier one.
std::string random_run_name() {
    std::array<std::byte, 4> random{};
    fill_random(random);
    return to_hex(random);
}

} // namespace

ApiServer::Implementation::Implementation(asio::io_context& io, ServiceCommands& service,
                                          ApiOptions given)
    : context(io),
      commands(service),
      options(std::move(given)),
      events(random_run_name(), options.limits.events_kept),
      acceptor_(io),
      accept_timer_(io) {}

void ApiServer::Implementation::listen() {
    const auto& wanted = options.endpoint;
    const auto fail = [&wanted](const error_code& error) {
        const auto taken = error == asio::error::address_in_use;
        throw std::runtime_error(
            "the local API cannot listen on " + to_text(wanted) + ": " + error.message() +
            (taken ? ". Another program or station uses this port: choose another address with "
                     "`api` in [net] of station.toml or with --api ADDR:PORT"
                   : ". Check `api` in [net] of station.toml"));
    };
    error_code error;
    const auto address = asio::ip::make_address(wanted.address, error);
    if (error) {
        fail(error);
    }
    const tcp::endpoint endpoint(address, wanted.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error && reuse_address_is_safe()) {
        acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        acceptor_.bind(endpoint, error);
    }
    if (!error) {
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        fail(error);
    }
    options.endpoint.port = acceptor_.local_endpoint().port();
    if (!is_loopback(options.endpoint)) {
        log::warning("api", "the local API listens beyond this computer on " +
                                to_text(options.endpoint) + ", unencrypted");
    }
    accept();
}

void ApiServer::Implementation::accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
        self->on_accepted(error, std::move(socket));
    });
}

void ApiServer::Implementation::on_accepted(error_code error, tcp::socket socket) {
    if (stopped) {
        return;
    }
    if (error) {
        // Out of descriptors or the like: it passes, but not within the same microsecond.
        log::write_limited("accept", log::Level::warning, "api",
                           "a connection to the local API failed: " + error.message());
        accept_timer_.expires_after(accept_retry_delay);
        accept_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
            if (!cancelled && !self->stopped) {
                self->accept();
            }
        });
        return;
    }
    if (sessions.size() < options.limits.connections_max) {
        open_session(std::move(socket), shared_from_this());
    } else {
        log::write_limited("too many connections", log::Level::warning, "api",
                           "the local API has too many connections and closed a new one");
    }
    accept();
}

void ApiServer::Implementation::stop() {
    if (stopped) {
        return;
    }
    stopped = true;
    if (log_streams_ > 0) {
        log::set_listener({}); // it posts to a context that may end before the sessions do
    }
    error_code ignored;
    acceptor_.close(ignored);
    accept_timer_.cancel();
    const std::vector<ApiSession*> open(sessions.begin(), sessions.end());
    for (auto* session : open) {
        // close() only starts to cancel: no session dies inside this loop.
        session->close();
    }
}

void ApiServer::Implementation::publish(std::string_view type, std::string json) {
    if (!stopped) {
        events.publish(type, std::move(json));
        wake_streams();
    }
}

void ApiServer::Implementation::wake_streams() {
    if (streams == 0) {
        return;
    }
    const std::vector<ApiSession*> open(sessions.begin(), sessions.end());
    for (auto* session : open) {
        session->wake();
    }
}

void ApiServer::Implementation::watch_log() {
    if (++log_streams_ > 1) {
        return;
    }
    // Many lines in a burst make one wake-up.
    const auto pending = std::make_shared<std::atomic<bool>>(false);
    log::set_listener([weak = weak_from_this(), pending, &io = context](std::uint64_t) {
        if (!pending->exchange(true)) {
            asio::post(io, [weak, pending] {
                pending->store(false);
                if (const auto self = weak.lock(); self && !self->stopped) {
                    self->wake_streams();
                }
            });
        }
    });
}

void ApiServer::Implementation::unwatch_log() {
    if (--log_streams_ == 0) {
        log::set_listener({});
    }
}

ApiServer::ApiServer(asio::io_context& context, ServiceCommands& commands, ApiOptions options)
    : implementation_(std::make_shared<Implementation>(context, commands, std::move(options))) {
    implementation_->listen();
}

ApiServer::~ApiServer() {
    stop();
}

Endpoint ApiServer::endpoint() const {
    return implementation_->options.endpoint;
}

void ApiServer::publish(const std::string& type, const nlohmann::json& event) {
    implementation_->publish(type,
                             event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void ApiServer::stop() {
    implementation_->stop();
}

} // namespace stationsync::host
