#pragma once

#include <cstdint>
#include <string>

namespace stationsync::host {

constexpr std::uint16_t link_port_default = 8883;
constexpr std::uint16_t api_port_default = 8884;

// A numeric IPv4 or IPv6 address (without brackets) and a TCP port. As a listener, port 0 means any
// free one.
struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
    auto operator<=>(const Endpoint&) const = default;
};

std::string to_text(const Endpoint& endpoint); // "127.0.0.1:8883", "[::1]:8883"
bool is_loopback(const Endpoint& endpoint);    // 127.0.0.0/8 or ::1
bool is_wildcard(const Endpoint& endpoint);    // 0.0.0.0 or ::

} // namespace stationsync::host
