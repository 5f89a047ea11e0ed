// The description beside a package (FILE.rev): from it and the package alone the history is found
// again. The package file itself stays exactly what the provider wrote, so that an engineer can use
// it.
//
// Format, numbers in network byte order:
//   8 bytes "STSYREV1", 32 SHA-256 of the package, 8 its size, 8 its modification time (100 ns
//   since 1970), 1 + n provider, 4 + n key, 4 + n revision (as the host encodes it, empty before
//   the seal), 4 + n note (of the history: why the state was kept), 8 first bytes of SHA-256 of all
//   before.
#pragma once

#include "stationsync/core/revision.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace stationsync::host {

struct PackageDescription {
    core::PackageInfo package;
    core::ObjectId object;
    std::string revision; // opaque bytes
    std::string note;     // opaque bytes
    bool operator==(const PackageDescription&) const = default;
};

inline constexpr std::size_t description_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t key_bytes_max = 4096;
inline constexpr std::size_t revision_bytes_max = std::size_t{512} << 10;
inline constexpr std::size_t note_bytes_max = std::size_t{64} << 10;

[[nodiscard]] std::vector<std::byte> encode(const PackageDescription& description);
// The error is a sentence: what is wrong with the bytes.
[[nodiscard]] boost::system::result<PackageDescription, std::string>
decode_description(std::span<const std::byte> bytes);

} // namespace stationsync::host
