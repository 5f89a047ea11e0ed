#include "base/lock_file.hpp"

#include "base/path_text.hpp"

#include <windows.h>

#include <string>
#include <utility>

namespace stationsync::host {

IoResult<LockFile> LockFile::acquire(const std::filesystem::path& path) {
    const HANDLE handle =
        CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
        return last_io_error("open the lock file", path);
    }
    LockFile lock(reinterpret_cast<std::intptr_t>(handle));
    // One byte far beyond the end is locked, so that the process id in front stays readable.
    OVERLAPPED region{};
    region.Offset = 1U << 30;
    if (!LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
                    &region)) {
        if (GetLastError() != ERROR_LOCK_VIOLATION && GetLastError() != ERROR_IO_PENDING) {
            return last_io_error("lock", path);
        }
        char owner[24] = {};
        DWORD count = 0;
        OVERLAPPED start{};
        std::string text = path_text(path) + " is locked by another process";
        if (ReadFile(handle, owner, sizeof owner - 1, &count, &start) && count > 0) {
            text += " (process id " + std::string(owner, count) + ")";
        }
        return IoError{IoErrorKind::busy, std::move(text)};
    }
    const std::string owner = std::to_string(GetCurrentProcessId());
    DWORD count = 0;
    OVERLAPPED start{};
    if (!WriteFile(handle, owner.data(), static_cast<DWORD>(owner.size()), &count, &start) ||
        !SetEndOfFile(handle)) {
        return last_io_error("write", path);
    }
    return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
    if (this != &other) {
        release();
        handle_ = std::exchange(other.handle_, -1);
    }
    return *this;
}

LockFile::~LockFile() {
    release();
}

void LockFile::release() noexcept {
    if (handle_ != -1) {
        CloseHandle(reinterpret_cast<HANDLE>(handle_));
        handle_ = -1;
    }
}

} // namespace stationsync::host
