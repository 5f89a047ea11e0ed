#include "service/own_protocol.hpp"

#ifdef STATIONSYNC_FAULT_POINTS
#include <charconv>
#include <cstdlib>
#include <string_view>
#endif

namespace stationsync::host {

core::ProtocolVersion own_protocol() {
    core::ProtocolVersion version;
#ifdef STATIONSYNC_FAULT_POINTS
    if (const char* const given = std::getenv("STATIONSYNC_TEST_PROTOCOL"); given != nullptr) {
        const std::string_view text(given);
        const char* const end = text.data() + text.size();
        const auto major = std::from_chars(text.data(), end, version.major);
        if (major.ptr != end && *major.ptr == '.')
            std::from_chars(major.ptr + 1, end, version.minor);
    }
#endif
    return version;
}

} // namespace stationsync::host
