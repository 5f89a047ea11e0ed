#include "config/endpoint.hpp"

#include "config/units.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace stationsync::host {
namespace {

std::optional<std::array<unsigned, 4>> parse_v4(std::string_view text) {
    std::array<unsigned, 4> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto dot = text.find('.');
        const auto part = i == 3 ? text : text.substr(0, dot);
        if (part.empty() || part.size() > 3 || (i < 3 && dot == std::string_view::npos)) {
            return std::nullopt;
        }
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), parts[i]);
        if (error != std::errc{} || end != part.data() + part.size() || parts[i] > 255) {
            return std::nullopt;
        }
        text.remove_prefix(i == 3 ? part.size() : dot + 1);
    }
    return parts;
}

// Counts the 16-bit groups of one side of "::"; nothing when one is malformed.
std::optional<unsigned> count_groups(std::string_view text, bool may_end_in_v4) {
    unsigned groups = 0;
    while (!text.empty()) {
        const auto colon = text.find(':');
        const auto group = text.substr(0, colon);
        const auto last = colon == std::string_view::npos;
        if (last && may_end_in_v4 && group.find('.') != std::string_view::npos) {
            return parse_v4(group) ? std::optional(groups + 2) : std::nullopt;
        }
        if (group.empty() || group.size() > 4 ||
            group.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
            return std::nullopt;
        }
        ++groups;
        text.remove_prefix(last ? group.size() : colon + 1);
        if (!last && text.empty()) {
            return std::nullopt;
        }
    }
    return groups;
}

bool is_v6(std::string_view text) {
    // A zone ("fe80::1%eth0") belongs to link-local addresses.
    if (const auto zone = text.find('%'); zone != std::string_view::npos) {
        if (zone + 1 == text.size()) {
            return false;
        }
        text = text.substr(0, zone);
    }
    const auto gap = text.find("::");
    if (gap == std::string_view::npos) {
        return count_groups(text, true) == 8U;
    }
    const auto left = count_groups(text.substr(0, gap), false);
    const auto right = count_groups(text.substr(gap + 2), true);
    return left && right && *left + *right <= 7;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return port;
}

} // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t port_default) {
    Endpoint endpoint{.address = {}, .port = port_default};
    auto address = text;
    auto port = std::string_view{};
    auto has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        address = text.substr(1, close - 1);
        const auto rest = text.substr(close + 1);
        has_port = !rest.empty();
        if (has_port && rest.front() != ':') {
            return std::nullopt;
        }
        port = has_port ? rest.substr(1) : rest;
        if (!is_v6(address)) {
            return std::nullopt;
        }
    } else if (!is_v6(address)) {
        if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
            address = text.substr(0, colon);
            port = text.substr(colon + 1);
            has_port = true;
        }
        if (address == "*") {
            address = "0.0.0.0";
        }
        if (!parse_v4(address)) {
            return std::nullopt;
        }
    }
    if (has_port) {
        const auto number = parse_port(port);
        if (!number) {
            return std::nullopt;
        }
        endpoint.port = *number;
    }
    endpoint.address = address;
    return endpoint;
}

std::optional<Endpoint> parse_listen(std::string_view text, std::uint16_t port_default) {
    auto endpoint = parse_endpoint(text, port_default);
    return endpoint && endpoint->port != 0 ? endpoint : std::nullopt;
}

std::string_view listen_form(std::string_view refused) {
    return parse_endpoint(refused, 0) ? "an address with a port from 1 to 65535, because the other "
                                        "stations must know which port to dial"
                                      : endpoint_form;
}

std::string to_text(const Endpoint& endpoint) {
    const auto v6 = endpoint.address.find(':') != std::string::npos;
    return (v6 ? "[" + endpoint.address + "]" : endpoint.address) + ":" +
           std::to_string(endpoint.port);
}

bool is_loopback(const Endpoint& endpoint) {
    if (const auto v4 = parse_v4(endpoint.address)) {
        return (*v4)[0] == 127;
    }
    return endpoint.address == "::1";
}

bool is_wildcard(const Endpoint& endpoint) {
    return endpoint.address == "0.0.0.0" || endpoint.address == "::";
}

} // namespace stationsync::host
