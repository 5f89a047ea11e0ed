#include "new_file.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stationsync::sqlite {

std::error_code rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
        return {};
    if (errno != EINVAL && errno != ENOSYS)
        return {errno, std::system_category()};
    // The file system knows no such rename: a second name refuses to replace, too.
    if (::link(from.c_str(), to.c_str()) != 0)
        return {errno, std::system_category()};
    ::unlink(from.c_str());
    return {};
}

void inherit_rights(const std::filesystem::path& file, const std::filesystem::path& folder) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0)
        return;
    // Only the superuser may give a file away; for others the group is often possible. The mode
    // comes last because a change of owner may take rights away.
    if (::chown(file.c_str(), status.st_uid, status.st_gid) != 0 &&
        ::chown(file.c_str(), static_cast<uid_t>(-1), status.st_gid) != 0)
        errno = 0;
    ::chmod(file.c_str(), status.st_mode & 0666u);
}

} // namespace stationsync::sqlite
