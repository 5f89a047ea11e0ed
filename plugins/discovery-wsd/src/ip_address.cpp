#include "ip_address.hpp"

#include <algorithm>
#include <charconv>

namespace stationsync::discovery_wsd {

namespace {

std::optional<unsigned> parse_number(std::string_view text, int base, unsigned highest) {
    unsigned value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || failure != std::errc{} || stopped != end || value > highest)
        return std::nullopt;
    return value;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
    IpAddress address;
    for (std::size_t part = 0; part < 4; ++part) {
        const std::size_t dot = text.find('.');
        if ((dot == std::string_view::npos) != (part == 3))
            return std::nullopt;
        const std::string_view digits = text.substr(0, dot);
        if (digits.size() > 1 && digits.front() == '0')
            return std::nullopt;
        const auto value = parse_number(digits, 10, 255);
        if (!value)
            return std::nullopt;
        address.bytes[part] = static_cast<std::uint8_t>(*value);
        text.remove_prefix(part == 3 ? text.size() : dot + 1);
    }
    return address;
}

// The groups of one side of "::", in order; nothing when one of them is none.
std::optional<std::size_t> parse_groups(std::string_view text, std::array<unsigned, 8>& groups) {
    std::size_t count = 0;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const std::string_view digits = text.substr(0, colon);
        const auto value = parse_number(digits, 16, 0xffff);
        if (count == groups.size() || digits.size() > 4 || !value)
            return std::nullopt;
        groups[count++] = *value;
        if (colon == std::string_view::npos)
            return count;
        text.remove_prefix(colon + 1);
        if (text.empty())
            return std::nullopt; // ends in a colon
    }
    return count;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    std::array<unsigned, 8> head{};
    std::array<unsigned, 8> tail{};
    const std::size_t gap = text.find("::");
    const auto head_count = parse_groups(text.substr(0, gap), head);
    std::optional<std::size_t> tail_count = 0;
    if (gap != std::string_view::npos)
        tail_count = parse_groups(text.substr(gap + 2), tail);
    if (!head_count || !tail_count)
        return std::nullopt;
    const std::size_t given = *head_count + *tail_count;
    if (gap == std::string_view::npos ? given != 8 : given > 7)
        return std::nullopt;
    std::copy_n(tail.begin(), *tail_count, head.end() - static_cast<std::ptrdiff_t>(*tail_count));
    IpAddress address;
    address.family = Family::v6;
    for (std::size_t i = 0; i < head.size(); ++i) {
        address.bytes[2 * i] = static_cast<std::uint8_t>(head[i] >> 8);
        address.bytes[2 * i + 1] = static_cast<std::uint8_t>(head[i] & 0xff);
    }
    return address;
}

std::string v6_text(const IpAddress& address) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < groups.size(); ++i)
        groups[i] = address.bytes[2 * i] * 256U + address.bytes[2 * i + 1];
    // The first of the longest runs of at least two zeros is left out.
    std::size_t best = 0;
    std::size_t best_count = 1;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        std::size_t count = 0;
        while (i + count < groups.size() && groups[i + count] == 0)
            ++count;
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (best_count > 1 && i == best) {
            text += "::";
            i += best_count - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':')
            text += ':';
        std::array<char, 4> digits{};
        const auto done =
            std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16);
        text.append(digits.data(), done.ptr);
    }
    return text;
}

} // namespace

bool IpAddress::is_unspecified() const noexcept {
    if (family == Family::v4)
        return bytes[0] == 0; // 0.0.0.0/8 is "this network"
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const noexcept {
    if (family == Family::v4)
        return bytes[0] == 127;
    return bytes[15] == 1 &&
           std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const noexcept {
    if (family == Family::v6)
        return bytes[0] == 0xff;
    return (bytes[0] >= 224 && bytes[0] < 240) ||
           std::all_of(bytes.begin(), bytes.begin() + 4,
                       [](std::uint8_t byte) { return byte == 255; });
}

bool IpAddress::is_link_local() const noexcept {
    if (family == Family::v4)
        return bytes[0] == 169 && bytes[1] == 254;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool Prefix::contains(const IpAddress& other) const noexcept {
    if (other.family != address.family)
        return false;
    for (std::size_t bit = 0; bit < bits; bit += 8) {
        const auto left = static_cast<unsigned>(bits - bit);
        const unsigned mask = left >= 8 ? 0xffU : (0xff00U >> left) & 0xffU;
        if (((address.bytes[bit / 8] ^ other.bytes[bit / 8]) & mask) != 0)
            return false;
    }
    return true;
}

bool Prefix::is_broadcast(const IpAddress& other) const noexcept {
    if (address.family != Family::v4 || bits > 30 || !contains(other))
        return false;
    for (std::size_t bit = bits; bit < 32; ++bit)
        if ((other.bytes[bit / 8] & (0x80U >> (bit % 8))) == 0)
            return false;
    return true;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
    return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

std::string to_text(const IpAddress& address) {
    if (address.family == Family::v6)
        return v6_text(address);
    std::string text;
    for (std::size_t i = 0; i < 4; ++i)
        text += (i == 0 ? "" : ".") + std::to_string(address.bytes[i]);
    return text;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = parse_ip(text.substr(0, slash));
    if (slash == std::string_view::npos || !address)
        return std::nullopt;
    const auto bits =
        parse_number(text.substr(slash + 1), 10, address->family == Family::v4 ? 32 : 128);
    if (!bits)
        return std::nullopt;
    return Prefix{*address, static_cast<std::uint8_t>(*bits)};
}

std::string to_text(const Endpoint& endpoint, std::uint32_t zone) {
    std::string host = to_text(endpoint.address);
    if (zone != 0)
        host += '%' + std::to_string(zone);
    if (endpoint.address.family == Family::v6)
        host = '[' + host + ']';
    return host + ':' + std::to_string(endpoint.port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
        return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const bool is_bracketed = host.front() == '[';
    if (is_bracketed) {
        if (host.size() < 2 || host.back() != ']')
            return std::nullopt;
        host = host.substr(1, host.size() - 2);
    }
    const auto address = parse_ip(host);
    const auto port = parse_number(text.substr(colon + 1), 10, 65535);
    if (!address || !port || *port == 0 || is_bracketed != (address->family == Family::v6))
        return std::nullopt;
    return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

const IpAddress& group_of(Family family) {
    static const IpAddress v4 = *parse_ip("239.255.255.250");
    static const IpAddress v6 = *parse_ip("ff02::c");
    return family == Family::v4 ? v4 : v6;
}

} // namespace stationsync::discovery_wsd
