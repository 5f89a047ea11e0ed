// Authenticated, encrypted connections to other stations: listening, dialling, keep-alive, time
// measurement, bounded queues. Everything runs on the one engine thread; Asio stays behind
// links.cpp.
#pragma once

#include "net/address.hpp"
#include "net/frames.hpp"
#include "net/project_key.hpp"
#include "net/station_identity.hpp"
#include "stationsync/core/ids.hpp"
#include "stationsync/core/time.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace stationsync::host {

using core::DialId;
using core::LinkId;

enum class LinkFailure : std::uint8_t {
    refused,        // nobody listens there, or a firewall rejects
    timeout,        // no answer, or a firewall drops
    unreachable,    // no route
    name,           // the address cannot be read or the name not resolved
    local,          // this computer's fault: no free port or descriptor
    wrong_key,      // reached, but it does not hold the project's key
    not_station,    // another program answers there
    protocol,       // it broke the rules of the protocol
    is_self,        // the address is our own
    clone,          // it has our station id but is another process: a cloned disk
    busy,           // too many links or handshakes
    closed_by_peer, // it said why
    closed_here,    // close() or stop()
    lost,           // the connection broke
    idle,           // nothing was heard for too long
    slow,           // it does not take what we send
    key_retired,    // the key of this link is no longer accepted
};
// Short and stable, for logs and JSON: "refused", "wrong-key", …
[[nodiscard]] std::string_view to_text(LinkFailure failure);

struct LinkLimits {
    core::Duration connect_timeout = std::chrono::seconds(5);    // per address of a name
    core::Duration dial_timeout = std::chrono::seconds(20);      // per dial()
    core::Duration handshake_timeout = std::chrono::seconds(10); // until the proof is verified
    core::Duration ping_interval = std::chrono::seconds(10);
    core::Duration idle_timeout = std::chrono::seconds(30);
    core::Duration probe_timeout = std::chrono::seconds(5);
    core::Duration slow_timeout = std::chrono::seconds(30); // for each 64 KiB
    core::Duration close_timeout = std::chrono::seconds(2); // to say why we close
    core::Duration doubt_timeout = std::chrono::seconds(2); // before a wrong key is reported
    core::Duration tick = std::chrono::milliseconds(500);   // precision of the above
    std::size_t control_bytes_max = std::size_t{32}
                                    << 20;              // queued on one link; more ends it as slow
    std::size_t block_bytes_max = std::size_t{4} << 20; // queued on one link; see send_block()
    // Sent under one TLS key: a third of what RFC 8446 section 5.5 allows for AES-GCM.
    std::uint64_t key_bytes_max = std::uint64_t{128} << 30;
    std::size_t handshakes_max = 32;             // incoming; the oldest gives way
    std::size_t handshakes_per_address_max = 16; // incoming; the oldest gives way
    double connects_per_second = 5;              // incoming, for each address, in the long run
    double connects_burst = 40;
    std::size_t links_max = 512;
    std::size_t links_per_station_max = 4; // dialled by one station; the oldest gives way
};

struct ListenAddress {
    HostPort address;      // numeric; 0.0.0.0 and :: mean all; port 0 takes any free one
    bool optional = false; // a failure is not reported (an address family that the machine lacks)
};

struct LinksConfig {
    std::vector<ListenAddress> listen;
    std::string station_name;
    std::string project; // for texts only: the key is what decides
    std::uint64_t run_id = 0;
    std::uint16_t protocol_major = 1; // told in the hello
    std::uint16_t protocol_minor = 0;
    std::vector<std::string> addresses; // told to peers: where this station listens
    LinkLimits limits;
    std::function<core::WallTime()> wall_now; // empty: the system's clock
};

struct LinkUpInfo {
    LinkId link{};
    core::StationId station; // proven
    std::uint64_t run_id = 0;
    std::string station_name;
    std::uint16_t protocol_major = 0; // another one than ours: its engine messages cannot be read
    std::uint16_t protocol_minor = 0;
    bool dialled = false; // by us
    DialId dial{};        // the attempt, when dialled
    std::string address;  // "host:port": as dialled, or where the connection comes from
    std::vector<std::string> peer_addresses; // where it says that it listens: hints
    std::string key_fingerprint;             // of the project key in use
    bool current_key = true;                 // false: the peer has not heard of a rotation
};

// Called on the engine thread from the io_context, never from inside a function of Links.
// Functions of Links may be called from inside; only the destructor may not.
class LinkObserver {
public:
    virtual ~LinkObserver() = default;
    virtual void on_link_up(const LinkUpInfo& info) = 0;
    // Exactly once for each on_link_up.
    virtual void on_link_down(LinkId link, LinkFailure failure, const std::string& text) = 0;
    // Exactly once for each dial() that made no link. `text`: one sentence with the likely cause.
    virtual void on_dial_failed(DialId dial, LinkFailure failure, const std::string& text) = 0;
    // A connection from `address` ("host:port") ended before it was a link. At most once for each
    // remote host, cause and minute; a wrong key only when that host has not come with a right one
    // within doubt_timeout.
    virtual void on_incoming_refused(const std::string& address, LinkFailure failure,
                                     const std::string& text) = 0;
    virtual void on_engine_bytes(LinkId link, Bytes bytes) = 0;   // one EngineMessage
    virtual void on_host_bytes(LinkId link, Bytes bytes) = 0;     // one HostMessage
    virtual void on_transfer_bytes(LinkId link, Bytes bytes) = 0; // as sent by send_transfer()
    virtual void on_block_bytes(LinkId link, Bytes bytes) = 0;    // as sent by send_block()
    // The block lane has room again, after send_block() answered `queued_full`.
    virtual void on_writable(LinkId link) = 0;
    // Peer's clock minus ours, filtered; after each pong.
    virtual void on_time_measured(LinkId link, core::Duration offset,
                                  core::Duration round_trip) = 0;
    virtual void on_link_alive(LinkId link) = 0; // answer to probe()
    // After a try to open what could not be listened on: one sentence for each that failed again.
    virtual void on_listen_tried(const std::vector<std::string>& problems) { (void)problems; }
};

enum class LinkSend : std::uint8_t {
    queued,
    queued_full, // taken, but send no more blocks before on_writable()
    refused,     // block lane full, nothing taken
    no_link,     // down already, or never was
};

struct LinkTraffic {
    std::uint64_t received_bytes = 0; // inside TLS
    std::uint64_t sent_bytes = 0;
};

class Links {
public:
    // `context`, `identity` and `observer` must outlive the object. Throws std::runtime_error when
    // TLS cannot be set up.
    Links(boost::asio::io_context& context, LinksConfig config, const StationIdentity& identity,
          std::shared_ptr<const KeyRing> keys, LinkObserver& observer);
    ~Links(); // stop()
    Links(const Links&) = delete;
    Links& operator=(const Links&) = delete;

    // Opens every listener; one sentence with cause and remedy for each that failed. Those are
    // tried again every 10 seconds (an address may come later), the others work at once.
    [[nodiscard]] std::vector<std::string> start();
    // Closes everything without further callbacks. The ports are free when it returns.
    void stop();
    // Addresses that are listened on now, with real port numbers.
    [[nodiscard]] std::vector<HostPort> listening() const;

    // Answered by exactly one on_link_up or on_dial_failed. `address`: "host:port".
    void dial(DialId dial, std::string_view address);
    // Tells the peer why, then closes; on_link_down follows. Ignored for a link that is down.
    void close(LinkId link, std::string_view reason);
    // Answered by on_link_alive, or on_link_down after probe_timeout.
    void probe(LinkId link);

    // One EngineMessage, HostMessage or transfer message. More than control_bytes_max waiting ends
    // the link (`slow`); an oversized one is a defect of the caller and throws std::length_error.
    LinkSend send_engine(LinkId link, Bytes bytes);
    LinkSend send_host(LinkId link, Bytes bytes);
    LinkSend send_transfer(LinkId link, Bytes bytes);
    // At most block_bytes_max of frames.hpp.
    LinkSend send_block(LinkId link, Bytes bytes);

    // Keys that are accepted from now on; links that use another one are closed.
    void set_keys(std::shared_ptr<const KeyRing> keys);
    // What links made from now on are told.
    void set_profile(std::string station_name, std::vector<std::string> addresses);
    [[nodiscard]] LinkTraffic traffic(LinkId link) const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace stationsync::host
