// One dial(): resolves the name, tries its addresses one after the other, each with the keys of the
// ring. The engine thread.
#pragma once

#include "net/links.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host {

// Addresses of names resolved before: used while the name server is away.
using ResolveCache = std::map<std::string, std::vector<boost::asio::ip::address>, std::less<>>;

class DialAttempt : public std::enable_shared_from_this<DialAttempt> {
public:
    struct Owner {
        virtual ~Owner() = default;
        // Starts the handshake with attempt->key(), then calls handshake_failed() or succeeded().
        virtual void on_connected(const std::shared_ptr<DialAttempt>& attempt,
                                  boost::asio::ip::tcp::socket socket) = 0;
        // Exactly once unless it succeeded or was cancelled; never from inside start().
        virtual void on_attempt_failed(const std::shared_ptr<DialAttempt>& attempt,
                                       LinkFailure failure, const std::string& text) = 0;
    };
    struct Options {
        DialId dial{};
        std::string address;                           // "host:port" as given
        std::vector<ProjectKey> keys;                  // to try, current first
        std::vector<boost::asio::ip::address> sources; // addresses that this station listens on
        LinkLimits limits;
    };
    DialAttempt(boost::asio::io_context& context, Options options, Owner& owner,
                ResolveCache& cache);

    void start();
    void cancel(); // no callbacks from now on
    void handshake_failed(LinkFailure failure, const std::string& text);

    [[nodiscard]] DialId dial() const noexcept { return options_.dial; }
    [[nodiscard]] const std::string& address() const noexcept { return options_.address; }
    [[nodiscard]] const ProjectKey& key() const { return options_.keys.at(next_key_); }

private:
    void resolve();
    void on_resolved(const boost::system::error_code& error,
                     const boost::asio::ip::tcp::resolver::results_type& results);
    void connect();
    void on_connected(const boost::system::error_code& error);
    void try_next();
    void note(LinkFailure failure, std::string text);
    void note_error(const boost::system::error_code& error);
    void bind_source(const boost::asio::ip::address& target, boost::system::error_code& error);
    void set_timer(core::Duration timeout);
    [[nodiscard]] bool is_overdue() const;

    Options options_;
    Owner* owner_; // null: cancelled or done
    ResolveCache& cache_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    HostPort target_;
    std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
    std::size_t next_endpoint_ = 0;
    std::size_t next_key_ = 0;
    core::Instant deadline_;
    bool waiting_ = false;                                     // for the resolver or a connection
    std::optional<std::pair<LinkFailure, std::string>> worst_; // the most telling failure so far
};

} // namespace stationsync::host
