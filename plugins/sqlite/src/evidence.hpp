// Cheap signs from which one knows that a database has not changed since its content was read.
#pragma once

#include "connection.hpp"
#include "file_stamp.hpp"

#include <stationsync/types.h>

namespace stationsync::sqlite {

struct Evidence {
    FileStamp database;
    FileStamp log;        // -wal; one of 0 bytes counts as none: it holds nothing
    std::string counters; // read through SQLite: header of the file, state of the log

    // Nothing was written between two looks, unless both fall into one tick of the file system's
    // clock.
    bool has_same_files(const Evidence& other) const noexcept {
        return database == other.database && log == other.log;
    }

    // Counts the transactions of the file (sqlite.org/fileformat2.html, offset 24); nothing known
    // = 0.
    std::uint32_t change_counter() const noexcept;

    // When the content was last written as far as the files tell, microseconds UTC.
    stsync_time written_at() const noexcept;
};

// The part that needs no connection.
Evidence file_evidence(const std::filesystem::path& database);

// The part that needs one; within a transaction.
std::string counters_of(Connection& connection);

} // namespace stationsync::sqlite
