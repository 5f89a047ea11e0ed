// Addresses as people write them: "host", "host:port", "[fe80::1%2]:8883".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace stationsync::discovery_static {

struct Address {
    std::string host;       // without brackets, letters of a name in lower case
    std::uint16_t port = 0; // 0 = the default port

    friend bool operator==(const Address&, const Address&) = default;
};

// As it is given to the host.
std::string to_text(const Address& address);

// Or one phrase that says what is wrong and what would be right.
std::variant<Address, std::string> parse_address(std::string_view text);

} // namespace stationsync::discovery_static
