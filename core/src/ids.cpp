#include "stationsync/core/ids.hpp"

#include <cstring>
#include <string_view>

namespace stationsync::core {

std::size_t IdHash::operator()(StationId const& id) const noexcept {
    // The bytes are a digest of a public key: any eight of them are spread evenly.
    std::uint64_t low = 0;
    std::memcpy(&low, id.bytes.data() + 8, sizeof low);
    return static_cast<std::size_t>(low);
}

std::size_t IdHash::operator()(ObjectId const& id) const noexcept {
    std::size_t const key = std::hash<std::string_view>{}(id.key);
    return key ^ (std::hash<std::string_view>{}(id.provider) + 0x9e3779b9u + (key << 6) + (key >> 2));
}

} // namespace stationsync::core
