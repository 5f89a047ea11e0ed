#include "base/path_text.hpp"
#include "net/private_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace stationsync::host {

IoResult<void> check_private(const std::filesystem::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) {
        return last_io_error("read", path);
    }
    if (!S_ISREG(facts.st_mode)) {
        return IoError{IoErrorKind::denied, path_text(path) +
                                                " is not a regular file: move it away, "
                                                "a key is never read through a link."};
    }
    // Root may read the service account's files; anybody else only his own.
    if (facts.st_uid != ::geteuid() && ::geteuid() != 0) {
        return IoError{IoErrorKind::denied, "The key file " + path_text(path) +
                                                " belongs to another account: run as that account, "
                                                "or give it to this one with chown."};
    }
    if ((facts.st_mode & 077) != 0) {
        char mode[8];
        std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(facts.st_mode & 07777));
        return IoError{IoErrorKind::denied,
                       "Other accounts have access to the key file " + path_text(path) + " (mode " +
                           mode +
                           "): run chmod 600 on it; if somebody may have read it, "
                           "make a new key."};
    }
    return {};
}

} // namespace stationsync::host
