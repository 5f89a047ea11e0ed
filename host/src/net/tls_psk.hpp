// TLS 1.3 with an external pre-shared key and (EC)DHE: who does not hold a key of the project gets
// no further than the handshake. Plain OpenSSL; the engine thread.
#pragma once

#include "net/hello.hpp"
#include "net/project_key.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace stationsync::host {

// What the callbacks of one connection need and leave behind. Must outlive the SSL object.
struct PskSide {
    // Listener: the key that belongs to an identity, if it is accepted now.
    std::function<std::optional<ProjectKey>(std::string_view identity)> find;
    // Dialler: the key to offer.
    std::optional<ProjectKey> offered;
    // Identity of the key in use, once the handshake is complete.
    std::string identity;
};

// Settings shared by all connections of one Links object.
class TlsPsk {
public:
    TlsPsk(); // throws std::runtime_error when OpenSSL lacks something
    ~TlsPsk();
    TlsPsk(const TlsPsk&) = delete;
    TlsPsk& operator=(const TlsPsk&) = delete;

    // A new SSL object, owned by the caller. Throws std::bad_alloc.
    [[nodiscard]] ssl_st* make(LinkRole role, PskSide& side) const;

private:
    struct Free {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    using Context = std::unique_ptr<ssl_ctx_st, Free>;
    [[nodiscard]] static Context make_context(LinkRole role);

    Context dialler_;
    Context listener_;
};

// After the handshake: true only when the pre-shared key was really used. Without this check a
// handshake with a certificate would do.
[[nodiscard]] bool used_psk(ssl_st* ssl);
// Nothing when OpenSSL fails.
[[nodiscard]] std::optional<Exporter> export_secret(ssl_st* ssl);

// The next write begins with fresh keys: AES-GCM must not encrypt too much under one key, and
// OpenSSL does not change it by itself.
void renew_keys(ssl_st* ssl);

// What a failed handshake means.
enum class TlsFailure {
    wrong_key,   // the other side does not hold the key
    not_station, // it does not speak our TLS at all: another program
    other,
};
// `code` is the value of an error of Asio's SSL category.
[[nodiscard]] TlsFailure classify_tls_error(unsigned long code);

} // namespace stationsync::host
