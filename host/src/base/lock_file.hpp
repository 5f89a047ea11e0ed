// Keeps a second process away from a root.
#pragma once

#include "base/io_result.hpp"

#include <cstdint>
#include <filesystem>

namespace stationsync::host {

// Held as long as the object lives; the system lets go when the process ends in whatever way, so
// that there is no stale lock.
class LockFile {
public:
    // `busy` when another process holds it; its text names the process id when known.
    [[nodiscard]] static IoResult<LockFile> acquire(const std::filesystem::path& path);

    LockFile() = default;
    LockFile(LockFile&& other) noexcept;
    LockFile& operator=(LockFile&& other) noexcept;
    LockFile(const LockFile&) = delete;
    LockFile& operator=(const LockFile&) = delete;
    ~LockFile();

private:
    explicit LockFile(std::intptr_t handle) noexcept : handle_(handle) {}
    void release() noexcept;
    std::intptr_t handle_ = -1;
};

} // namespace stationsync::host
