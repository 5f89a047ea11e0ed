#include "net/socket_options.hpp"

namespace stationsync::host {

void prepare_listener(boost::asio::ip::tcp::acceptor& acceptor, boost::system::error_code& error) {
    // Here it only skips the wait for connections that are closed already.
    acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
}

} // namespace stationsync::host
