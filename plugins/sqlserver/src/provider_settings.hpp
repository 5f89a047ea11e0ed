// The keys of the configuration that say what is done with SQL Server; how it is reached is in
// settings.hpp.
#pragma once

#include "database_names.hpp"

#include <stationsync/host_ref.hpp>

#include <chrono>

namespace stationsync::sqlserver {

enum class RestoreMode : std::uint8_t {
    automatic,    // side by side, in place where disk space or a feature demands it
    side_by_side, // under another name first, then swapped in: seconds of outage, twice the space
    in_place,     // over the database, behind a copy of it
};

struct ProviderSettings {
    DatabaseNames databases;
    // Where backups are written and packages are read by SQL Server, as this computer names it and
    // as SQL Server does; empty = where the host keeps them.
    std::filesystem::path backup_folder;
    std::string backup_folder_on_server;
    // Where the host keeps them, and those that were fetched for this provider; empty = not told.
    std::filesystem::path packages_folder;
    std::filesystem::path fetched_folder;
    bool compresses = false;         // where the edition can
    bool verifies_backups = true;    // VERIFYONLY after each backup
    bool is_build_exact = false;     // stations must have the same build
    bool uncertain_is_change = true; // what may have changed counts as changed, at its oldest time
    std::uint64_t sum_bytes_max = std::uint64_t{64} << 20; // of databases whose rows are summed up
    std::chrono::seconds poll_interval{15};
    std::chrono::minutes stall_limit{10}; // of a BACKUP or RESTORE without progress

    RestoreMode restore_mode = RestoreMode::automatic;
    bool checks_database = false;        // DBCC CHECKDB before a restored database is used
    bool preserves_trustworthy = false;  // TRUSTWORTHY and DB_CHAINING as they were here
    bool preserves_broker = false;       // enable the broker where it was
    bool accepts_foreign_family = false; // overwrite a database that is another one by its GUID
    bool accepts_replication = false;    // restore over published, subscribed, CDC
    bool keeps_previous = false;         // leave the replaced database offline until the next apply
    std::string data_folder;             // of new files, as SQL Server sees it; empty = its default
    std::string log_folder;
    bool is_server_here = false; // SQL Server is on this computer, which then sees its folders
};

// Throws sdk::Error(INVALID_ARG) with the key that is wrong.
ProviderSettings provider_settings_of(const sdk::Host& host);

} // namespace stationsync::sqlserver
