#include "net/tls_psk.hpp"

#include "base/random.hpp"
#include "net/openssl_handles.hpp"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <new>
#include <stdexcept>

namespace stationsync::host {
namespace {

// One cipher suite only: with suites of two hashes the pre-shared key can be ignored silently.
constexpr const char* cipher_suite = "TLS_AES_256_GCM_SHA384";
constexpr unsigned char cipher_suite_bytes[] = {0x13, 0x02};
constexpr std::size_t identity_bytes_max = 128;
constexpr unsigned char session_context[] = "stationsync";

// Not SSL_set_app_data: Asio keeps its own object there and deletes it.
int side_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

PskSide* side_of(SSL* ssl) {
    return static_cast<PskSide*>(SSL_get_ex_data(ssl, side_index()));
}

// A "session" that carries the key as the pre-shared secret.
SSL_SESSION* make_session(SSL* ssl, std::span<const std::byte> secret) {
    const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, cipher_suite_bytes);
    SSL_SESSION* session = SSL_SESSION_new();
    if (session == nullptr || cipher == nullptr ||
        SSL_SESSION_set1_master_key(session, reinterpret_cast<const unsigned char*>(secret.data()),
                                    secret.size()) != 1 ||
        SSL_SESSION_set_cipher(session, cipher) != 1 ||
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
        SSL_SESSION_free(session);
        return nullptr;
    }
    return session;
}

SSL_SESSION* session_of_key(SSL* ssl, const ProjectKey& key) {
    auto secret = key.tls_secret();
    SSL_SESSION* session = make_session(ssl, secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    return session;
}

// C callbacks: no exception may pass.
int find_session(SSL* ssl, const unsigned char* identity, std::size_t size,
                 SSL_SESSION** session) noexcept {
    *session = nullptr;
    try {
        PskSide* side = side_of(ssl);
        std::optional<ProjectKey> key;
        std::string name;
        if (side != nullptr && size <= identity_bytes_max) {
            name.assign(reinterpret_cast<const char*>(identity), size);
            key = side->find(name);
        }
        if (key) {
            side->identity = name;
            *session = session_of_key(ssl, *key);
        } else {
            // A random secret fails exactly as a wrong key does: nobody learns which keys exist.
            std::array<std::byte, 32> nobody{};
            fill_random(nobody);
            *session = make_session(ssl, nobody);
        }
        return *session != nullptr ? 1 : 0;
    } catch (...) {
        return 0;
    }
}

int use_session(SSL* ssl, const EVP_MD* digest, const unsigned char** identity, std::size_t* size,
                SSL_SESSION** session) noexcept {
    *session = nullptr;
    *identity = nullptr;
    *size = 0;
    try {
        PskSide* side = side_of(ssl);
        if (side == nullptr || !side->offered) {
            return 0;
        }
        // Compared by type: the pointers differ after a HelloRetryRequest.
        if (digest != nullptr && EVP_MD_get_type(digest) != NID_sha384) {
            return 1; // no key for another hash
        }
        *session = session_of_key(ssl, *side->offered);
        if (*session == nullptr) {
            return 0;
        }
        side->identity = side->offered->identity();
        *identity = reinterpret_cast<const unsigned char*>(side->identity.data());
        *size = side->identity.size();
        return 1;
    } catch (...) {
        return 0;
    }
}

} // namespace

void TlsPsk::Free::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

TlsPsk::Context TlsPsk::make_context(LinkRole role) {
    const bool dials = role == LinkRole::dialler;
    Context context(SSL_CTX_new(dials ? TLS_client_method() : TLS_server_method()));
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context.get(), cipher_suite) != 1) {
        throw std::runtime_error("OpenSSL offers no TLS 1.3: " + openssl_error_text());
    }
    // No tickets and no session cache: every link proves the key anew.
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context.get(),
                        SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // Frees the record buffers of idle links.
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    if (dials) {
        // With no authority loaded, a server that answers with a certificate instead of the key
        // fails. A client must not set a session id context.
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
        SSL_CTX_set_psk_use_session_callback(context.get(), use_session);
    } else {
        if (SSL_CTX_set_num_tickets(context.get(), 0) != 1 ||
            SSL_CTX_set_session_id_context(context.get(), session_context,
                                           sizeof session_context - 1) != 1) {
            throw std::runtime_error("cannot configure TLS: " + openssl_error_text());
        }
        SSL_CTX_set_psk_find_session_callback(context.get(), find_session);
    }
    return context;
}

TlsPsk::TlsPsk()
    : dialler_(make_context(LinkRole::dialler)), listener_(make_context(LinkRole::listener)) {}

TlsPsk::~TlsPsk() = default;

ssl_st* TlsPsk::make(LinkRole role, PskSide& side) const {
    SSL* ssl = SSL_new(role == LinkRole::dialler ? dialler_.get() : listener_.get());
    if (ssl == nullptr) {
        throw std::bad_alloc();
    }
    if (SSL_set_ex_data(ssl, side_index(), &side) != 1) {
        SSL_free(ssl);
        throw std::bad_alloc();
    }
    return ssl;
}

bool used_psk(ssl_st* ssl) {
    return SSL_session_reused(ssl) == 1;
}

std::optional<Exporter> export_secret(ssl_st* ssl) {
    Exporter secret{};
    if (SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(secret.data()),
                                   secret.size(), exporter_label,
                                   std::string_view(exporter_label).size(), nullptr, 0, 0) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    return secret;
}

void renew_keys(ssl_st* ssl) {
    if (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) {
        ERR_clear_error(); // asked for already
    }
}

TlsFailure classify_tls_error(unsigned long code) {
    switch (ERR_GET_REASON(code)) {
    case SSL_R_BINDER_DOES_NOT_VERIFY:        // listener: wrong or unknown key
    case SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER: // dialler: the listener's answer to that
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:     // the same from other TLS libraries
    case SSL_R_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY:
        return TlsFailure::wrong_key;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_CERTIFICATE_SET:
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_LENGTH_MISMATCH:
        return TlsFailure::not_station;
    default:
        return TlsFailure::other;
    }
}

} // namespace stationsync::host
