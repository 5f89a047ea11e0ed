#pragma once
// How durations, sizes, addresses and names are written in configuration files and on the command
// line.

#include "config/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// "500ms", "90s", "3m", "1h30m", "30d": whole numbers with units from large to small, at most 10
// years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::milliseconds duration); // "1h30m", "0s"

// "1500", "64kB", "20GB", "1.5 TB" (powers of 1000), "4KiB", "1GiB" (powers of 1024); below 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes); // "1.5 GB": at most three digits, rounded to nearest

// "ADDR", "ADDR:PORT", "[V6]:PORT", "V6", "*" and "*:PORT" (every IPv4 address); numeric addresses
// only.
std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t port_default);
// The same for links: other stations dial the port, so 0 (any free one) is none.
std::optional<Endpoint> parse_listen(std::string_view text, std::uint16_t port_default);
// What would be right instead of a text that parse_listen refuses.
std::string_view listen_form(std::string_view refused);
// What parse_endpoint accepts, for messages.
constexpr std::string_view endpoint_form = "a numeric address with an optional port, such as "
                                           "\"192.168.1.5\", \"0.0.0.0:8883\" or \"[::1]:8883\"";

bool is_provider_name(std::string_view name); // [a-z0-9-]{1,32}
bool is_secret_name(std::string_view name);   // [A-Za-z0-9_-]{1,64}

// The candidate that a typing error most likely meant; nothing when none is near.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);
// " Did you mean X?" or, without a near one, " Known are: a, b, c." (empty without candidates).
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

} // namespace stationsync::host
