// Durability and times of files, POSIX.
#pragma once

#include "../types.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stationsync::sdk::detail {

// Writes everything of a file, or the names in a directory, to the disk.
inline std::error_code sync_path(const std::filesystem::path& path) noexcept {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return {errno, std::generic_category()};
    const int failure = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    return {failure, std::generic_category()};
}

inline std::error_code sync_file(const std::filesystem::path& path) noexcept {
    return sync_path(path);
}
inline std::error_code sync_directory(const std::filesystem::path& path) noexcept {
    return sync_path(path);
}

// Modification time, STSYNC_TIME_NONE when there is no such file.
inline stsync_time modified_at(const std::filesystem::path& path) noexcept {
    struct ::stat status;
    if (::stat(path.c_str(), &status) != 0)
        return STSYNC_TIME_NONE;
    return stsync_time{status.st_mtim.tv_sec} * 1000000 + status.st_mtim.tv_nsec / 1000;
}

} // namespace stationsync::sdk::detail
