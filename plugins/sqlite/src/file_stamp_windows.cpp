#include "file_stamp.hpp"

#include <stationsync/paths.hpp>

#include <windows.h>

namespace stationsync::sqlite {

namespace {

// FILETIME counts 100 ns since 1601.
std::int64_t nanoseconds(const FILETIME& time) {
    const std::uint64_t ticks = std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
    return (static_cast<std::int64_t>(ticks) - 116'444'736'000'000'000) * 100;
}

} // namespace

FileStamp stamp_of(const std::filesystem::path& path) {
    // No access rights are asked for and all sharing is allowed: nobody is disturbed by it.
    const HANDLE file =
        CreateFileW(path.c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        const DWORD error = GetLastError();
        if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
            return {};
        const std::error_code code(static_cast<int>(error), std::system_category());
        throw sdk::Error(STSYNC_DENIED, "Cannot look at " + sdk::utf8_from_path(path) +
                                            ": give the service rights on its folder (" +
                                            code.message() + ").");
    }
    BY_HANDLE_FILE_INFORMATION information{};
    const bool is_known = GetFileInformationByHandle(file, &information) != 0;
    CloseHandle(file);
    if (!is_known)
        throw sdk::Error(STSYNC_DENIED, "Cannot look at " + sdk::utf8_from_path(path) + ".");
    FileStamp stamp;
    stamp.is_present = true;
    stamp.is_regular = (information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
    stamp.volume = information.dwVolumeSerialNumber;
    stamp.file = std::uint64_t{information.nFileIndexHigh} << 32 | information.nFileIndexLow;
    stamp.size = std::uint64_t{information.nFileSizeHigh} << 32 | information.nFileSizeLow;
    stamp.modified_ns = nanoseconds(information.ftLastWriteTime);
    return stamp;
}

bool stamps_are_prompt() noexcept {
    return false;
}

} // namespace stationsync::sqlite
