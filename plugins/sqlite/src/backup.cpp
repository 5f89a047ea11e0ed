#include "backup.hpp"

namespace stationsync::sqlite {

Backup::Backup(Connection& source, Connection& target)
    : source_(source),
      target_(target),
      backup_(sqlite3_backup_init(target.raw(), "main", source.raw(), "main")) {
    if (backup_ == nullptr)
        target.fail(sqlite3_extended_errcode(target.raw()), "copying to " + target.name());
}

bool Backup::step(int pages) {
    const int result = sqlite3_backup_step(backup_.get(), pages);
    if (result == SQLITE_DONE)
        return true;
    if (result == SQLITE_OK)
        return false;
    target_.fail(result, "copying " + source_.name() + " to " + target_.name());
}

std::uint64_t Backup::pages_left() const noexcept {
    return static_cast<std::uint64_t>(sqlite3_backup_remaining(backup_.get()));
}

std::uint64_t Backup::page_count() const noexcept {
    return static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup_.get()));
}

} // namespace stationsync::sqlite
