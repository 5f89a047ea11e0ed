#pragma once
// The inside of ApiServer, shared by its two sources. One engine thread.

#include "api/api_server.hpp"
#include "api/event_log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace stationsync::host {

// One connection. Lives as long as something of it is under way.
class ApiSession {
public:
    virtual ~ApiSession() = default;
    // Starts to end it; the object stays until its handlers have run.
    virtual void close() = 0;
    // There may be something new for a stream.
    virtual void wake() = 0;
};

class ApiServer::Implementation : public std::enable_shared_from_this<ApiServer::Implementation> {
public:
    Implementation(boost::asio::io_context& io, ServiceCommands& service, ApiOptions given);

    void listen();
    void accept();
    void stop();
    void publish(std::string_view type, std::string json);
    void wake_streams();
    void watch_log();
    void unwatch_log();

    boost::asio::io_context& context;
    ServiceCommands& commands; // not touched once stopped
    ApiOptions options;
    EventLog events;
    bool stopped = false;
    std::set<ApiSession*> sessions;
    std::size_t streams = 0;

private:
    void on_accepted(boost::system::error_code error, boost::asio::ip::tcp::socket socket);

    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer accept_timer_;
    std::size_t log_streams_ = 0;
};

// Serves the connection from now on (api_session.cpp).
void open_session(boost::asio::ip::tcp::socket socket,
                  std::shared_ptr<ApiServer::Implementation> server);

} // namespace stationsync::host
