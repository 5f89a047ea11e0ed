#include "sqlite_error.hpp"

namespace stationsync::sqlite {

namespace {

// Running out of space reaches SQLite as several I/O errors; the system's own number tells.
bool is_out_of_space(sqlite3* database, int result) {
    if ((result & 0xff) == SQLITE_FULL || result == SQLITE_IOERR_SHMSIZE)
        return true;
    if (database == nullptr || (result & 0xff) != SQLITE_IOERR)
        return false;
    const std::error_code code(sqlite3_system_errno(database), std::system_category());
    return sdk::status_of(code) == STSYNC_NO_SPACE;
}

std::string reason(sqlite3* database, int result) {
    if (database != nullptr && sqlite3_extended_errcode(database) == result)
        return sqlite3_errmsg(database);
    return sqlite3_errstr(result);
}

} // namespace

sdk::Error sqlite_failure(sqlite3* database, int result, const std::string& doing) {
    if (is_out_of_space(database, result))
        return {STSYNC_NO_SPACE, "The disk is full while " + doing + ": make room."};
    const std::string said = " (" + reason(database, result) + ")";
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {STSYNC_BUSY, "Another program keeps the database locked while " + doing +
                                 ": end its open transaction if this lasts" + said + "."};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return {STSYNC_DENIED, "Not allowed or not possible while " + doing +
                                   ": give the service rights on the file and its folder" + said +
                                   "."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {STSYNC_CORRUPT,
                "The database is damaged or not one of SQLite, found while " + doing + said + "."};
    default:
        return {STSYNC_INTERNAL, "SQLite failed while " + doing + said + "."};
    }
}

} // namespace stationsync::sqlite
