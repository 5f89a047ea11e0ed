#include "base/durable.hpp"

#include "base/durable_system.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace stationsync::host {
namespace {
class Descriptor {
public:
    explicit Descriptor(int value) noexcept : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) {
            ::close(value_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return value_; }

private:
    int value_;
};
} // namespace

IoResult<void> sync_directory(const std::filesystem::path& directory) {
    const Descriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
        return last_io_error("write to disk the folder", directory);
    }
    return {};
}

IoResult<bool> sync_filesystem(const std::filesystem::path& path) {
    const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0 || ::syncfs(descriptor.get()) != 0) {
        return last_io_error("write to disk the file system of", path);
    }
    return true;
}

IoResult<void> rename_over(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return last_io_error("rename", from);
    }
    return {};
}

IoResult<File> create_for_owner(const std::filesystem::path& path) {
    // A file left over from before could have wider permissions.
    static_cast<void>(::unlink(path.c_str()));
    {
        const Descriptor made(
            ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (made.get() < 0) {
            return last_io_error("create", path);
        }
    }
    return File::open_update(path);
}

bool clone_content(const std::filesystem::path& from, const std::filesystem::path& to) noexcept {
    const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    const Descriptor target(::open(to.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    return source.get() >= 0 && target.get() >= 0 &&
           ::ioctl(target.get(), FICLONE, source.get()) == 0;
}

IoResult<FileFacts> file_facts(const std::filesystem::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return last_io_error("look at", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return io_error("look at", path,
                        std::make_error_code(std::errc::no_such_file_or_directory));
    }
    return FileFacts{static_cast<std::uint64_t>(status.st_size),
                     static_cast<std::int64_t>(status.st_mtim.tv_sec) * 10'000'000 +
                         status.st_mtim.tv_nsec / 100};
}

} // namespace stationsync::host
