// A peer that does as it likes, blocking, on a thread of its own: TLS with the right key or
// without, then any bytes.
#pragma once

#include "net/frames.hpp"
#include "net/hello.hpp"
#include "net/project_key.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace stationsync::host {

// Runs on its own thread; joined at the end of the scope.
class Background {
public:
    explicit Background(std::function<void()> work) : thread_(std::move(work)) {}
    ~Background() { thread_.join(); }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

private:
    std::thread thread_;
};

class RawPeer {
public:
    explicit RawPeer(const std::string& address); // plain TCP, connected
    ~RawPeer();

    // TLS 1.3 with the key; false when the handshake failed.
    bool handshake(const ProjectKey& key);
    // TLS without any key.
    bool handshake_without_key(bool tls12_only);

    void write(std::span<const std::byte> bytes); // in TLS after a handshake; errors are ignored
    void write_frame(FrameType type, std::span<const std::byte> payload);
    void write_header(std::uint32_t length, std::uint8_t type);
    // Hello and proof as a station of this identity sends them.
    void introduce(const StationIdentity& identity, LinkRole role = LinkRole::dialler);
    [[nodiscard]] Exporter exporter() const;
    // Everything until the other side closes.
    Bytes read_to_end();
    void close();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A TLS server with a self-signed certificate, as any other program on the port.
class CertificateServer {
public:
    CertificateServer();
    ~CertificateServer();
    [[nodiscard]] std::string address() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace stationsync::host
