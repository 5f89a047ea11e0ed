// One TLS connection from the first byte of the handshake to its end. The engine thread.
#pragma once

#include "net/hello.hpp"
#include "net/links.hpp"
#include "net/out_queue.hpp"
#include "net/tls_psk.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace stationsync::host {

class Connection;

// What a connection tells. Never called from inside a function of Connection.
class ConnectionOwner {
public:
    virtual ~ConnectionOwner() = default;
    // The proof is verified. May call end() to refuse.
    virtual void on_ready(const std::shared_ptr<Connection>& connection) = 0;
    virtual void on_frame(Connection& connection, FrameType type, Bytes payload) = 0;
    virtual void on_time(Connection& connection, TimeSample sample) = 0;
    virtual void on_alive(Connection& connection) = 0;
    virtual void on_room(Connection& connection) = 0; // in the block lane
    // Exactly once.
    virtual void on_ended(const std::shared_ptr<Connection>& connection, LinkFailure failure,
                          const std::string& text) = 0;
    // The socket is closed: the connection needs no more ticks.
    virtual void on_gone(const std::shared_ptr<Connection>& connection) = 0;
};

// What all connections of one Links object share.
struct LinkSetup {
    TlsPsk tls;
    LinkLimits limits;
    std::function<core::WallTime()> wall_now;
    const StationIdentity* identity = nullptr;
    Hello hello;
    std::string project;
};

class Connection {
public:
    struct Options {
        std::shared_ptr<const LinkSetup> setup;
        LinkRole role = LinkRole::dialler;
        std::optional<ProjectKey> offered;                                   // dialler
        std::function<std::optional<ProjectKey>(std::string_view)> find_key; // listener
        std::string address; // of the peer, for texts
    };
    // `socket` is connected. `owner` must live until detach() or on_gone().
    static std::shared_ptr<Connection> start(boost::asio::ip::tcp::socket socket, Options options,
                                             ConnectionOwner& owner);
    virtual ~Connection() = default;

    // No callbacks from now on; the socket is closed.
    virtual void detach() = 0;
    // Ends the connection: on_ended follows. With `tell_peer` the peer hears `text` first.
    virtual void end(LinkFailure failure, std::string text, bool tell_peer) = 0;
    virtual void tick(core::Instant now) = 0;
    // The process did not run for this long: no deadline counts that time.
    virtual void shift_deadlines(core::Duration by) = 0;

    virtual void send_control(FrameType type, Bytes payload) = 0;
    // False when the lane was full and nothing was taken.
    [[nodiscard]] virtual bool send_block(Bytes payload) = 0;
    [[nodiscard]] virtual bool is_block_lane_full() const = 0;
    virtual void probe() = 0;

    [[nodiscard]] virtual bool is_ended() const = 0;
    [[nodiscard]] virtual const Hello& peer() const = 0; // once ready
    [[nodiscard]] virtual const std::string& key_identity() const = 0;
    [[nodiscard]] virtual LinkTraffic traffic() const = 0;
    [[nodiscard]] core::Instant started_at() const noexcept { return started_at_; }
    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    [[nodiscard]] LinkRole role() const noexcept { return role_; }

    // For the owner's books.
    LinkId link{};
    DialId dial{};
    bool is_link = false;
    std::string remote_host;

protected:
    Connection(LinkRole role, std::string address, core::Instant started_at)
        : started_at_(started_at), address_(std::move(address)), role_(role) {}

private:
    core::Instant started_at_;
    std::string address_;
    LinkRole role_;
};

} // namespace stationsync::host
