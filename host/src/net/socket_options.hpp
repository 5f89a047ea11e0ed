// Socket options that mean different things on different systems.
#pragma once

#include <boost/asio/ip/tcp.hpp>

namespace stationsync::host {

// Before bind(): the port can be taken again at once after a restart, and never together with
// another program.
void prepare_listener(boost::asio::ip::tcp::acceptor& acceptor, boost::system::error_code& error);

} // namespace stationsync::host
