// Accepts connections on the configured addresses, not faster than a host may connect. The engine
// thread.
#pragma once

#include "net/connect_limiter.hpp"
#include "net/links.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <list>
#include <string>
#include <vector>

namespace stationsync::host {

class Listener {
public:
    struct Owner {
        virtual ~Owner() = default;
        virtual void on_accepted(boost::asio::ip::tcp::socket socket,
                                 const boost::asio::ip::tcp::endpoint& remote) = 0;
        // Closed at once because this host connects too often.
        virtual void on_flooded(const boost::asio::ip::tcp::endpoint& remote) = 0;
    };
    // `owner` must outlive every handler that runs after close().
    Listener(boost::asio::io_context& context, const LinkLimits& limits)
        : context_(context), limiter_(limits.connects_per_second, limits.connects_burst) {}

    // Opens what is not open; a sentence for each failure that is not optional.
    std::vector<std::string> open(const std::vector<ListenAddress>& addresses,
                                  const std::shared_ptr<Owner>& owner);
    void close();
    [[nodiscard]] std::vector<HostPort> listening() const;
    // Accepts again after a failure (no descriptors left).
    void resume(const std::shared_ptr<Owner>& owner);

private:
    struct Port {
        boost::asio::ip::tcp::acceptor acceptor;
        HostPort configured;
        bool paused = false;
    };
    std::optional<std::string> open_one(const HostPort& address,
                                        const std::shared_ptr<Owner>& owner);
    void accept(const std::shared_ptr<Port>& port, const std::shared_ptr<Owner>& owner);

    boost::asio::io_context& context_;
    ConnectLimiter limiter_;
    std::list<std::shared_ptr<Port>> ports_;
};

} // namespace stationsync::host
