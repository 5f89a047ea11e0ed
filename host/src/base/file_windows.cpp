#include "base/file.hpp"

#include <windows.h>

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {
constexpr std::int64_t unix_epoch_100ns = 116'444'736'000'000'000;
constexpr std::size_t chunk_bytes_max = 1U << 30; // one call takes a DWORD

HANDLE as_handle(std::intptr_t handle) noexcept {
    return reinterpret_cast<HANDLE>(handle);
}

OVERLAPPED at_offset(std::uint64_t offset) noexcept {
    OVERLAPPED position{};
    position.Offset = static_cast<DWORD>(offset);
    position.OffsetHigh = static_cast<DWORD>(offset >> 32);
    return position;
}

IoResult<std::intptr_t> open_file(const std::filesystem::path& path, DWORD access,
                                  DWORD disposition, const char* what) {
    const HANDLE handle = CreateFileW(
        path.c_str(), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
        disposition, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
        return last_io_error(what, path);
    }
    return reinterpret_cast<std::intptr_t>(handle);
}
} // namespace

IoResult<File> File::open_read(const std::filesystem::path& path) {
    const auto handle = open_file(path, GENERIC_READ, OPEN_EXISTING, "open");
    if (!handle) {
        return handle.error();
    }
    return File(*handle, path);
}

IoResult<File> File::open_update(const std::filesystem::path& path) {
    const auto handle = open_file(path, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, "open");
    if (!handle) {
        return handle.error();
    }
    return File(*handle, path);
}

IoResult<File> File::create_new(const std::filesystem::path& path) {
    const auto handle = open_file(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW, "create");
    if (!handle) {
        return handle.error();
    }
    return File(*handle, path);
}

IoResult<File> File::create(const std::filesystem::path& path) {
    const auto handle = open_file(path, GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS, "create");
    if (!handle) {
        return handle.error();
    }
    return File(*handle, path);
}

IoResult<std::size_t> File::read_at(std::span<std::byte> buffer, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < buffer.size()) {
        OVERLAPPED position = at_offset(offset + done);
        DWORD count = 0;
        const auto wanted = static_cast<DWORD>(std::min(buffer.size() - done, chunk_bytes_max));
        if (!ReadFile(as_handle(handle_), buffer.data() + done, wanted, &count, &position)) {
            if (GetLastError() == ERROR_HANDLE_EOF) {
                break;
            }
            return last_io_error("read", path_);
        }
        if (count == 0) {
            break;
        }
        done += count;
    }
    return done;
}

IoResult<void> File::write_at(std::span<const std::byte> bytes, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        OVERLAPPED position = at_offset(offset + done);
        DWORD count = 0;
        const auto wanted = static_cast<DWORD>(std::min(bytes.size() - done, chunk_bytes_max));
        if (!WriteFile(as_handle(handle_), bytes.data() + done, wanted, &count, &position)) {
            return last_io_error("write", path_);
        }
        done += count;
    }
    return {};
}

IoResult<void> File::sync() {
    if (!FlushFileBuffers(as_handle(handle_))) {
        return last_io_error("write to disk", path_);
    }
    return {};
}

void File::start_writeback() noexcept {}

IoResult<void> File::allocate(std::uint64_t bytes) {
    return resize(bytes);
}

IoResult<void> File::resize(std::uint64_t bytes) {
    FILE_END_OF_FILE_INFO end{};
    end.EndOfFile.QuadPart = static_cast<LONGLONG>(bytes);
    if (!SetFileInformationByHandle(as_handle(handle_), FileEndOfFileInfo, &end, sizeof end)) {
        return last_io_error("resize", path_);
    }
    return {};
}

IoResult<FileFacts> File::facts() const {
    BY_HANDLE_FILE_INFORMATION info{};
    if (!GetFileInformationByHandle(as_handle(handle_), &info)) {
        return last_io_error("look at", path_);
    }
    ULARGE_INTEGER bytes{};
    bytes.LowPart = info.nFileSizeLow;
    bytes.HighPart = info.nFileSizeHigh;
    ULARGE_INTEGER time{};
    time.LowPart = info.ftLastWriteTime.dwLowDateTime;
    time.HighPart = info.ftLastWriteTime.dwHighDateTime;
    return FileFacts{bytes.QuadPart, static_cast<std::int64_t>(time.QuadPart) - unix_epoch_100ns};
}

IoResult<void> File::set_modified(std::int64_t modified_100ns) {
    ULARGE_INTEGER ticks{};
    ticks.QuadPart = static_cast<ULONGLONG>(modified_100ns + unix_epoch_100ns);
    const FILETIME time{ticks.LowPart, ticks.HighPart};
    if (!SetFileTime(as_handle(handle_), nullptr, nullptr, &time)) {
        return last_io_error("set the modification time of", path_);
    }
    return {};
}

void File::close() noexcept {
    if (handle_ != none) {
        CloseHandle(as_handle(handle_));
        handle_ = none;
    }
}

} // namespace stationsync::host
