#include "watcher.hpp"

#include <stationsync/error.hpp>
#include <stationsync/paths.hpp>

#include <array>
#include <cstring>
#include <thread>
#include <utility>

#include <windows.h>

namespace filesync {

namespace sdk = stationsync::sdk;
namespace fs = std::filesystem;

namespace {

constexpr DWORD watched_changes = FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME |
                                  FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE;

[[noreturn]] void fail(const char* what) {
    const std::error_code code(static_cast<int>(::GetLastError()), std::system_category());
    throw sdk::Error(STSYNC_INTERNAL, std::string("Watching for changes failed: ") + what + ": " +
                                          code.message() +
                                          ". The files are scanned from time to time instead.");
}

class OwnedHandle {
public:
    OwnedHandle(HANDLE value, const char* what) : value_(value) {
        if (value == nullptr || value == INVALID_HANDLE_VALUE)
            fail(what);
    }
    OwnedHandle(const OwnedHandle&) = delete;
    OwnedHandle& operator=(const OwnedHandle&) = delete;
    ~OwnedHandle() { ::CloseHandle(value_); }
    HANDLE get() const noexcept { return value_; }

private:
    HANDLE value_;
};

} // namespace

class Watcher::Loop {
public:
    Loop(Context& context, sdk::WatchSink sink)
        : context_(context),
          sink_(sink),
          root_(::CreateFileW(context.settings.root.c_str(), FILE_LIST_DIRECTORY,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                              OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED,
                              nullptr),
                "the root"),
          changed_(::CreateEventW(nullptr, TRUE, FALSE, nullptr), "CreateEvent"),
          stop_(::CreateEventW(nullptr, TRUE, FALSE, nullptr), "CreateEvent") {
        ask();
        thread_ = std::thread([this] { run(); });
    }

    ~Loop() {
        ::SetEvent(stop_.get());
        thread_.join();
        // The system must be done with the buffer before it goes.
        DWORD ignored = 0;
        ::CancelIoEx(root_.get(), &pending_);
        ::GetOverlappedResult(root_.get(), &pending_, &ignored, TRUE);
    }

private:
    void ask() {
        pending_ = {};
        pending_.hEvent = changed_.get();
        ::ResetEvent(changed_.get());
        if (::ReadDirectoryChangesW(root_.get(), buffer_.data(), static_cast<DWORD>(sizeof buffer_),
                                    TRUE, watched_changes, nullptr, &pending_, nullptr) == 0)
            fail("ReadDirectoryChangesW");
    }

    void run() noexcept {
        try {
            const std::array<HANDLE, 2> waits = {stop_.get(), changed_.get()};
            while (::WaitForMultipleObjects(2, waits.data(), FALSE, INFINITE) ==
                   WAIT_OBJECT_0 + 1) {
                DWORD count = 0;
                if (::GetOverlappedResult(root_.get(), &pending_, &count, FALSE) == 0)
                    fail("GetOverlappedResult");
                // Nothing in the buffer: more happened than it holds.
                if (count == 0)
                    sink_.rescan();
                else
                    take_changes();
                ask();
            }
        } catch (const std::exception& error) {
            sink_.lost(error.what());
        }
    }

    void take_changes() {
        const auto* at = reinterpret_cast<const char*>(buffer_.data());
        while (true) {
            FILE_NOTIFY_INFORMATION raw;
            std::memcpy(&raw, at, offsetof(FILE_NOTIFY_INFORMATION, FileName));
            const auto* name =
                reinterpret_cast<const wchar_t*>(at + offsetof(FILE_NOTIFY_INFORMATION, FileName));
            take(raw.Action, fs::path(std::wstring(name, raw.FileNameLength / sizeof(wchar_t))));
            if (raw.NextEntryOffset == 0)
                return;
            at += raw.NextEntryOffset;
        }
    }

    void take(DWORD action, const fs::path& path) {
        const fs::path whole = context_.settings.root / path;
        const DWORD attributes = ::GetFileAttributesW(whole.c_str());
        const bool is_folder =
            attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
        const std::string key = sdk::utf8_from_path(path);
        if (is_folder) {
            const bool is_new =
                action == FILE_ACTION_ADDED || action == FILE_ACTION_RENAMED_NEW_NAME;
            if (is_new && !context_.settings.patterns.excludes_folder(key))
                sink_.rescan();
        } else if (context_.settings.contains(key)) {
            sink_.changed(key);
        } else if (action == FILE_ACTION_REMOVED || action == FILE_ACTION_RENAMED_OLD_NAME) {
            // Perhaps it was a folder.
            sink_.rescan();
        }
    }

    Context& context_;
    sdk::WatchSink sink_;
    OwnedHandle root_;
    OwnedHandle changed_;
    OwnedHandle stop_;
    OVERLAPPED pending_{};
    std::array<DWORD, 16384> buffer_; // 64 KiB, the most that works over a network
    std::thread thread_;
};

Watcher::Watcher(Context& context, sdk::WatchSink sink)
    : loop_(std::make_unique<Loop>(context, sink)) {}

Watcher::~Watcher() = default;

} // namespace filesync
