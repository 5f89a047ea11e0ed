// "host:port" as people, configurations and peers write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stationsync::host {

struct HostPort {
    std::string host; // name or numeric address, IPv6 without brackets
    std::uint16_t port = 0;
    bool operator==(const HostPort&) const = default;
};

inline constexpr std::size_t address_bytes_max = 262; // a DNS name of 253 bytes, brackets, port

// "host", "host:port", "1.2.3.4:port", "[v6]:port", "[v6]" or a bare IPv6 address. Without a port
// `port_default` is taken; 0 is no port. Nothing when it is none of these, is longer than
// address_bytes_max or contains a character that no address has.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text,
                                                      std::uint16_t port_default);
// "host:port", "[v6]:port".
[[nodiscard]] std::string to_text(const HostPort& address);

} // namespace stationsync::host
