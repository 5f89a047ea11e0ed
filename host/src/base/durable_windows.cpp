#include "base/durable.hpp"

#include "base/durable_system.hpp"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <thread>

namespace stationsync::host {

IoResult<void> sync_directory(const std::filesystem::path& directory) {
    const DWORD attributes = GetFileAttributesW(directory.c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return last_io_error("look at the folder", directory);
    }
    return {};
}

IoResult<bool> sync_filesystem(const std::filesystem::path&) {
    // Flushing a volume needs administrator rights; each file is flushed by itself instead.
    return false;
}

IoResult<void> rename_over(const std::filesystem::path& from, const std::filesystem::path& to) {
    // Virus scanners and indexers open a fresh file for some milliseconds.
    constexpr int attempts = 8;
    for (int attempt = 1;; ++attempt) {
        if (MoveFileExW(from.c_str(), to.c_str(),
                        MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
            return {};
        }
        const DWORD code = GetLastError();
        const bool passing = code == ERROR_SHARING_VIOLATION || code == ERROR_ACCESS_DENIED;
        if (!passing || attempt == attempts) {
            return io_error("rename", from, {static_cast<int>(code), std::system_category()});
        }
        Sleep(static_cast<DWORD>(5 << attempt));
    }
}

IoResult<File> create_for_owner(const std::filesystem::path& path) {
    DeleteFileW(path.c_str());
    // Protected from inheritance: owner, SYSTEM and administrators only.
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            L"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)", SDDL_REVISION_1, &descriptor, nullptr)) {
        return last_io_error("protect", path);
    }
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor, FALSE};
    const HANDLE handle = CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, 0, &attributes,
                                      CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr);
    const DWORD code = GetLastError();
    LocalFree(descriptor);
    if (handle == INVALID_HANDLE_VALUE) {
        return io_error("create", path, {static_cast<int>(code), std::system_category()});
    }
    CloseHandle(handle);
    return File::open_update(path);
}

bool clone_content(const std::filesystem::path&, const std::filesystem::path&) noexcept {
    // NTFS cannot share blocks.
    return false;
}

IoResult<FileFacts> file_facts(const std::filesystem::path& path) {
    const DWORD attributes = GetFileAttributesW(path.c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return last_io_error("look at", path);
    }
    if ((attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) != 0) {
        return io_error("look at", path,
                        std::make_error_code(std::errc::no_such_file_or_directory));
    }
    auto file = File::open_read(path);
    if (!file) {
        return file.error();
    }
    return file->facts();
}

} // namespace stationsync::host
