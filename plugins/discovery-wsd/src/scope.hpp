// Scopes: how a station describes itself in them, and how they are compared.
#pragma once

#include "message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::discovery_wsd {

// So that every message fits one datagram whatever stands in it.
inline constexpr std::size_t name_bytes_max = 48;

// UTF-8 as one segment of a URI.
std::string percent_encoded(std::string_view text);
// Nothing when it is broken, or holds control characters or invalid UTF-8 once it is decoded.
std::optional<std::string> percent_decoded(std::string_view text);

// What a station tells of itself.
struct StationRecord {
    std::string station_id; // UUID text in lower case
    std::string project;
    std::string name;
    std::string protocol; // version, "1"
    std::string product;  // version; empty = not told

    friend bool operator==(const StationRecord&, const StationRecord&) = default;
};

std::string project_scope(std::string_view project);
std::vector<std::string> scopes_of(const StationRecord& record);
// Of a target that claims to be a station: nothing when its reference is no UUID, a mandatory scope
// is missing, stands twice, or is unusable.
std::optional<StationRecord> record_of(const Target& target);
// "urn:uuid:…" to the UUID in lower case; nothing when it is none.
std::optional<std::string> uuid_of(std::string_view endpoint);
std::string endpoint_of(std::string_view station_id);

bool is_station(const Target& target);

// True when a Probe asks for us: each of its types is among ours, and each of its scopes matches
// one of ours by its rule.
bool is_asked_for(const Target& probe, const std::vector<std::string>& own_scopes);
// One scope under rule rfc3986 or rfc2396.
bool is_scope_prefix(std::string_view asked, std::string_view own);

} // namespace stationsync::discovery_wsd
