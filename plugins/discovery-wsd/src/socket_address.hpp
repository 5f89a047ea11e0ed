// Addresses as the system's sockets want them. The same on all systems apart from the headers,
// which come first: <netinet/in.h> and <sys/socket.h>, or <winsock2.h> and <ws2tcpip.h>.
#pragma once

#include "ip_address.hpp"

#include <cstring>

namespace stationsync::discovery_wsd {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

// zone: of a link-local address, the index of its interface.
inline SocketAddress socket_address(const Endpoint& endpoint, std::uint32_t zone) {
    SocketAddress result;
    if (endpoint.address.family == Family::v4) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        std::memcpy(&address.sin_addr, endpoint.address.bytes.data(), 4);
        std::memcpy(&result.storage, &address, sizeof address);
        result.size = sizeof address;
    } else {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(endpoint.port);
        address.sin6_scope_id = zone;
        std::memcpy(&address.sin6_addr, endpoint.address.bytes.data(), 16);
        std::memcpy(&result.storage, &address, sizeof address);
        result.size = sizeof address;
    }
    return result;
}

inline Endpoint endpoint_of(const sockaddr_storage& storage) {
    Endpoint endpoint;
    if (storage.ss_family == AF_INET) {
        sockaddr_in address{};
        std::memcpy(&address, &storage, sizeof address);
        std::memcpy(endpoint.address.bytes.data(), &address.sin_addr, 4);
        endpoint.port = ntohs(address.sin_port);
    } else {
        sockaddr_in6 address{};
        std::memcpy(&address, &storage, sizeof address);
        endpoint.address.family = Family::v6;
        std::memcpy(endpoint.address.bytes.data(), &address.sin6_addr, 16);
        endpoint.port = ntohs(address.sin6_port);
    }
    return endpoint;
}

} // namespace stationsync::discovery_wsd
