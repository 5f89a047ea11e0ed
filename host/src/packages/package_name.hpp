// Names of package files: PROVIDER/READABLE~HASH/UTC-STATION-REVISION.EXT below a project's folder.
#pragma once

#include "base/clock.hpp"
#include "stationsync/core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// What names a package: for engineers who look into the folder, and unique per revision.
struct PackageName {
    core::ObjectId object;
    WallTime changed_at_us = 0; // of the revision; of the export as long as nothing is sealed
    core::StationId station;    // author of the revision
    std::uint64_t sequence = 0; // of the author; 0 while nothing is sealed
    std::string extension;      // with the dot (".bak"), or empty; unsafe ones become ".bin"
};

inline constexpr std::size_t readable_bytes_max = 60;
// Whole path including the folder in front of it; Windows' limit of 260 leaves room for ".part",
// a description's suffix and backup tools.
inline constexpr std::size_t package_path_bytes_max = 199;
inline constexpr std::size_t package_extension_bytes_max = 12;

// "READABLE~HASH": at most `readable_max` bytes of the key, HASH = the first 16 hexadecimal digits
// of SHA-256 of the key.
[[nodiscard]] std::string object_folder_name(std::string_view key, std::size_t readable_max);

// "~HASH": what all folders of the key end in, however much of the key is readable.
[[nodiscard]] std::string object_folder_suffix(std::string_view key);

// All names that the folder of the key can have, however long the path in front of it is or was
// when the folder was made; the shortest first.
[[nodiscard]] std::vector<std::string> object_folder_names(std::string_view key);

// "20260131T123456Z-8f3a12bc-1769862896123.bak": UTC of the change, first 8 digits of the station,
// sequence. `copy` > 1 adds "-COPY" to the sequence: another package of the same revision.
[[nodiscard]] std::string package_file_name(const PackageName& name, unsigned copy = 1);

// Folder of the object, relative to the project's folder. READABLE is shortened as far as it takes
// to keep the whole path within package_path_bytes_max when the project's folder has `base_bytes`
// bytes.
[[nodiscard]] std::filesystem::path object_folder(const core::ObjectId& object,
                                                  std::size_t base_bytes);

} // namespace stationsync::host
