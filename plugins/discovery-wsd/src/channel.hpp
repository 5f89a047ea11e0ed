// A channel: one interface with one family of addresses, as discovery sees it.
#pragma once

#include "ip_address.hpp"

#include <string>
#include <vector>

namespace stationsync::discovery_wsd {

using ChannelId = std::uint64_t;

struct Channel {
    std::uint32_t interface_index = 0;
    std::string interface_name;
    Family family = Family::v4;
    std::vector<Prefix> networks; // own addresses with their networks; never empty, best first

    friend bool operator==(const Channel&, const Channel&) = default;

    [[nodiscard]] ChannelId id() const noexcept {
        return ChannelId{interface_index} * 2 + (family == Family::v6 ? 1 : 0);
    }
    // True when the source can be on this link.
    [[nodiscard]] bool is_on_link(const IpAddress& source) const noexcept;
    [[nodiscard]] bool is_own(const IpAddress& source) const noexcept;
};

// A network interface as the system tells it.
struct InterfaceAddress {
    Prefix network;
    bool is_ready = true;     // no duplicate detection under way
    bool is_preferred = true; // neither secondary nor deprecated nor temporary

    friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};
struct Interface {
    std::uint32_t index = 0;
    std::string name;
    bool is_up = false;
    bool is_loopback = false;
    bool is_point_to_point = false;
    bool has_multicast = false;
    std::vector<InterfaceAddress> addresses;

    friend bool operator==(const Interface&, const Interface&) = default;
};

// Which of them are used. A pattern is a name, a name that ends in *, or a network ("10.0.0.0/8").
struct InterfaceRules {
    std::vector<std::string> include; // empty = all but virtual bridges and their ends
    std::vector<std::string> exclude;
    bool use_v4 = true;
    bool use_v6 = true;
};
inline constexpr std::size_t channels_max = 64;

// In the order of the index, at most channels_max.
std::vector<Channel> channels_of(const std::vector<Interface>& interfaces,
                                 const InterfaceRules& rules);
bool is_pattern(const std::string& text);

} // namespace stationsync::discovery_wsd
