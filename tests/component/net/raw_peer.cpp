#include "raw_peer.hpp"

#include "base/byte_stream.hpp"
#include "net/address.hpp"
#include "net/tls_psk.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <openssl/x509.h>

namespace stationsync::host {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using Stream = ssl::stream<tcp::socket>;

tcp::endpoint endpoint_of(const std::string& address) {
    const HostPort target = *parse_host_port(address, 1);
    return {asio::ip::make_address(target.host), target.port};
}

void use_own_certificate(ssl::context& context) {
    EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    X509* certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, nullptr);
    SSL_CTX_use_certificate(context.native_handle(), certificate);
    SSL_CTX_use_PrivateKey(context.native_handle(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

} // namespace

struct RawPeer::State {
    asio::io_context context;
    TlsPsk tls;
    PskSide side;
    tcp::socket socket{context};
    std::optional<Stream> stream;
    bool secured = false;
};

RawPeer::RawPeer(const std::string& address) : state_(std::make_unique<State>()) {
    error_code ignored;
    state_->socket.connect(endpoint_of(address), ignored);
}
RawPeer::~RawPeer() = default;

bool RawPeer::handshake(const ProjectKey& key) {
    state_->side.offered = key;
    state_->stream.emplace(std::move(state_->socket),
                           state_->tls.make(LinkRole::dialler, state_->side));
    error_code error;
    state_->stream->handshake(ssl::stream_base::client, error);
    state_->secured = !error;
    return state_->secured;
}

bool RawPeer::handshake_without_key(bool tls12_only) {
    ssl::context context(ssl::context::tls_client);
    if (tls12_only) {
        SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_2_VERSION);
    }
    state_->stream.emplace(std::move(state_->socket), context);
    error_code error;
    state_->stream->handshake(ssl::stream_base::client, error);
    if (!error) { // a refusal of the server may come after our own end of the handshake
        std::byte byte{};
        state_->stream->read_some(asio::buffer(&byte, 1), error);
    }
    return !error;
}

void RawPeer::write(std::span<const std::byte> bytes) {
    error_code ignored;
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    if (state_->secured) {
        asio::write(*state_->stream, buffer, ignored);
    } else {
        asio::write(state_->socket, buffer, ignored);
    }
}

void RawPeer::write_header(std::uint32_t length, std::uint8_t type) {
    ByteWriter out;
    out.u32(length);
    out.u8(type);
    write(out.take());
}

void RawPeer::write_frame(FrameType type, std::span<const std::byte> payload) {
    write_header(static_cast<std::uint32_t>(payload.size()), static_cast<std::uint8_t>(type));
    write(payload);
}

Exporter RawPeer::exporter() const {
    return *export_secret(state_->stream->native_handle());
}

void RawPeer::introduce(const StationIdentity& identity, LinkRole role) {
    Hello hello;
    hello.public_key = identity.public_key();
    hello.station = identity.id();
    hello.run_id = 7;
    hello.name = "raw";
    const Bytes payload = encode(hello);
    write_frame(FrameType::hello, payload);
    write_frame(FrameType::proof, identity.sign(proof_message(role, exporter(), payload)));
}

Bytes RawPeer::read_to_end() {
    Bytes all;
    Bytes part(4096);
    error_code error;
    while (!error) {
        const std::size_t size = state_->secured
                                     ? state_->stream->read_some(asio::buffer(part), error)
                                     : state_->socket.read_some(asio::buffer(part), error);
        all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return all;
}

void RawPeer::close() {
    error_code ignored;
    if (state_->stream) {
        state_->stream->lowest_layer().close(ignored);
    } else {
        state_->socket.close(ignored);
    }
}

struct CertificateServer::State {
    asio::io_context context;
    tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    std::unique_ptr<Background> thread;
};

CertificateServer::CertificateServer() : state_(std::make_unique<State>()) {
    state_->thread = std::make_unique<Background>([state = state_.get()] {
        ssl::context context(ssl::context::tls_server);
        use_own_certificate(context);
        error_code error;
        tcp::socket socket = state->acceptor.accept(error);
        if (error) {
            return;
        }
        Stream stream(std::move(socket), context);
        stream.handshake(ssl::stream_base::server, error);
        std::byte byte{};
        stream.read_some(asio::buffer(&byte, 1), error); // until the other side has had enough
    });
}

CertificateServer::~CertificateServer() {
    error_code ignored; // shutdown wakes a blocking accept, close does not
    ::shutdown(state_->acceptor.native_handle(), SHUT_RDWR);
    state_->thread.reset();
    state_->acceptor.close(ignored);
}

std::string CertificateServer::address() const {
    return "127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
}

} // namespace stationsync::host
