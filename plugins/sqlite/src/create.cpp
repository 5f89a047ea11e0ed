#include "live_database.hpp"
#include "new_file.hpp"
#include "replace.hpp"

#include <stationsync/files.hpp>
#include <stationsync/testing/fault_point.h>

#include <fstream>
#include <vector>

namespace stationsync::sqlite {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = std::size_t{1} << 20;

void copy_file(const fs::path& from, const fs::path& to, const sdk::Op& op) {
    std::ifstream source(from, std::ios::binary);
    std::ofstream target(to, std::ios::binary | std::ios::trunc);
    std::vector<char> block(block_bytes);
    while (source && target) {
        op.check();
        source.read(block.data(), static_cast<std::streamsize>(block.size()));
        errno = 0;
        target.write(block.data(), source.gcount());
    }
    target.close();
    if (source.eof() && target)
        return;
    const std::error_code code(errno, std::system_category());
    throw sdk::Error(sdk::status_of(code),
                     "Writing " + sdk::utf8_from_path(to) + " failed: " + code.message() + ".");
}

// A log or journal of a database that is gone would be played into the new one.
void remove_leftovers(const fs::path& live) {
    for (const char* suffix : {"-wal", "-journal", "-shm"}) {
        fs::path leftover = live;
        leftover += suffix;
        std::error_code failure;
        fs::remove(leftover, failure);
        sdk::detail::require(failure, "Removing", leftover);
    }
}

} // namespace

void create_database(const Replacement& wanted, Record& record, const sdk::Op& op,
                     const std::string& temp_name, stsync_time now) {
    const fs::path folder = wanted.live.parent_path();
    const fs::path temp = folder / sdk::path_from_utf8(temp_name);
    sdk::detail::Litter litter(temp);
    copy_file(wanted.package, temp, op);
    inherit_rights(temp, folder);
    sdk::detail::require(sdk::detail::sync_file(temp), "Writing", temp);
    STSYNC_FAULT_POINT("sqlite.create.copied");
    op.begin_commit();
    if (!is_present(file_evidence(wanted.live)))
        remove_leftovers(wanted.live);
    STSYNC_FAULT_POINT("sqlite.create.cleared");
    const std::error_code failure = rename_new(temp, wanted.live);
    if (failure == std::errc::file_exists)
        throw sdk::Error(STSYNC_CONFLICT,
                         sdk::utf8_from_path(wanted.live.filename()) + " has appeared meanwhile.");
    sdk::detail::require(failure, "Making", wanted.live);
    litter.release();
    STSYNC_FAULT_POINT("sqlite.create.renamed");
    sdk::detail::require(sdk::detail::sync_directory(folder), "Writing the folder", folder);

    Evidence evidence = file_evidence(wanted.live);
    // Whoever opens the database from now on leaves traces in the evidence; its counters are read
    // at the next look.
    record.folder_volume = stamp_of(folder).volume;
    record.take(wanted.content, evidence, false, now);
    record.flags = 0;
    record.changed_at = evidence.database.is_present ? evidence.written_at() : now;
    record.changed_not_before = STSYNC_TIME_NONE;
}

} // namespace stationsync::sqlite
