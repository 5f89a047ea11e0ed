#include "base/lock_file.hpp"

#include "base/path_text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace stationsync::host {

IoResult<LockFile> LockFile::acquire(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) {
        return last_io_error("open the lock file", path);
    }
    LockFile lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return last_io_error("lock", path);
        }
        char owner[24] = {};
        const ssize_t count = ::pread(descriptor, owner, sizeof owner - 1, 0);
        std::string text = path_text(path) + " is locked by another process";
        if (count > 0) {
            text += " (process id " + std::string(owner, static_cast<std::size_t>(count)) + ")";
        }
        return IoError{IoErrorKind::busy, std::move(text)};
    }
    const std::string owner = std::to_string(::getpid());
    // Only a help for the message above: the lock counts, not the number.
    if (::ftruncate(descriptor, 0) != 0 ||
        ::pwrite(descriptor, owner.data(), owner.size(), 0) < 0) {
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
    if (handle_ >= 0) {
        ::close(static_cast<int>(handle_));
        handle_ = -1;
    }
}

} // namespace stationsync::host
