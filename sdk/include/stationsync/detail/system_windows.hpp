// Durability and times of files, Windows.
#pragma once

#include "../types.h"

#include <filesystem>
#include <system_error>

// Its macros of that name would break std::min and std::max in a plugin.
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>

namespace stationsync::sdk::detail {

inline std::error_code sync_file(const std::filesystem::path& path) noexcept {
    const HANDLE file = ::CreateFileW(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr,
                                      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE)
        return {static_cast<int>(::GetLastError()), std::system_category()};
    const DWORD failure = ::FlushFileBuffers(file) != 0 ? 0 : ::GetLastError();
    ::CloseHandle(file);
    return {static_cast<int>(failure), std::system_category()};
}

// NTFS writes names through its journal; there is nothing to flush for a directory.
inline std::error_code sync_directory(const std::filesystem::path&) noexcept {
    return {};
}

// Modification time, STSYNC_TIME_NONE when there is no such file.
inline stsync_time modified_at(const std::filesystem::path& path) noexcept {
    WIN32_FILE_ATTRIBUTE_DATA data;
    if (::GetFileAttributesExW(path.c_str(), GetFileExInfoStandard, &data) == 0)
        return STSYNC_TIME_NONE;
    ULARGE_INTEGER ticks; // 100 ns since 1601-01-01 UTC
    ticks.LowPart = data.ftLastWriteTime.dwLowDateTime;
    ticks.HighPart = data.ftLastWriteTime.dwHighDateTime;
    return static_cast<stsync_time>(ticks.QuadPart / 10) - 11644473600000000;
}

} // namespace stationsync::sdk::detail
