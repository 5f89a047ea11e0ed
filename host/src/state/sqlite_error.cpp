#include "state/sqlite_error.hpp"

#include <string>

namespace stationsync::host {

IoError error_of(sqlite3* database, std::string_view what) {
    const int code = database ? sqlite3_extended_errcode(database) : SQLITE_NOMEM;
    IoErrorKind kind = IoErrorKind::other;
    if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE)
        kind = IoErrorKind::no_space;
    else if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
        kind = IoErrorKind::busy;
    else if ((code & 0xff) == SQLITE_PERM || (code & 0xff) == SQLITE_READONLY ||
             (code & 0xff) == SQLITE_CANTOPEN)
        kind = IoErrorKind::denied;
    return {kind, "the state database: cannot " + std::string(what) + ": " +
                      (database ? sqlite3_errmsg(database) : "out of memory")};
}

} // namespace stationsync::host
