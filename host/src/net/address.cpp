#include "net/address.hpp"

#include "base/path_text.hpp"

#include <algorithm>
#include <charconv>

namespace stationsync::host {
namespace {

bool is_host_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    // Bytes of UTF-8 pass: the resolver decides about names that are not ASCII.
    return byte > 0x7f || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '.' || byte == '-' || byte == '_';
}

bool is_v6_character(char c) {
    // '%' and what follows is the zone of a link-local address.
    return is_host_character(c) || c == ':' || c == '%';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (text.empty() || error != std::errc{} || stop != end || port == 0) {
        return std::nullopt;
    }
    return port;
}

std::optional<HostPort> with_port(std::string_view host, std::optional<std::string_view> port_text,
                                  std::uint16_t port_default) {
    if (!port_text) {
        return HostPort{std::string(host), port_default};
    }
    const auto port = parse_port(*port_text);
    if (!port) {
        return std::nullopt;
    }
    return HostPort{std::string(host), *port};
}

} // namespace

std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default) {
    if (text.empty() || text.size() > address_bytes_max || !is_valid_utf8(text)) {
        return std::nullopt;
    }
    if (text.front() == '[') {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        const auto host = text.substr(1, close - 1);
        const auto rest = text.substr(close + 1);
        const bool is_v6 = host.find(':') != std::string_view::npos &&
                           std::all_of(host.begin(), host.end(), is_v6_character);
        if (!is_v6 || (!rest.empty() && rest.front() != ':')) {
            return std::nullopt;
        }
        return with_port(host, rest.empty() ? std::nullopt : std::optional(rest.substr(1)),
                         port_default);
    }
    const auto colons = std::count(text.begin(), text.end(), ':');
    if (colons > 1) {
        if (!std::all_of(text.begin(), text.end(), is_v6_character)) {
            return std::nullopt;
        }
        return HostPort{std::string(text), port_default};
    }
    const auto colon = text.find(':');
    const auto host = text.substr(0, colon);
    if (host.empty() || !std::all_of(host.begin(), host.end(), is_host_character)) {
        return std::nullopt;
    }
    return with_port(host,
                     colon == std::string_view::npos ? std::nullopt
                                                     : std::optional(text.substr(colon + 1)),
                     port_default);
}

std::string to_text(const HostPort& address) {
    const bool is_v6 = address.host.find(':') != std::string::npos;
    return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

} // namespace stationsync::host
