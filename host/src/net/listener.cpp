#include "net/listener.hpp"

#include "base/clock.hpp"
#include "net/socket_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <algorithm>

namespace stationsync::host {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string listen_text(const HostPort& address, const error_code& error) {
    const std::string at = to_text(address);
    if (error == asio::error::address_in_use) {
        return "Cannot listen on " + at +
               ": another program uses this port (8883 is also the port "
               "of MQTT brokers). Stop it, or choose another port with listen in station.toml.";
    }
    if (error.value() == asio::error::access_denied) {
        return "Cannot listen on " + at +
               ": the system does not allow this port to this account. "
               "Choose a port above 1023 with listen in station.toml.";
    }
    if (error == std::errc::address_not_available) {
        return "Cannot listen on " + at +
               ": this computer has no such address now. Correct listen "
               "in station.toml; it is tried again every 10 seconds.";
    }
    return "Cannot listen on " + at + " (" + error.message() + "): correct listen in station.toml.";
}

} // namespace

std::vector<std::string> Listener::open(const std::vector<ListenAddress>& addresses,
                                        const std::shared_ptr<Owner>& owner) {
    std::vector<std::string> failures;
    for (const ListenAddress& entry : addresses) {
        const bool is_open = std::any_of(ports_.begin(), ports_.end(), [&](const auto& port) {
            return port->configured == entry.address;
        });
        if (is_open) {
            continue;
        }
        auto failure = open_one(entry.address, owner);
        if (failure && !entry.optional) {
            failures.push_back(std::move(*failure));
        }
    }
    return failures;
}

std::optional<std::string> Listener::open_one(const HostPort& address,
                                              const std::shared_ptr<Owner>& owner) {
    error_code error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (error) {
        return "Cannot listen on " + to_text(address) +
               ": this is no numeric address. Correct listen in station.toml.";
    }
    const tcp::endpoint endpoint(ip, address.port);
    auto port = std::make_shared<Port>(Port{tcp::acceptor(context_), address});
    tcp::acceptor& acceptor = port->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error && ip.is_v6()) {
        // Else "::" would take the port of IPv4 too.
        acceptor.set_option(asio::ip::v6_only(true), error);
    }
    if (!error) {
        prepare_listener(acceptor, error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return listen_text(address, error);
    }
    ports_.push_back(port);
    accept(port, owner);
    return std::nullopt;
}

void Listener::accept(const std::shared_ptr<Port>& port, const std::shared_ptr<Owner>& owner) {
    port->acceptor.async_accept([this, port, owner](const error_code& error, tcp::socket socket) {
        if (!port->acceptor.is_open()) {
            return; // closed: this object may be gone
        }
        if (error) {
            // Out of descriptors or memory: trying again at once would only burn the processor.
            port->paused = true;
            return;
        }
        error_code gone;
        const tcp::endpoint remote = socket.remote_endpoint(gone);
        if (!gone) {
            if (limiter_.admit(remote.address().to_string(), {monotonic_now_us()})) {
                owner->on_accepted(std::move(socket), remote);
            } else {
                error_code ignored; // without lingering: a flood must leave nothing behind
                socket.set_option(asio::socket_base::linger(true, 0), ignored);
                socket.close(ignored);
                owner->on_flooded(remote);
            }
        }
        if (port->acceptor.is_open()) {
            accept(port, owner);
        }
    });
}

void Listener::resume(const std::shared_ptr<Owner>& owner) {
    for (const auto& port : ports_) {
        if (port->paused) {
            port->paused = false;
            accept(port, owner);
        }
    }
}

void Listener::close() {
    for (const auto& port : ports_) {
        error_code ignored;
        port->acceptor.close(ignored);
    }
    ports_.clear();
}

std::vector<HostPort> Listener::listening() const {
    std::vector<HostPort> addresses;
    for (const auto& port : ports_) {
        error_code error;
        const tcp::endpoint endpoint = port->acceptor.local_endpoint(error);
        if (!error) {
            addresses.push_back({endpoint.address().to_string(), endpoint.port()});
        }
    }
    return addresses;
}

} // namespace stationsync::host
