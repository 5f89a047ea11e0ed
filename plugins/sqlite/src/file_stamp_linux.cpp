#include "file_stamp.hpp"

#include <stationsync/paths.hpp>

#include <sys/stat.h>

namespace stationsync::sqlite {

namespace {

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

FileStamp stamp_of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        const std::error_code code(errno, std::system_category());
        if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory)
            return {};
        throw sdk::Error(STSYNC_DENIED, "Cannot look at " + sdk::utf8_from_path(path) +
                                            ": give the service rights on its folder (" +
                                            code.message() + ").");
    }
    FileStamp stamp;
    stamp.is_present = true;
    stamp.is_regular = S_ISREG(status.st_mode);
    stamp.volume = status.st_dev;
    stamp.file = status.st_ino;
    stamp.size = static_cast<std::uint64_t>(status.st_size);
    stamp.modified_ns = nanoseconds(status.st_mtim);
    stamp.changed_ns = nanoseconds(status.st_ctim);
    return stamp;
}

bool stamps_are_prompt() noexcept {
    return true;
}

} // namespace stationsync::sqlite
