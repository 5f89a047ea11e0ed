#include "own_sequence.hpp"

#include "parse_number.hpp"

#include <algorithm>
#include <limits>

namespace stationsync::discovery_wsd {

namespace {

// Seconds since 1970 grow by themselves where nothing was stored. At the very end the number stays.
std::uint32_t greater_than(std::optional<std::uint32_t> before, std::int64_t utc_seconds) {
    constexpr std::int64_t highest = std::numeric_limits<std::uint32_t>::max();
    std::int64_t next = std::clamp<std::int64_t>(utc_seconds, 1, highest);
    if (before)
        next = std::max(next, std::min(std::int64_t{*before} + 1, highest));
    return static_cast<std::uint32_t>(next);
}

} // namespace

std::uint32_t next_instance_id(const std::optional<std::string>& stored, std::int64_t utc_seconds) {
    return greater_than(stored ? parse_u32(*stored) : std::nullopt, utc_seconds);
}

Metadata next_metadata(const std::optional<Metadata>& stored, std::string description,
                       std::int64_t utc_seconds) {
    if (stored && stored->description == description)
        return *stored;
    const auto before = stored ? std::optional(stored->version) : std::nullopt;
    return {greater_than(before, utc_seconds), std::move(description)};
}

std::string encode(const Metadata& metadata) {
    return std::to_string(metadata.version) + '\n' + metadata.description;
}

std::optional<Metadata> decode_metadata(std::string_view text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos)
        return std::nullopt;
    const auto version = parse_u32(text.substr(0, end));
    if (!version)
        return std::nullopt;
    return Metadata{*version, std::string(text.substr(end + 1))};
}

} // namespace stationsync::discovery_wsd
