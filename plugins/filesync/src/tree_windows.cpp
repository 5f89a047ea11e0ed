#include "tree.hpp"

#include <stationsync/error.hpp>
#include <stationsync/paths.hpp>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include <windows.h>

namespace filesync {

namespace sdk = stationsync::sdk;
namespace fs = std::filesystem;

namespace {

// Programs that look at every new file (virus scanners, indexers) let go of it within this time.
constexpr int sharing_tries = 20;
constexpr DWORD sharing_pause_ms = 50;

// Missing in some headers.
constexpr DWORD disk_quota_exceeded = 1295;

constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr std::int64_t ticks_to_1970 = 116444736000000000; // 100 ns since 1601

bool is_sharing_problem(DWORD code) noexcept {
    return code == ERROR_SHARING_VIOLATION || code == ERROR_LOCK_VIOLATION ||
           code == ERROR_DELETE_PENDING;
}

stsync_status status_of(DWORD code) noexcept {
    if (is_sharing_problem(code))
        return STSYNC_BUSY;
    switch (code) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case disk_quota_exceeded:
        return STSYNC_NO_SPACE;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
        return STSYNC_DENIED;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return STSYNC_NOT_FOUND;
    default:
        return STSYNC_INTERNAL;
    }
}

[[noreturn]] void fail(DWORD code, std::string_view what, const fs::path& path) {
    const std::string shown = sdk::utf8_from_path(path);
    if (is_sharing_problem(code))
        throw sdk::Error(STSYNC_BUSY, "\"" + shown + "\" is in use by another program.", 2000);
    const std::string reason =
        std::error_code(static_cast<int>(code), std::system_category()).message();
    throw sdk::Error(status_of(code),
                     std::string(what) + " \"" + shown + "\" failed: " + reason + ".");
}

class SystemHandle {
public:
    explicit SystemHandle(HANDLE value = INVALID_HANDLE_VALUE) noexcept : value_(value) {}
    SystemHandle(SystemHandle&& other) noexcept
        : value_(std::exchange(other.value_, INVALID_HANDLE_VALUE)) {}
    SystemHandle& operator=(SystemHandle&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~SystemHandle() { close(); }
    HANDLE get() const noexcept { return value_; }
    bool is_valid() const noexcept { return value_ != INVALID_HANDLE_VALUE; }
    void close() noexcept {
        if (is_valid())
            ::CloseHandle(std::exchange(value_, INVALID_HANDLE_VALUE));
    }

private:
    HANDLE value_;
};

// Names longer than 260 characters, and names that end in a dot or a space as they are.
fs::path extended(const fs::path& path) {
    std::wstring text = path.native();
    for (wchar_t& letter : text)
        if (letter == L'/')
            letter = L'\\';
    if (text.rfind(L"\\\\?\\", 0) == 0)
        return text;
    if (text.rfind(L"\\\\", 0) == 0)
        return L"\\\\?\\UNC\\" + text.substr(2);
    return L"\\\\?\\" + text;
}

SystemHandle open_handle(const fs::path& path, DWORD access, DWORD share, DWORD disposition,
                         DWORD flags) noexcept {
    for (int left = sharing_tries;; --left) {
        SystemHandle handle(
            ::CreateFileW(path.c_str(), access, share, nullptr, disposition, flags, nullptr));
        if (handle.is_valid())
            return handle;
        const DWORD code = ::GetLastError();
        if (left == 0 || !is_sharing_problem(code)) {
            ::SetLastError(code);
            return handle;
        }
        ::Sleep(sharing_pause_ms);
    }
}

std::int64_t to_ns(const LARGE_INTEGER& ticks) noexcept {
    return (ticks.QuadPart - ticks_to_1970) * 100;
}

Kind kind_of(DWORD attributes, DWORD reparse_tag) noexcept {
    const bool is_link =
        (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
        (reparse_tag == IO_REPARSE_TAG_SYMLINK || reparse_tag == IO_REPARSE_TAG_MOUNT_POINT);
    if (is_link)
        return Kind::link;
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return Kind::folder;
    if ((attributes & FILE_ATTRIBUTE_DEVICE) != 0)
        return Kind::special;
    return Kind::file;
}

Status status_of_handle(HANDLE handle, const fs::path& path) {
    BY_HANDLE_FILE_INFORMATION identity{};
    FILE_BASIC_INFO basic{};
    FILE_ATTRIBUTE_TAG_INFO tag{};
    if (::GetFileInformationByHandle(handle, &identity) == 0 ||
        ::GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof basic) == 0)
        fail(::GetLastError(), "Reading", path);
    // Not every file system knows tags.
    ::GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof tag);
    Status status;
    status.kind = kind_of(identity.dwFileAttributes, tag.ReparseTag);
    status.evidence = {identity.dwVolumeSerialNumber,
                       std::uint64_t{identity.nFileIndexHigh} << 32 | identity.nFileIndexLow,
                       std::uint64_t{identity.nFileSizeHigh} << 32 | identity.nFileSizeLow,
                       to_ns(basic.LastWriteTime), to_ns(basic.ChangeTime)};
    return status;
}

std::string utf8_name(const wchar_t* text, std::size_t count) {
    try {
        return sdk::utf8_from_path(fs::path(std::wstring(text, count)));
    } catch (const std::exception&) {
        return "\xFF"; // not text in any encoding: no key
    }
}

} // namespace

struct File::Handle {
    SystemHandle handle;
    fs::path path; // for messages
};

struct Folder::Handle {
    SystemHandle handle;
    fs::path path; // in the extended form
    // Open without the right to rename or delete them, the folders above stay what they are as long
    // as this one is used: a path below cannot be led elsewhere meanwhile.
    std::shared_ptr<Handle> above;

    fs::path of(const std::string& name) const {
        return fs::path(path.native() + L"\\" + sdk::path_from_utf8(name).native());
    }
};

File::File(std::unique_ptr<Handle> handle) noexcept : handle_(std::move(handle)) {}
File::File(File&& other) noexcept = default;
File& File::operator=(File&& other) noexcept = default;
File::~File() = default;

File File::open_package(const fs::path& path) {
    SystemHandle handle = open_handle(extended(path), GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING,
                                      FILE_FLAG_SEQUENTIAL_SCAN | FILE_FLAG_OPEN_REPARSE_POINT);
    if (!handle.is_valid())
        fail(::GetLastError(), "Opening the package", path);
    return File(std::make_unique<Handle>(Handle{std::move(handle), path}));
}

File File::create_package(const fs::path& path) {
    SystemHandle handle = open_handle(extended(path), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ,
                                      CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
    if (!handle.is_valid())
        fail(::GetLastError(), "Making the package", path);
    return File(std::make_unique<Handle>(Handle{std::move(handle), path}));
}

std::size_t File::read(char* buffer, std::size_t count) {
    DWORD got = 0;
    const DWORD wanted = count > (1u << 30) ? 1u << 30 : static_cast<DWORD>(count);
    if (::ReadFile(handle_->handle.get(), buffer, wanted, &got, nullptr) == 0)
        fail(::GetLastError(), "Reading", handle_->path);
    return got;
}

void File::rewind() {
    const LARGE_INTEGER start{};
    ::SetFilePointerEx(handle_->handle.get(), start, nullptr, FILE_BEGIN);
}

void File::write_at(std::uint64_t offset, const char* bytes, std::size_t count) {
    while (count != 0) {
        OVERLAPPED place{};
        place.Offset = static_cast<DWORD>(offset);
        place.OffsetHigh = static_cast<DWORD>(offset >> 32);
        DWORD put = 0;
        const DWORD wanted = count > (1u << 30) ? 1u << 30 : static_cast<DWORD>(count);
        if (::WriteFile(handle_->handle.get(), bytes, wanted, &put, &place) == 0)
            fail(::GetLastError(), "Writing", handle_->path);
        bytes += put;
        count -= put;
        offset += put;
    }
}

void File::set_size(std::uint64_t byte_count) {
    FILE_END_OF_FILE_INFO info{};
    info.EndOfFile.QuadPart = static_cast<LONGLONG>(byte_count);
    if (::SetFileInformationByHandle(handle_->handle.get(), FileEndOfFileInfo, &info,
                                     sizeof info) == 0)
        fail(::GetLastError(), "Writing", handle_->path);
}

// Only ReFS shares blocks, in pieces aligned to its clusters; stations have NTFS.
bool File::clone_from(const File&) {
    return false;
}

Status File::status() const {
    return status_of_handle(handle_->handle.get(), handle_->path);
}

void File::set_modified(std::int64_t since_1970_ns) {
    ULARGE_INTEGER ticks;
    ticks.QuadPart = static_cast<ULONGLONG>(since_1970_ns / 100 + ticks_to_1970);
    const FILETIME time{ticks.LowPart, ticks.HighPart};
    if (::SetFileTime(handle_->handle.get(), nullptr, nullptr, &time) == 0)
        fail(::GetLastError(), "Setting the time of", handle_->path);
}

// Folder::replace keeps access list, attributes and streams of the file that it replaces.
void File::take_attributes_of(const File&) {}

// A new file has the access list that its folder passes on.
void File::take_defaults_of(const Folder&) {}

void File::sync() {
    if (::FlushFileBuffers(handle_->handle.get()) == 0)
        fail(::GetLastError(), "Writing", handle_->path);
}

Folder::Folder(std::shared_ptr<Handle> handle) noexcept : handle_(std::move(handle)) {}
Folder::Folder(Folder&& other) noexcept = default;
Folder& Folder::operator=(Folder&& other) noexcept = default;
Folder::~Folder() = default;

Folder Folder::open_root(const fs::path& path) {
    const fs::path whole = extended(path);
    SystemHandle handle =
        open_handle(whole, FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES,
                    FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    if (!handle.is_valid()) {
        const DWORD code = ::GetLastError();
        if (status_of(code) == STSYNC_NOT_FOUND)
            throw sdk::Error(STSYNC_DENIED,
                             "The folder \"" + sdk::utf8_from_path(path) +
                                 "\" does not exist: make it, connect its disk, or correct "
                                 "\"root\" in the configuration.");
        fail(code, "Opening the folder", path);
    }
    return Folder(std::make_shared<Handle>(Handle{std::move(handle), whole, nullptr}));
}

Folder Folder::open_folder(const std::string& name) const {
    if (name == ".")
        return Folder(std::shared_ptr<Handle>(handle_));
    const fs::path path = handle_->of(name);
    SystemHandle handle = open_handle(path, FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES,
                                      FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_EXISTING,
                                      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT);
    if (!handle.is_valid())
        fail(::GetLastError(), "Opening the folder", path);
    if (status_of_handle(handle.get(), path).kind != Kind::folder)
        throw sdk::Error(STSYNC_UNSUPPORTED, "\"" + sdk::utf8_from_path(path) +
                                                 "\" is not a folder but a file or a link.");
    return Folder(std::make_shared<Handle>(Handle{std::move(handle), path, handle_}));
}

void Folder::list(std::vector<Entry>& entries) const {
    BY_HANDLE_FILE_INFORMATION own{};
    if (::GetFileInformationByHandle(handle_->handle.get(), &own) == 0)
        fail(::GetLastError(), "Reading the folder", handle_->path);
    alignas(FILE_ID_BOTH_DIR_INFO) std::array<char, 65536> buffer;
    FILE_INFO_BY_HANDLE_CLASS call = FileIdBothDirectoryRestartInfo;
    while (::GetFileInformationByHandleEx(handle_->handle.get(), call, buffer.data(),
                                          static_cast<DWORD>(buffer.size())) != 0) {
        call = FileIdBothDirectoryInfo;
        const char* at = buffer.data();
        while (true) {
            const auto* raw = reinterpret_cast<const FILE_ID_BOTH_DIR_INFO*>(at);
            std::string name = utf8_name(raw->FileName, raw->FileNameLength / sizeof(wchar_t));
            if (name != "." && name != "..") {
                Entry& entry = entries.emplace_back();
                entry.name = std::move(name);
                entry.kind = kind_of(raw->FileAttributes, raw->EaSize);
                entry.evidence = {own.dwVolumeSerialNumber,
                                  static_cast<std::uint64_t>(raw->FileId.QuadPart),
                                  static_cast<std::uint64_t>(raw->EndOfFile.QuadPart),
                                  to_ns(raw->LastWriteTime), to_ns(raw->ChangeTime)};
                entry.has_evidence = true;
            }
            if (raw->NextEntryOffset == 0)
                break;
            at += raw->NextEntryOffset;
        }
    }
    const DWORD code = ::GetLastError();
    if (code != ERROR_NO_MORE_FILES)
        fail(code, "Reading the folder", handle_->path);
}

Status Folder::status(const std::string& name) const {
    const fs::path path = handle_->of(name);
    const SystemHandle handle =
        open_handle(path, FILE_READ_ATTRIBUTES, share_all, OPEN_EXISTING,
                    FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT);
    if (handle.is_valid())
        return status_of_handle(handle.get(), path);
    const DWORD code = ::GetLastError();
    if (filesync::status_of(code) == STSYNC_NOT_FOUND)
        return {};
    fail(code, "Reading", path);
}

// Without the right to write for others: while somebody writes the file this fails with BUSY.
File Folder::open_file(const std::string& name) const {
    const fs::path path = handle_->of(name);
    SystemHandle handle =
        open_handle(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, OPEN_EXISTING,
                    FILE_FLAG_SEQUENTIAL_SCAN | FILE_FLAG_OPEN_REPARSE_POINT);
    if (!handle.is_valid())
        fail(::GetLastError(), "Opening", path);
    File file(std::make_unique<File::Handle>(File::Handle{std::move(handle), path}));
    if (file.status().kind != Kind::file)
        throw sdk::Error(STSYNC_UNSUPPORTED,
                         "\"" + sdk::utf8_from_path(path) + "\" is not a regular file.");
    return file;
}

File Folder::create_file(const std::string& name) const {
    const fs::path path = handle_->of(name);
    SystemHandle handle = open_handle(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ,
                                      CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
    if (!handle.is_valid())
        fail(::GetLastError(), "Making a file in", handle_->path);
    return File(std::make_unique<File::Handle>(File::Handle{std::move(handle), path}));
}

void Folder::make_folder(const std::string& name) const {
    const fs::path path = handle_->of(name);
    if (::CreateDirectoryW(path.c_str(), nullptr) != 0)
        return;
    const DWORD code = ::GetLastError();
    if (code != ERROR_ALREADY_EXISTS)
        fail(code, "Making the folder", path);
}

void Folder::remove_file(const std::string& name) const {
    const fs::path path = handle_->of(name);
    ::SetFileAttributesW(path.c_str(), FILE_ATTRIBUTE_NORMAL); // a read-only file is not deleted
    for (int left = sharing_tries;; --left) {
        if (::DeleteFileW(path.c_str()) != 0)
            return;
        const DWORD code = ::GetLastError();
        if (filesync::status_of(code) == STSYNC_NOT_FOUND)
            return;
        if (left == 0 || !is_sharing_problem(code))
            fail(code, "Removing", path);
        ::Sleep(sharing_pause_ms);
    }
}

void Folder::remove_folder(const std::string& name) const {
    const fs::path path = handle_->of(name);
    if (::RemoveDirectoryW(path.c_str()) != 0)
        return;
    const DWORD code = ::GetLastError();
    if (code != ERROR_DIR_NOT_EMPTY && filesync::status_of(code) != STSYNC_NOT_FOUND)
        fail(code, "Removing the folder", path);
}

namespace {

// Calls until it succeeds or fails for another reason than that the file is in use.
template <class Call>
DWORD patiently(Call&& call) {
    for (int left = sharing_tries;; --left) {
        if (call())
            return ERROR_SUCCESS;
        const DWORD code = ::GetLastError();
        const bool is_held = is_sharing_problem(code) || code == ERROR_UNABLE_TO_REMOVE_REPLACED;
        if (left == 0 || !is_held)
            return code;
        ::Sleep(sharing_pause_ms);
    }
}

} // namespace

Replaced Folder::replace(const std::string& temp, const std::string& target,
                         bool expect_absent) const {
    const fs::path from = handle_->of(temp);
    const fs::path to = handle_->of(target);
    if (expect_absent) {
        const DWORD code = patiently(
            [&] { return ::MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_WRITE_THROUGH) != 0; });
        if (code == ERROR_ALREADY_EXISTS || code == ERROR_FILE_EXISTS)
            return Replaced::appeared;
        if (code != ERROR_SUCCESS)
            fail(code, "Making", to);
        return Replaced::in_one_step;
    }
    // A read-only file is not replaced: it is made writable for that moment.
    const DWORD attributes = ::GetFileAttributesW(to.c_str());
    const bool is_read_only =
        attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY) != 0;
    if (is_read_only)
        ::SetFileAttributesW(to.c_str(), attributes & ~DWORD{FILE_ATTRIBUTE_READONLY});
    fs::path old = from;
    old += L".old";
    const DWORD code = patiently([&] {
        return ::ReplaceFileW(to.c_str(), from.c_str(), old.c_str(), 0, nullptr, nullptr) != 0;
    });
    if (is_read_only)
        ::SetFileAttributesW(to.c_str(), attributes);
    if (code == ERROR_INVALID_FUNCTION || code == ERROR_NOT_SUPPORTED) {
        // FAT and some servers: without keeping the old file.
        const DWORD plain = patiently([&] {
            return ::MoveFileExW(from.c_str(), to.c_str(),
                                 MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0;
        });
        if (plain != ERROR_SUCCESS)
            fail(plain, "Replacing", to);
        return Replaced::in_one_step;
    }
    if (code != ERROR_SUCCESS)
        fail(code, "Replacing", to);
    if (::MoveFileExW(old.c_str(), from.c_str(), MOVEFILE_WRITE_THROUGH) == 0)
        fail(::GetLastError(), "Renaming", old);
    return Replaced::old_kept_back;
}

void Folder::undo_replace(const std::string& temp, const std::string& target) const {
    replace(temp, target, false);
}

// NTFS writes names through its journal, and the renames above wait for it.
void Folder::sync() const {}

bool Folder::is_writable() const {
    return open_handle(handle_->path, FILE_ADD_FILE, share_all, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS)
        .is_valid();
}

std::int64_t file_clock_now_ns() noexcept {
    FILETIME now;
    ::GetSystemTimeAsFileTime(&now);
    LARGE_INTEGER ticks;
    ticks.LowPart = now.dwLowDateTime;
    ticks.HighPart = static_cast<LONG>(now.dwHighDateTime);
    return to_ns(ticks);
}

} // namespace filesync
