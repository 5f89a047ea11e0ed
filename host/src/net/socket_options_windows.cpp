#include "net/socket_options.hpp"

namespace stationsync::host {

void prepare_listener(boost::asio::ip::tcp::acceptor& acceptor, boost::system::error_code& error) {
    // SO_REUSEADDR would let two programs listen on one port on Windows.
    using Exclusive = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_EXCLUSIVEADDRUSE>;
    acceptor.set_option(Exclusive(true), error);
}

} // namespace stationsync::host
