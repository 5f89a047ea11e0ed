#include "address.hpp"

#include <algorithm>
#include <charconv>

namespace stationsync::discovery_static {

namespace {

constexpr std::size_t host_bytes_max = 253; // RFC 1035 with the final dot left out

bool is_digit(char byte) noexcept {
    return byte >= '0' && byte <= '9';
}
bool is_letter(char byte) noexcept {
    return byte >= 'a' && byte <= 'z';
}

char lowered(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

bool is_name(std::string_view host) noexcept {
    const auto is_allowed = [](char byte) {
        return is_letter(byte) || is_digit(byte) || byte == '-' || byte == '.' || byte == '_';
    };
    return !host.empty() && host.size() <= host_bytes_max && host.front() != '.' &&
           host.find("..") == std::string_view::npos &&
           std::all_of(host.begin(), host.end(), is_allowed);
}

// Enough to tell it from a typing error; the resolver judges the rest.
bool is_ipv6(std::string_view host) noexcept {
    const std::size_t zone = host.find('%');
    const std::string_view digits = host.substr(0, zone);
    const auto is_allowed = [](char byte) {
        return is_digit(byte) || (byte >= 'a' && byte <= 'f') || byte == ':' || byte == '.';
    };
    return std::count(digits.begin(), digits.end(), ':') >= 2 && host.size() <= host_bytes_max &&
           std::all_of(digits.begin(), digits.end(), is_allowed) &&
           (zone == std::string_view::npos || zone + 1 < host.size());
}

} // namespace

std::string to_text(const Address& address) {
    const bool is_bracketed = address.host.find(':') != std::string::npos;
    std::string text = is_bracketed ? '[' + address.host + ']' : address.host;
    if (address.port != 0)
        text += ':' + std::to_string(address.port);
    return text;
}

std::variant<Address, std::string> parse_address(std::string_view text) {
    text = trimmed(text);
    Address address;
    std::string_view port;
    bool has_port = false;
    if (text.empty())
        return "the address is empty: write a name or an IP address";
    if (text.front() == '[') {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos)
            return "the bracket is not closed: write [address]:port";
        address.host = text.substr(1, end - 1);
        const std::string_view rest = text.substr(end + 1);
        has_port = !rest.empty();
        if (has_port && rest.front() != ':')
            return "what follows the bracket is no port: write [address]:port";
        if (has_port)
            port = rest.substr(1);
    } else {
        const std::size_t colon = text.find(':');
        has_port = colon != std::string_view::npos;
        if (has_port && text.find(':', colon + 1) != std::string_view::npos)
            return "an IPv6 address stands in brackets: write [address] or [address]:port";
        address.host = text.substr(0, colon);
        if (has_port)
            port = text.substr(colon + 1);
    }
    std::transform(address.host.begin(), address.host.end(), address.host.begin(), lowered);
    if (text.front() == '[' ? !is_ipv6(address.host) : !is_name(address.host))
        return "the part before the port is neither a host name nor an IP address";
    if (has_port) {
        const auto [end, failure] =
            std::from_chars(port.data(), port.data() + port.size(), address.port);
        if (failure != std::errc{} || end != port.data() + port.size() || address.port == 0)
            return "the port is no number from 1 to 65535";
    }
    return address;
}

} // namespace stationsync::discovery_static
