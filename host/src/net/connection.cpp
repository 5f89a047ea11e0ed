#include "net/connection.hpp"

#include "base/clock.hpp"
#include "base/path_text.hpp"
#include "net/link_text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace stationsync::host {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t read_bytes = std::size_t{17} * 1024; // a little more than one TLS record
constexpr std::size_t write_bytes = std::size_t{64} * 1024;
constexpr int first_pings = 3; // quickly one after the other, for a good first time measurement

core::Instant instant_now() {
    return {monotonic_now_us()};
}

bool is_eof(const error_code& error) {
    return error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
           error == asio::error::connection_reset || error == asio::error::broken_pipe ||
           error == asio::error::connection_aborted;
}

class TlsConnection final : public Connection,
                            public FrameReader::Sink,
                            public std::enable_shared_from_this<TlsConnection> {
public:
    TlsConnection(asio::ip::tcp::socket socket, Options options, ConnectionOwner& owner)
        : Connection(options.role, std::move(options.address), instant_now()),
          setup_(std::move(options.setup)),
          owner_(&owner),
          side_{std::move(options.find_key), std::move(options.offered), {}},
          stream_(std::move(socket), setup_->tls.make(options.role, side_)),
          last_received_(started_at()) {}

    void handshake();

    void detach() override;
    void end(LinkFailure failure, std::string text, bool tell_peer) override;
    void tick(core::Instant now) override;
    void shift_deadlines(core::Duration by) override;
    void send_control(FrameType type, Bytes payload) override;
    [[nodiscard]] bool send_block(Bytes payload) override;
    [[nodiscard]] bool is_block_lane_full() const override {
        return queue_.block_bytes() >= setup_->limits.block_bytes_max;
    }
    void probe() override;

    [[nodiscard]] bool is_ended() const override { return ended_; }
    [[nodiscard]] const Hello& peer() const override { return peer_; }
    [[nodiscard]] const std::string& key_identity() const override { return side_.identity; }
    [[nodiscard]] LinkTraffic traffic() const override { return traffic_; }

private:
    enum class Stage { handshake, hello, proof, ready };

    void on_handshake(const error_code& error);
    void send_hello();
    void read();
    void on_read(const error_code& error, std::size_t size);
    void write();
    void on_written(const error_code& error, std::size_t size);
    bool on_frame(FrameType type, Bytes payload) override;
    void on_hello(Bytes payload);
    void on_proof(const Bytes& payload);
    void on_ready_frame(FrameType type, Bytes payload);
    void on_pong(const Bytes& payload);
    void broke_protocol(const std::string& what);
    void close_socket();
    void tick_ready(core::Instant now);

    std::shared_ptr<const LinkSetup> setup_;
    ConnectionOwner* owner_;
    PskSide side_; // before stream_: the SSL object points to it
    asio::ssl::stream<asio::ip::tcp::socket> stream_;

    Stage stage_ = Stage::handshake;
    bool ended_ = false;
    bool gone_ = false;
    bool writing_ = false;
    bool told_full_ = false;
    Exporter exporter_{};
    Bytes peer_hello_;
    Hello peer_;

    std::vector<std::byte> read_buffer_;
    std::vector<std::byte> write_buffer_;
    FrameReader reader_;
    OutQueue queue_;
    TimeFilter filter_;
    LinkTraffic traffic_;
    std::uint64_t key_from_ = 0; // sent_bytes when the present TLS key began

    core::Instant last_received_;
    core::Instant write_began_;
    core::Instant next_ping_;
    core::Instant close_deadline_;
    std::optional<core::Instant> probe_deadline_;
    int pings_left_ = first_pings;
};

void TlsConnection::handshake() {
    const auto type = role() == LinkRole::dialler ? asio::ssl::stream_base::client
                                                  : asio::ssl::stream_base::server;
    stream_.async_handshake(
        type, [self = shared_from_this()](const error_code& error) { self->on_handshake(error); });
}

void TlsConnection::on_handshake(const error_code& error) {
    if (ended_ || gone_) {
        return;
    }
    const bool dialled = role() == LinkRole::dialler;
    const auto fail = [&](LinkFailure failure, const std::string& reason) {
        end(failure, handshake_text(failure, dialled, address(), setup_->project, reason), false);
    };
    if (error) {
        if (error.category() == asio::error::get_ssl_category()) {
            switch (classify_tls_error(static_cast<unsigned long>(error.value()))) {
            case TlsFailure::wrong_key:
                return fail(LinkFailure::wrong_key, {});
            case TlsFailure::not_station:
                return fail(LinkFailure::not_station, error.message());
            case TlsFailure::other:
                return fail(LinkFailure::protocol, error.message());
            }
        }
        return fail(is_eof(error) ? LinkFailure::lost : LinkFailure::protocol, error.message());
    }
    if (!used_psk(stream_.native_handle())) {
        return fail(LinkFailure::not_station, "it did not use the project's key");
    }
    const auto exporter = export_secret(stream_.native_handle());
    if (!exporter) {
        return fail(LinkFailure::local, "TLS gives no exporter");
    }
    exporter_ = *exporter;
    stage_ = Stage::hello;
    last_received_ = instant_now();
    send_hello();
    read();
}

void TlsConnection::send_hello() {
    Bytes hello = encode(setup_->hello);
    Signature signature{};
    try {
        signature = setup_->identity->sign(proof_message(role(), exporter_, hello));
    } catch (const std::exception& error) {
        return end(LinkFailure::local, error.what(), false);
    }
    queue_.push_control(FrameType::hello, std::move(hello));
    queue_.push_control(FrameType::proof, Bytes(signature.begin(), signature.end()));
    write();
}

void TlsConnection::detach() {
    owner_ = nullptr;
    ended_ = true;
    close_socket();
}

void TlsConnection::end(LinkFailure failure, std::string text, bool tell_peer) {
    if (ended_) {
        return;
    }
    ended_ = true;
    auto report = [self = shared_from_this(), failure, reason = text] {
        if (self->owner_ != nullptr) {
            self->owner_->on_ended(self, failure, reason);
        }
    };
    asio::post(stream_.get_executor(), std::move(report));
    if (!tell_peer || stage_ == Stage::handshake) {
        return close_socket();
    }
    close_deadline_ = instant_now() + setup_->limits.close_timeout;
    queue_.drop_blocks();
    const std::string_view reason = utf8_prefix(text, bye_bytes_max);
    const auto bytes = std::as_bytes(std::span(reason));
    queue_.push_control(FrameType::bye, Bytes(bytes.begin(), bytes.end()));
    write();
}

void TlsConnection::close_socket() {
    if (gone_) {
        return;
    }
    gone_ = true;
    error_code ignored;
    stream_.lowest_layer().close(ignored);
    auto report = [self = shared_from_this()] {
        if (self->owner_ != nullptr) {
            self->owner_->on_gone(self);
        }
    };
    asio::post(stream_.get_executor(), std::move(report));
}

void TlsConnection::broke_protocol(const std::string& what) {
    end(LinkFailure::protocol, "The connection with " + address() + " was closed: " + what + ".",
        false);
}

void TlsConnection::read() {
    if (gone_) {
        return;
    }
    read_buffer_.resize(read_bytes);
    stream_.async_read_some(asio::buffer(read_buffer_),
                            [self = shared_from_this()](const error_code& error, std::size_t size) {
                                self->on_read(error, size);
                            });
}

void TlsConnection::on_read(const error_code& error, std::size_t size) {
    if (gone_) {
        return;
    }
    if (error) {
        if (ended_) { // the peer has read why, or is gone
            return close_socket();
        }
        if (stage_ != Stage::ready) {
            return end(LinkFailure::lost,
                       handshake_text(LinkFailure::lost, role() == LinkRole::dialler, address(),
                                      setup_->project, {}),
                       false);
        }
        const std::string why =
            is_eof(error) ? "the other side is gone or the network failed" : error.message();
        return end(LinkFailure::lost, "The connection with " + address() + " broke: " + why + ".",
                   false);
    }
    last_received_ = instant_now();
    traffic_.received_bytes += size;
    if (!ended_) {
        const auto problem = reader_.feed(std::span(read_buffer_).first(size), *this);
        if (problem && !ended_) {
            return broke_protocol(*problem);
        }
    }
    read(); // also when ended: until the peer has closed, so that it gets our reason
}

bool TlsConnection::on_frame(FrameType type, Bytes payload) {
    switch (stage_) {
    case Stage::handshake:
        break;
    case Stage::hello:
        if (type == FrameType::hello) {
            on_hello(std::move(payload));
        } else {
            broke_protocol("its first message is no hello");
        }
        break;
    case Stage::proof:
        if (type == FrameType::proof) {
            on_proof(payload);
        } else {
            broke_protocol("it sent data before the proof of its identity");
        }
        break;
    case Stage::ready:
        on_ready_frame(type, std::move(payload));
        break;
    }
    return !ended_;
}

void TlsConnection::on_hello(Bytes payload) {
    auto hello = decode_hello(payload);
    if (!hello) {
        return broke_protocol(hello.error().text);
    }
    peer_ = std::move(*hello);
    peer_hello_ = std::move(payload);
    stage_ = Stage::proof;
}

void TlsConnection::on_proof(const Bytes& payload) {
    Signature signature{};
    const LinkRole their_role =
        role() == LinkRole::dialler ? LinkRole::listener : LinkRole::dialler;
    if (payload.size() != signature.size()) {
        return broke_protocol("its proof of identity has a wrong size");
    }
    std::copy(payload.begin(), payload.end(), signature.begin());
    if (!verify_signature(peer_.public_key, proof_message(their_role, exporter_, peer_hello_),
                          signature)) {
        return broke_protocol(
            "it does not hold the private key of the station that it claims to be");
    }
    peer_hello_ = {};
    stage_ = Stage::ready;
    next_ping_ = instant_now() + setup_->limits.ping_interval;
    if (owner_ != nullptr) {
        owner_->on_ready(shared_from_this());
    }
    if (!ended_) {
        --pings_left_;
        queue_.request_ping();
        write();
    }
}

void TlsConnection::on_ready_frame(FrameType type, Bytes payload) {
    switch (type) {
    case FrameType::hello:
    case FrameType::proof:
        return broke_protocol("it sent its hello twice");
    case FrameType::ping: {
        const auto ping = decode_ping(payload);
        if (!ping) {
            return broke_protocol("its ping has a wrong size");
        }
        queue_.answer(*ping, setup_->wall_now());
        return write();
    }
    case FrameType::pong:
        return on_pong(payload);
    case FrameType::bye: {
        const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
        return end(LinkFailure::closed_by_peer,
                   peer_.name + " closed the connection: " + clean_peer_text(text), false);
    }
    case FrameType::engine:
    case FrameType::host:
    case FrameType::transfer:
    case FrameType::block:
        if (owner_ != nullptr) {
            owner_->on_frame(*this, type, std::move(payload));
        }
        return;
    }
}

void TlsConnection::on_pong(const Bytes& payload) {
    const auto pong = decode_pong(payload);
    if (!pong) {
        return broke_protocol("its pong has a wrong size");
    }
    const auto sample = filter_.received(*pong, setup_->wall_now(), instant_now());
    if (probe_deadline_ && owner_ != nullptr) {
        probe_deadline_.reset();
        owner_->on_alive(*this);
    }
    if (sample && owner_ != nullptr && !ended_) {
        owner_->on_time(*this, *sample);
    }
    if (pings_left_ > 0 && !ended_) {
        --pings_left_;
        queue_.request_ping();
        write();
    }
}

void TlsConnection::write() {
    if (writing_ || gone_ || stage_ == Stage::handshake) {
        return;
    }
    if (traffic_.sent_bytes - key_from_ >= setup_->limits.key_bytes_max) {
        key_from_ = traffic_.sent_bytes;
        renew_keys(stream_.native_handle());
    }
    write_buffer_.resize(write_bytes);
    const core::Instant now = instant_now();
    const std::size_t size = queue_.fill(write_buffer_, {setup_->wall_now(), now}, filter_);
    if (size == 0) {
        write_buffer_ = {}; // links are idle nearly always
        if (ended_) {       // the reason is sent; the peer closes
            error_code ignored;
            stream_.lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        }
        return;
    }
    writing_ = true;
    write_began_ = now;
    asio::async_write(stream_, asio::buffer(write_buffer_.data(), size),
                      [self = shared_from_this()](const error_code& error, std::size_t sent) {
                          self->on_written(error, sent);
                      });
}

void TlsConnection::on_written(const error_code& error, std::size_t size) {
    writing_ = false;
    if (gone_) {
        return;
    }
    traffic_.sent_bytes += size;
    if (error) {
        if (ended_) {
            return close_socket();
        }
        // What the peer said last (a bye) may still wait to be read: reading reports the end.
        return;
    }
    if (told_full_ && queue_.block_bytes() <= setup_->limits.block_bytes_max / 2 && !ended_) {
        told_full_ = false;
        if (owner_ != nullptr) {
            owner_->on_room(*this);
        }
    }
    write();
}

void TlsConnection::send_control(FrameType type, Bytes payload) {
    if (ended_) {
        return;
    }
    queue_.push_control(type, std::move(payload));
    if (queue_.control_bytes() > setup_->limits.control_bytes_max) {
        return end(LinkFailure::slow,
                   peer_.name + " at " + address() + " does not take what is sent to it: " +
                       std::to_string(queue_.control_bytes() >> 20) +
                       " MiB were waiting; check that computer and the network.",
                   false);
    }
    write();
}

bool TlsConnection::send_block(Bytes payload) {
    if (is_block_lane_full()) {
        told_full_ = true;
        return false;
    }
    queue_.push_block(std::move(payload));
    write();
    told_full_ = told_full_ || is_block_lane_full();
    return true;
}

void TlsConnection::probe() {
    if (ended_) {
        return;
    }
    probe_deadline_ = instant_now() + setup_->limits.probe_timeout;
    queue_.request_ping();
    write();
}

void TlsConnection::shift_deadlines(core::Duration by) {
    last_received_ = last_received_ + by;
    write_began_ = write_began_ + by;
    if (probe_deadline_) {
        *probe_deadline_ = *probe_deadline_ + by;
    }
}

void TlsConnection::tick(core::Instant now) {
    if (gone_) {
        return;
    }
    if (ended_) {
        if (now >= close_deadline_) {
            close_socket();
        }
        return;
    }
    if (stage_ != Stage::ready) {
        if (now - started_at() >= setup_->limits.handshake_timeout) {
            end(LinkFailure::timeout,
                handshake_text(LinkFailure::timeout, role() == LinkRole::dialler, address(),
                               setup_->project, {}),
                false);
        }
        return;
    }
    tick_ready(now);
}

void TlsConnection::tick_ready(core::Instant now) {
    const LinkLimits& limits = setup_->limits;
    const auto seconds = [](core::Duration duration) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
    };
    if (now - last_received_ >= limits.idle_timeout) {
        return end(LinkFailure::idle,
                   "Nothing was heard from " + peer_.name + " at " + address() + " for " +
                       seconds(limits.idle_timeout) +
                       " s: the computer is off or the network is interrupted.",
                   false);
    }
    if (probe_deadline_ && now >= *probe_deadline_) {
        return end(LinkFailure::idle,
                   peer_.name + " at " + address() + " did not answer within " +
                       seconds(limits.probe_timeout) + " s.",
                   false);
    }
    if (writing_ && now - write_began_ >= limits.slow_timeout) {
        return end(LinkFailure::slow,
                   peer_.name + " at " + address() + " took no data for " +
                       seconds(limits.slow_timeout) + " s: check that computer and the network.",
                   false);
    }
    if (now >= next_ping_) {
        next_ping_ = now + limits.ping_interval;
        queue_.request_ping();
        write();
    }
}

} // namespace

std::shared_ptr<Connection> Connection::start(asio::ip::tcp::socket socket, Options options,
                                              ConnectionOwner& owner) {
    error_code ignored; // only a delay when it fails
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    auto connection = std::make_shared<TlsConnection>(std::move(socket), std::move(options), owner);
    connection->handshake();
    return connection;
}

} // namespace stationsync::host
