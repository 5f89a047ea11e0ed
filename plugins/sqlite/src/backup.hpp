// SQLite's online backup: copies a database page by page, each page to the same place.
#pragma once

#include "connection.hpp"

namespace stationsync::sqlite {

class Backup {
public:
    // Both connections must outlive the object; neither may be used otherwise meanwhile, except for
    // a read transaction of the source and file controls.
    Backup(Connection& source, Connection& target);

    // Takes the write lock of the target without copying anything.
    void lock_target() { step(0); }
    // Copies up to `pages` pages; the last of them commits. True when all is done.
    bool step(int pages);

    // Known after the first step.
    std::uint64_t pages_left() const noexcept;
    std::uint64_t page_count() const noexcept;

private:
    struct Finish {
        // Without a completed last step the target is rolled back.
        void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
    };
    Connection& source_;
    Connection& target_;
    std::unique_ptr<sqlite3_backup, Finish> backup_;
};

} // namespace stationsync::sqlite
