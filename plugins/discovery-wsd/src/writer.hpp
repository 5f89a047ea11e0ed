// Messages as bytes. The prefixes are those that literal-minded readers look for.
#pragma once

#include "message.hpp"
#include "scope.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace stationsync::discovery_wsd {

// Above this a message may travel in two pieces, of which either can be lost.
inline constexpr std::size_t datagram_bytes_max = 1400;

// Of us, as it is written into Hello and the matches.
struct OwnTarget {
    std::string endpoint;
    std::vector<std::string> scopes;
    std::string address; // "tcp://…"
    std::uint32_t metadata_version = 0;
};

struct Header {
    Version version = Version::draft_2005;
    std::string_view message_id;
    std::string_view relates_to = {};
    AppSequence sequence = {};
};

std::string write_hello(const Header& header, const OwnTarget& self);
std::string write_bye(const Header& header, std::string_view endpoint);
// ProbeMatches or ResolveMatches with us as the only match.
std::string write_matches(Kind kind, const Header& header, const OwnTarget& self);
// Asks for stations; an empty scope asks for those of any project.
std::string write_probe(const Header& header, std::string_view scope);
std::string write_resolve(const Header& header, std::string_view endpoint);

std::string xml_escaped(std::string_view text);

} // namespace stationsync::discovery_wsd
