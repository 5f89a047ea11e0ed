// One message of WS-Discovery as a flat value, and the names of its two versions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::discovery_wsd {

enum class Version : std::uint8_t { draft_2005, oasis_2009 };
inline constexpr std::array<Version, 2> all_versions{Version::draft_2005, Version::oasis_2009};

struct VersionNames {
    std::string_view discovery;  // namespace `wsd`
    std::string_view addressing; // namespace `wsa`
    std::string_view multicast;  // `To` of what goes to the group
    std::string_view anonymous;  // `To` of what goes to one station
    std::string_view scope_rule; // the default one
};
const VersionNames& names_of(Version version) noexcept;
std::string_view to_text(Version version) noexcept; // "2005/04", "2009/01"

inline constexpr std::string_view soap_namespace = "http://www.w3.org/2003/05/soap-envelope";
// Of our Types. The number at the end is that of the form of the scopes.
inline constexpr std::string_view station_namespace = "urn:stationsync:discovery:1";
inline constexpr std::string_view station_type = "Station";

enum class Kind : std::uint8_t { hello, bye, probe, probe_matches, resolve, resolve_matches };
std::string_view to_text(Kind kind) noexcept; // "Hello", …; the local name of element and action

struct QName {
    std::string space; // namespace; empty = none
    std::string local;

    friend bool operator==(const QName&, const QName&) = default;
};

// Order of what one sender says; MessageNumber grows within one InstanceId.
struct AppSequence {
    std::uint32_t instance_id = 0;
    std::uint32_t message_number = 0;

    friend auto operator<=>(const AppSequence&, const AppSequence&) = default;
};

// What a Hello, Bye, Resolve, ProbeMatch or ResolveMatch says of one target; of a Probe the types
// and scopes that are asked for.
struct Target {
    std::string endpoint; // of its reference, "urn:uuid:…"
    std::vector<QName> types;
    std::vector<std::string> scopes;
    std::string match_by; // of a Probe; empty = the default rule
    std::vector<std::string> addresses;
    std::uint32_t metadata_version = 0;
};

struct Message {
    Version version = Version::draft_2005;
    Kind kind = Kind::hello;
    std::string message_id;
    std::string relates_to; // empty = none
    std::optional<AppSequence> sequence;
    std::vector<Target> targets; // exactly one, but for the matches: 0 to 16
};

} // namespace stationsync::discovery_wsd
