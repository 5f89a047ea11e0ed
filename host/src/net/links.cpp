#include "net/links.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/connection.hpp"
#include "net/dial_attempt.hpp"
#include "net/link_text.hpp"
#include "net/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <unordered_map>

namespace stationsync::host {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr core::Duration listen_retry = std::chrono::seconds(10);
// A tick that comes later than this means that the process did not run (sleep, debugger).
constexpr core::Duration late_min = std::chrono::seconds(1);
constexpr std::size_t doubted_max = 256;

core::Instant instant_now() {
    return {monotonic_now_us()};
}

std::string text_of(const tcp::endpoint& endpoint) {
    return to_text(HostPort{endpoint.address().to_string(), endpoint.port()});
}

} // namespace

struct Links::Impl final : ConnectionOwner,
                           Listener::Owner,
                           DialAttempt::Owner,
                           std::enable_shared_from_this<Links::Impl> {
    using ConnectionPtr = std::shared_ptr<Connection>;

    Impl(asio::io_context& io, LinksConfig given, const StationIdentity& identity,
         std::shared_ptr<const KeyRing> ring, LinkObserver& events);

    void stop();
    void dial(DialId id, std::string_view address);
    LinkSend send(LinkId id, FrameType type, Bytes bytes);
    void set_keys(std::shared_ptr<const KeyRing> ring);
    void set_profile(std::string name, std::vector<std::string> addresses);
    [[nodiscard]] Connection* find(LinkId id) const;

    void on_ready(const ConnectionPtr& connection) override;
    void on_frame(Connection& connection, FrameType type, Bytes payload) override;
    void on_time(Connection& connection, TimeSample sample) override;
    void on_alive(Connection& connection) override;
    void on_room(Connection& connection) override;
    void on_ended(const ConnectionPtr& connection, LinkFailure failure,
                  const std::string& text) override;
    void on_gone(const ConnectionPtr& connection) override;

    void on_accepted(tcp::socket socket, const tcp::endpoint& remote) override;
    void on_flooded(const tcp::endpoint& remote) override;

    void on_connected(const std::shared_ptr<DialAttempt>& attempt, tcp::socket socket) override;
    void on_attempt_failed(const std::shared_ptr<DialAttempt>& attempt, LinkFailure failure,
                           const std::string& text) override;

    void schedule_tick();
    void tick();
    void make_room_for_handshake(const std::string& host);
    [[nodiscard]] bool refuse(const ConnectionPtr& connection);
    void refused(const std::string& host, const std::string& address, LinkFailure failure,
                 const std::string& text);
    void report(const std::string& host, const std::string& address, LinkFailure failure,
                const std::string& text);
    void report_doubted(core::Instant now);
    [[nodiscard]] std::optional<ProjectKey> accepted_key(std::string_view identity) const;

    struct Doubted { // a wrong key that a later link of the same host would explain
        std::string host;
        std::string address;
        std::string text;
        core::Instant due;
    };

    asio::io_context& context;
    LinksConfig config;
    std::shared_ptr<const LinkSetup> setup;
    std::shared_ptr<const KeyRing> keys;
    LinkObserver* observer; // null: stopped
    Listener listener;
    asio::steady_timer timer;
    std::set<ConnectionPtr> connections; // all that have a socket
    std::unordered_map<LinkId, ConnectionPtr> links;
    std::unordered_map<DialId, std::shared_ptr<DialAttempt>> attempts;
    ResolveCache resolved;
    log::MinuteLimiter reports;
    std::vector<Doubted> doubted;
    std::uint64_t last_link = 0;
    core::Instant last_tick;
    core::Instant next_listen;
};

Links::Impl::Impl(asio::io_context& io, LinksConfig given, const StationIdentity& identity,
                  std::shared_ptr<const KeyRing> ring, LinkObserver& events)
    : context(io),
      config(std::move(given)),
      keys(std::move(ring)),
      observer(&events),
      listener(io, config.limits),
      timer(io) {
    auto made = std::make_shared<LinkSetup>();
    made->limits = config.limits;
    made->wall_now =
        config.wall_now ? config.wall_now : [] { return core::WallTime{wall_now_us()}; };
    made->identity = &identity;
    made->project = config.project;
    made->hello.public_key = identity.public_key();
    made->hello.station = identity.id();
    made->hello.run_id = config.run_id;
    made->hello.protocol_major = config.protocol_major;
    made->hello.protocol_minor = config.protocol_minor;
    made->hello.name = config.station_name;
    made->hello.addresses = config.addresses;
    setup = std::move(made);
}

void Links::Impl::stop() {
    if (observer == nullptr) {
        return;
    }
    observer = nullptr;
    listener.close();
    timer.cancel();
    for (const auto& [id, attempt] : attempts) {
        attempt->cancel();
    }
    for (const ConnectionPtr& connection : connections) {
        connection->detach();
    }
    attempts.clear();
    connections.clear();
    links.clear();
}

Connection* Links::Impl::find(LinkId id) const {
    const auto found = links.find(id);
    return found == links.end() || found->second->is_ended() ? nullptr : found->second.get();
}

std::optional<ProjectKey> Links::Impl::accepted_key(std::string_view identity) const {
    return keys->find(identity, setup->wall_now());
}

// ---- dialling ----

void Links::Impl::dial(DialId id, std::string_view address) {
    DialAttempt::Options options;
    options.dial = id;
    options.address = address;
    options.keys = keys->accepted(setup->wall_now());
    options.limits = config.limits;
    for (const HostPort& port : listener.listening()) {
        error_code ignored;
        options.sources.push_back(asio::ip::make_address(port.host, ignored));
    }
    auto attempt = std::make_shared<DialAttempt>(context, std::move(options), *this, resolved);
    if (attempts.emplace(id, attempt).second) {
        attempt->start();
    }
}

void Links::Impl::on_connected(const std::shared_ptr<DialAttempt>& attempt, tcp::socket socket) {
    Connection::Options options;
    options.setup = setup;
    options.role = LinkRole::dialler;
    options.offered = attempt->key();
    options.address = attempt->address();
    auto connection = Connection::start(std::move(socket), std::move(options), *this);
    connection->dial = attempt->dial();
    connections.insert(std::move(connection));
}

void Links::Impl::on_attempt_failed(const std::shared_ptr<DialAttempt>& attempt,
                                    LinkFailure failure, const std::string& text) {
    attempts.erase(attempt->dial());
    observer->on_dial_failed(attempt->dial(), failure, text);
}

// ---- listening ----

void Links::Impl::make_room_for_handshake(const std::string& host) {
    std::size_t all = 0;
    std::size_t of_host = 0;
    Connection* oldest = nullptr;
    Connection* oldest_of_host = nullptr;
    const auto older = [](Connection* known, Connection& other) {
        return known == nullptr || other.started_at() < known->started_at() ? &other : known;
    };
    for (const ConnectionPtr& connection : connections) {
        if (connection->is_link || connection->is_ended() ||
            connection->role() == LinkRole::dialler) {
            continue;
        }
        ++all;
        oldest = older(oldest, *connection);
        if (connection->remote_host == host) {
            ++of_host;
            oldest_of_host = older(oldest_of_host, *connection);
        }
    }
    // The oldest gives way: an honest handshake takes milliseconds, one that only holds the place
    // is the oldest sooner or later.
    Connection* victim = of_host >= config.limits.handshakes_per_address_max ? oldest_of_host
                         : all >= config.limits.handshakes_max               ? oldest
                                                                             : nullptr;
    if (victim != nullptr) {
        victim->end(LinkFailure::busy,
                    "Too many handshakes at once: the one of " + victim->address() +
                        " was dropped.",
                    false);
    }
}

void Links::Impl::on_accepted(tcp::socket socket, const tcp::endpoint& remote) {
    if (observer == nullptr) {
        return;
    }
    std::string host = remote.address().to_string();
    make_room_for_handshake(host);
    Connection::Options options;
    options.setup = setup;
    options.role = LinkRole::listener;
    // The connection is detached before this object goes.
    options.find_key = [this](std::string_view identity) { return accepted_key(identity); };
    options.address = text_of(remote);
    auto connection = Connection::start(std::move(socket), std::move(options), *this);
    connection->remote_host = std::move(host);
    connections.insert(std::move(connection));
}

void Links::Impl::on_flooded(const tcp::endpoint& remote) {
    if (observer != nullptr) {
        refused(remote.address().to_string(), text_of(remote), LinkFailure::busy,
                remote.address().to_string() +
                    " connects again and again: most of its connections are closed at once.");
    }
}

void Links::Impl::refused(const std::string& host, const std::string& address, LinkFailure failure,
                          const std::string& text) {
    if (failure == LinkFailure::is_self) { // our own dial() tells it
        return;
    }
    if (failure == LinkFailure::wrong_key) {
        // Perhaps a station that has heard of a rotation before us: it comes again at once with the
        // previous key, and nothing is to be told then.
        if (doubted.size() < doubted_max) {
            doubted.push_back({host, address, text, instant_now() + config.limits.doubt_timeout});
        }
        return;
    }
    report(host, address, failure, text);
}

void Links::Impl::report(const std::string& host, const std::string& address, LinkFailure failure,
                         const std::string& text) {
    const std::string cause = host + " " + std::string(to_text(failure));
    if (reports.admit(cause, std::chrono::steady_clock::now())) {
        observer->on_incoming_refused(address, failure, text);
    }
}

void Links::Impl::report_doubted(core::Instant now) {
    const auto first_due = std::partition(doubted.begin(), doubted.end(),
                                          [&](const Doubted& entry) { return now < entry.due; });
    const std::vector<Doubted> due(first_due, doubted.end());
    doubted.erase(first_due, doubted.end());
    for (const Doubted& entry : due) {
        if (observer != nullptr) {
            report(entry.host, entry.address, LinkFailure::wrong_key, entry.text);
        }
    }
}

// ---- links ----

bool Links::Impl::refuse(const ConnectionPtr& connection) {
    const Hello& peer = connection->peer();
    const std::string& at = connection->address();
    if (peer.station == setup->hello.station) {
        if (peer.run_id == setup->hello.run_id) {
            connection->end(LinkFailure::is_self, at + " is this station itself.", true);
        } else {
            connection->end(LinkFailure::clone,
                            at + " has the same identity as this station: one is a copy of the "
                                 "other's disk. Run stationsync station new-identity on the copy.",
                            true);
        }
        return true;
    }
    if (links.size() >= config.limits.links_max) {
        connection->end(LinkFailure::busy, "There are too many links already.", true);
        return true;
    }
    if (connection->role() == LinkRole::listener) {
        Connection* oldest = nullptr;
        std::size_t count = 0;
        for (const auto& [id, link] : links) {
            if (link->role() == LinkRole::listener && !link->is_ended() &&
                link->peer().station == peer.station) {
                ++count;
                oldest = oldest == nullptr || link->link < oldest->link ? link.get() : oldest;
            }
        }
        if (count >= config.limits.links_per_station_max) {
            oldest->end(LinkFailure::busy, "A newer connection of this station took the place.",
                        true);
        }
    }
    return false;
}

void Links::Impl::on_ready(const ConnectionPtr& connection) {
    if (refuse(connection)) {
        return;
    }
    connection->link = LinkId{++last_link};
    connection->is_link = true;
    links.emplace(connection->link, connection);
    const Hello& peer = connection->peer();
    LinkUpInfo info;
    info.link = connection->link;
    info.station = peer.station;
    info.run_id = peer.run_id;
    info.station_name = peer.name;
    info.protocol_major = peer.protocol_major;
    info.protocol_minor = peer.protocol_minor;
    info.dialled = connection->role() == LinkRole::dialler;
    info.dial = connection->dial;
    info.address = connection->address();
    info.peer_addresses = peer.addresses;
    if (const auto key = accepted_key(connection->key_identity())) {
        info.key_fingerprint = key->fingerprint();
        info.current_key = *key == keys->current();
    }
    if (info.dialled) {
        if (const auto attempt = attempts.extract(connection->dial)) {
            attempt.mapped()->cancel();
        }
    }
    std::erase_if(doubted,
                  [&](const Doubted& entry) { return entry.host == connection->remote_host; });
    observer->on_link_up(info);
}

void Links::Impl::on_frame(Connection& connection, FrameType type, Bytes payload) {
    switch (type) {
    case FrameType::engine:
        return observer->on_engine_bytes(connection.link, std::move(payload));
    case FrameType::host:
        return observer->on_host_bytes(connection.link, std::move(payload));
    case FrameType::transfer:
        return observer->on_transfer_bytes(connection.link, std::move(payload));
    case FrameType::block:
        return observer->on_block_bytes(connection.link, std::move(payload));
    default:
        return;
    }
}

void Links::Impl::on_time(Connection& connection, TimeSample sample) {
    observer->on_time_measured(connection.link, sample.offset, sample.round_trip);
}

void Links::Impl::on_alive(Connection& connection) {
    observer->on_link_alive(connection.link);
}

void Links::Impl::on_room(Connection& connection) {
    observer->on_writable(connection.link);
}

void Links::Impl::on_ended(const ConnectionPtr& connection, LinkFailure failure,
                           const std::string& text) {
    if (connection->is_link) {
        links.erase(connection->link);
        return observer->on_link_down(connection->link, failure, text);
    }
    if (connection->role() == LinkRole::dialler) {
        if (const auto found = attempts.find(connection->dial); found != attempts.end()) {
            const auto attempt = found->second; // may erase itself
            attempt->handshake_failed(failure, text);
        }
        return;
    }
    refused(connection->remote_host, connection->address(), failure, text);
}

void Links::Impl::on_gone(const ConnectionPtr& connection) {
    connections.erase(connection);
}

LinkSend Links::Impl::send(LinkId id, FrameType type, Bytes bytes) {
    if (bytes.size() > frame_bytes_max(static_cast<std::uint8_t>(type)).value_or(0)) {
        throw std::length_error("frame of " + std::to_string(bytes.size()) + " bytes for type " +
                                std::to_string(static_cast<unsigned>(type)));
    }
    Connection* connection = find(id);
    if (connection == nullptr) {
        return LinkSend::no_link;
    }
    if (type != FrameType::block) {
        connection->send_control(type, std::move(bytes));
        return connection->is_ended() ? LinkSend::no_link : LinkSend::queued;
    }
    if (!connection->send_block(std::move(bytes))) {
        return LinkSend::refused;
    }
    return connection->is_block_lane_full() ? LinkSend::queued_full : LinkSend::queued;
}

void Links::Impl::set_keys(std::shared_ptr<const KeyRing> ring) {
    keys = std::move(ring);
    for (const ConnectionPtr& connection : connections) {
        if (connection->is_link && !accepted_key(connection->key_identity())) {
            connection->end(LinkFailure::key_retired,
                            "The project key of this connection was retired.", true);
        }
    }
}

void Links::Impl::set_profile(std::string name, std::vector<std::string> addresses) {
    auto changed = std::make_shared<LinkSetup>();
    changed->limits = setup->limits;
    changed->wall_now = setup->wall_now;
    changed->identity = setup->identity;
    changed->project = setup->project;
    changed->hello = setup->hello;
    changed->hello.name = std::move(name);
    changed->hello.addresses = std::move(addresses);
    setup = std::move(changed);
}

// ---- time ----

void Links::Impl::schedule_tick() {
    timer.expires_after(config.limits.tick);
    timer.async_wait([self = shared_from_this()](const error_code& error) {
        if (!error && self->observer != nullptr) {
            self->tick();
            self->schedule_tick();
        }
    });
}

void Links::Impl::tick() {
    const core::Instant now = instant_now();
    const core::Duration late = now - last_tick - config.limits.tick;
    last_tick = now;
    const std::vector<ConnectionPtr> present(connections.begin(), connections.end());
    for (const ConnectionPtr& connection : present) {
        if (late >= late_min) {
            connection->shift_deadlines(late);
        }
        connection->tick(now);
    }
    report_doubted(now);
    if (observer == nullptr) { // stopped by one of the calls above
        return;
    }
    listener.resume(shared_from_this());
    if (now >= next_listen) {
        next_listen = now + listen_retry;
        observer->on_listen_tried(listener.open(config.listen, shared_from_this()));
    }
}

// ---- the plain front ----

Links::Links(asio::io_context& context, LinksConfig config, const StationIdentity& identity,
             std::shared_ptr<const KeyRing> keys, LinkObserver& observer)
    : impl_(std::make_shared<Impl>(context, std::move(config), identity, std::move(keys),
                                   observer)) {}

Links::~Links() {
    stop();
}

std::vector<std::string> Links::start() {
    impl_->last_tick = instant_now();
    impl_->next_listen = impl_->last_tick + listen_retry;
    impl_->schedule_tick();
    return impl_->listener.open(impl_->config.listen, impl_);
}

void Links::stop() {
    impl_->stop();
}

std::vector<HostPort> Links::listening() const {
    return impl_->listener.listening();
}

void Links::dial(DialId dial, std::string_view address) {
    impl_->dial(dial, address);
}

void Links::close(LinkId link, std::string_view reason) {
    if (Connection* connection = impl_->find(link)) {
        connection->end(LinkFailure::closed_here, std::string(reason), true);
    }
}

void Links::probe(LinkId link) {
    if (Connection* connection = impl_->find(link)) {
        connection->probe();
    }
}

LinkSend Links::send_engine(LinkId link, Bytes bytes) {
    return impl_->send(link, FrameType::engine, std::move(bytes));
}
LinkSend Links::send_host(LinkId link, Bytes bytes) {
    return impl_->send(link, FrameType::host, std::move(bytes));
}
LinkSend Links::send_transfer(LinkId link, Bytes bytes) {
    return impl_->send(link, FrameType::transfer, std::move(bytes));
}
LinkSend Links::send_block(LinkId link, Bytes bytes) {
    return impl_->send(link, FrameType::block, std::move(bytes));
}

void Links::set_keys(std::shared_ptr<const KeyRing> keys) {
    impl_->set_keys(std::move(keys));
}

void Links::set_profile(std::string station_name, std::vector<std::string> addresses) {
    impl_->set_profile(std::move(station_name), std::move(addresses));
}

LinkTraffic Links::traffic(LinkId link) const {
    const auto found = impl_->links.find(link);
    return found == impl_->links.end() ? LinkTraffic{} : found->second->traffic();
}

} // namespace stationsync::host
