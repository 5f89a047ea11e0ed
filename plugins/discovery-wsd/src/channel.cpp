#include "channel.hpp"

#include <algorithm>
#include <string_view>

namespace stationsync::discovery_wsd {

namespace {

bool fits_name(std::string_view pattern, std::string_view name) {
    if (!pattern.empty() && pattern.back() == '*')
        return name.substr(0, pattern.size() - 1) == pattern.substr(0, pattern.size() - 1);
    return name == pattern;
}

bool fits(const std::string& pattern, const Interface& interface) {
    const auto network = parse_prefix(pattern);
    if (!network)
        return fits_name(pattern, interface.name);
    return std::any_of(
        interface.addresses.begin(), interface.addresses.end(),
        [&](const InterfaceAddress& each) { return network->contains(each.network.address); });
}

bool fits_any(const std::vector<std::string>& patterns, const Interface& interface) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& each) { return fits(each, interface); });
}

bool is_wanted(const Interface& interface, const InterfaceRules& rules) {
    if (!interface.is_up || fits_any(rules.exclude, interface))
        return false;
    // Multicast on the loopback interface is good for trials only: its very name must be written.
    if (interface.is_loopback)
        return std::find(rules.include.begin(), rules.include.end(), interface.name) !=
               rules.include.end();
    if (interface.is_point_to_point || !interface.has_multicast)
        return false;
    if (!rules.include.empty())
        return fits_any(rules.include, interface);
    // The inner side of containers and virtual machines: nobody to be found there.
    static const std::vector<std::string> inner{"docker*", "veth*", "br-*", "virbr*"};
    return !fits_any(inner, interface);
}

Channel channel_of(const Interface& interface, Family family) {
    Channel channel{interface.index, interface.name, family, {}};
    std::vector<InterfaceAddress> addresses;
    for (const InterfaceAddress& each : interface.addresses)
        if (each.is_ready && each.network.address.family == family)
            addresses.push_back(each);
    // Link-local first for IPv6: it is there as long as the link is.
    const auto rank = [](const InterfaceAddress& each) {
        const bool is_v6 = each.network.address.family == Family::v6;
        const bool is_local = each.network.address.is_link_local();
        return (is_v6 == is_local ? 0 : 2) + (each.is_preferred ? 0 : 1);
    };
    std::stable_sort(addresses.begin(), addresses.end(),
                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    for (const InterfaceAddress& each : addresses)
        channel.networks.push_back(each.network);
    return channel;
}

} // namespace

bool Channel::is_on_link(const IpAddress& source) const noexcept {
    if (source.family != family)
        return false;
    if (family == Family::v6 && source.is_link_local())
        return true;
    return std::any_of(networks.begin(), networks.end(), [&](const Prefix& each) {
        return each.contains(source) && !each.is_broadcast(source);
    });
}

bool Channel::is_own(const IpAddress& source) const noexcept {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Prefix& each) { return each.address == source; });
}

std::vector<Channel> channels_of(const std::vector<Interface>& interfaces,
                                 const InterfaceRules& rules) {
    std::vector<Channel> channels;
    for (const Interface& interface : interfaces) {
        if (!is_wanted(interface, rules))
            continue;
        for (const Family family : {Family::v4, Family::v6}) {
            if (!(family == Family::v4 ? rules.use_v4 : rules.use_v6))
                continue;
            Channel channel = channel_of(interface, family);
            if (!channel.networks.empty())
                channels.push_back(std::move(channel));
        }
    }
    std::sort(channels.begin(), channels.end(),
              [](const Channel& a, const Channel& b) { return a.id() < b.id(); });
    if (channels.size() > channels_max)
        channels.resize(channels_max);
    return channels;
}

bool is_pattern(const std::string& text) {
    if (text.empty() || text.find_first_of(" \t\r\n") != std::string::npos)
        return false;
    return text.find('/') == std::string::npos || parse_prefix(text).has_value();
}

} // namespace stationsync::discovery_wsd
