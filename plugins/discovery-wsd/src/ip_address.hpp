// IPv4 and IPv6 addresses as plain values; no resolver, no system call.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stationsync::discovery_wsd {

enum class Family : std::uint8_t { v4, v6 };

struct IpAddress {
    Family family = Family::v4;
    std::array<std::uint8_t, 16> bytes{}; // of IPv4 the first four, the rest zero

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

    [[nodiscard]] bool is_unspecified() const noexcept;
    [[nodiscard]] bool is_loopback() const noexcept;
    [[nodiscard]] bool is_multicast() const noexcept; // also the limited broadcast of IPv4
    [[nodiscard]] bool is_link_local() const noexcept;
};

// A network as it is on a link: the address of an interface with the length of its prefix.
struct Prefix {
    IpAddress address;
    std::uint8_t bits = 0;

    friend auto operator<=>(const Prefix&, const Prefix&) = default;

    [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
    // The address of all hosts of an IPv4 network with at least two bits for hosts.
    [[nodiscard]] bool is_broadcast(const IpAddress& other) const noexcept;
};

// Dotted decimal without leading zeros, or IPv6 without zone and without an embedded IPv4 address.
std::optional<IpAddress> parse_ip(std::string_view text);
std::string to_text(const IpAddress& address); // IPv6 as RFC 5952 has it
// "10.0.0.0/8"; nothing when it is none.
std::optional<Prefix> parse_prefix(std::string_view text);

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;

    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};
// "1.2.3.4:8883", "[fe80::1]:8883", with the zone "[fe80::1%2]:8883" when it is not 0.
std::string to_text(const Endpoint& endpoint, std::uint32_t zone = 0);
// The same without a zone; nothing when a part is missing.
std::optional<Endpoint> parse_endpoint(std::string_view text);

// The groups of WS-Discovery: 239.255.255.250 and ff02::c.
const IpAddress& group_of(Family family);
inline constexpr std::uint16_t discovery_port = 3702;

} // namespace stationsync::discovery_wsd
