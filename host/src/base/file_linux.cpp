#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace stationsync::host {
namespace {
IoResult<int> open_file(const std::filesystem::path& path, int flags, const char* what) {
    int descriptor = -1;
    do {
        descriptor = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0640);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        return last_io_error(what, path);
    }
    return descriptor;
}
} // namespace

IoResult<File> File::open_read(const std::filesystem::path& path) {
    // Without O_NONBLOCK a pipe with that name would stop the thread for ever.
    const auto descriptor = open_file(path, O_RDONLY | O_NONBLOCK, "open");
    if (!descriptor) {
        return descriptor.error();
    }
    File file(*descriptor, path);
    struct stat status {};
    if (::fstat(*descriptor, &status) != 0) {
        return last_io_error("open", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return io_error("open", path, std::make_error_code(std::errc::invalid_argument));
    }
    return file;
}

IoResult<File> File::open_update(const std::filesystem::path& path) {
    const auto descriptor = open_file(path, O_RDWR, "open");
    if (!descriptor) {
        return descriptor.error();
    }
    return File(*descriptor, path);
}

IoResult<File> File::create_new(const std::filesystem::path& path) {
    const auto descriptor = open_file(path, O_RDWR | O_CREAT | O_EXCL, "create");
    if (!descriptor) {
        return descriptor.error();
    }
    return File(*descriptor, path);
}

IoResult<File> File::create(const std::filesystem::path& path) {
    const auto descriptor = open_file(path, O_RDWR | O_CREAT | O_TRUNC, "create");
    if (!descriptor) {
        return descriptor.error();
    }
    return File(*descriptor, path);
}

IoResult<std::size_t> File::read_at(std::span<std::byte> buffer, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < buffer.size()) {
        const ssize_t count = ::pread(static_cast<int>(handle_), buffer.data() + done,
                                      buffer.size() - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return last_io_error("read", path_);
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    return done;
}

IoResult<void> File::write_at(std::span<const std::byte> bytes, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::pwrite(static_cast<int>(handle_), bytes.data() + done,
                                       bytes.size() - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return last_io_error("write", path_);
        }
        done += static_cast<std::size_t>(count);
    }
    return {};
}

IoResult<void> File::sync() {
    if (::fsync(static_cast<int>(handle_)) != 0) {
        return last_io_error("write to disk", path_);
    }
    return {};
}

void File::start_writeback() noexcept {
    static_cast<void>(::sync_file_range(static_cast<int>(handle_), 0, 0, SYNC_FILE_RANGE_WRITE));
}

IoResult<void> File::allocate(std::uint64_t bytes) {
    if (bytes == 0) {
        return {};
    }
    int result = 0;
    do {
        result = ::fallocate(static_cast<int>(handle_), 0, 0, static_cast<off_t>(bytes));
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        return {};
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        return resize(bytes);
    }
    return last_io_error("reserve room for", path_);
}

IoResult<void> File::resize(std::uint64_t bytes) {
    if (::ftruncate(static_cast<int>(handle_), static_cast<off_t>(bytes)) != 0) {
        return last_io_error("resize", path_);
    }
    return {};
}

IoResult<FileFacts> File::facts() const {
    struct stat status {};
    if (::fstat(static_cast<int>(handle_), &status) != 0) {
        return last_io_error("look at", path_);
    }
    return FileFacts{static_cast<std::uint64_t>(status.st_size),
                     static_cast<std::int64_t>(status.st_mtim.tv_sec) * 10'000'000 +
                         status.st_mtim.tv_nsec / 100};
}

IoResult<void> File::set_modified(std::int64_t modified_100ns) {
    std::int64_t seconds = modified_100ns / 10'000'000;
    std::int64_t rest = modified_100ns % 10'000'000;
    if (rest < 0) {
        rest += 10'000'000;
        seconds -= 1;
    }
    timespec times[2] = {};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = static_cast<time_t>(seconds);
    times[1].tv_nsec = static_cast<long>(rest * 100);
    if (::futimens(static_cast<int>(handle_), times) != 0) {
        return last_io_error("set the modification time of", path_);
    }
    return {};
}

void File::close() noexcept {
    if (handle_ != none) {
        ::close(static_cast<int>(handle_));
        handle_ = none;
    }
}

} // namespace stationsync::host
