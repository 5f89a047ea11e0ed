#include "doctor/port_probe.hpp"

#include "net/socket_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <chrono>

namespace stationsync::host::doctor {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

PortState state_of(const error_code& error) {
    if (!error) {
        return PortState::free;
    }
    if (error == asio::error::address_in_use) {
        return PortState::in_use;
    }
    if (error.value() == asio::error::access_denied) {
        return PortState::denied;
    }
    return PortState::no_address;
}

} // namespace

PortState probe_listen(const Endpoint& endpoint) {
    asio::io_context context;
    tcp::acceptor acceptor(context);
    error_code error;
    const auto ip = asio::ip::make_address(endpoint.address, error);
    if (!error) {
        acceptor.open(tcp::endpoint(ip, endpoint.port).protocol(), error);
    }
    if (!error && ip.is_v6()) {
        acceptor.set_option(asio::ip::v6_only(true), error);
    }
    if (!error) {
        prepare_listener(acceptor, error);
    }
    if (!error) {
        acceptor.bind({ip, endpoint.port}, error);
    }
    if (!error) {
        acceptor.listen(1, error);
    }
    return state_of(error);
}

PortState probe_shared_udp(std::uint16_t port) {
    asio::io_context context;
    udp::socket socket(context);
    error_code error;
    socket.open(udp::v4(), error);
    if (!error) {
        socket.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        socket.bind({udp::v4(), port}, error);
    }
    return state_of(error);
}

bool answers(const Endpoint& endpoint) {
    constexpr std::chrono::seconds patience{1};
    asio::io_context context;
    tcp::socket socket(context);
    error_code error;
    const auto ip = asio::ip::make_address(endpoint.address, error);
    bool connected = false;
    if (!error) {
        socket.async_connect({ip, endpoint.port},
                             [&connected](const error_code& failed) { connected = !failed; });
        context.run_for(patience);
    }
    return connected;
}

} // namespace stationsync::host::doctor
