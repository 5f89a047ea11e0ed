#include "message.hpp"

namespace stationsync::discovery_wsd {

namespace {

constexpr VersionNames names_2005{
    "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "urn:schemas-xmlsoap-org:ws:2005:04:discovery",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous",
    "http://schemas.xmlsoap.org/ws/2005/04/discovery/rfc2396",
};
constexpr VersionNames names_2009{
    "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
    "http://www.w3.org/2005/08/addressing",
    "urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01",
    "http://www.w3.org/2005/08/addressing/anonymous",
    "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/rfc3986",
};

} // namespace

const VersionNames& names_of(Version version) noexcept {
    return version == Version::draft_2005 ? names_2005 : names_2009;
}

std::string_view to_text(Version version) noexcept {
    return version == Version::draft_2005 ? "2005/04" : "2009/01";
}

std::string_view to_text(Kind kind) noexcept {
    switch (kind) {
    case Kind::hello:
        return "Hello";
    case Kind::bye:
        return "Bye";
    case Kind::probe:
        return "Probe";
    case Kind::probe_matches:
        return "ProbeMatches";
    case Kind::resolve:
        return "Resolve";
    case Kind::resolve_matches:
        return "ResolveMatches";
    }
    return "";
}

} // namespace stationsync::discovery_wsd
