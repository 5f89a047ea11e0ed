// Writes one backup of a database into a file and makes sure that it is a package.
#pragma once

#include "backup_header.hpp"
#include "exchange_folder.hpp"
#include "package_label.hpp"

namespace stationsync::sqlserver {

// COPY_ONLY, with checksums, under a name of ours: it touches no differential base and no log
// chain of the customer. `label` must have a content.
std::string backup_statement(std::string_view database, std::string_view file,
                             const PackageLabel& label, bool is_compressed);

class BackupJob {
public:
    // All references must outlive it. `worker` runs the BACKUP, `server` is asked for a session
    // that watches it.
    BackupJob(SqlServer& server, SqlSession& worker, const ServerFacts& facts,
              const ProviderSettings& settings, const sdk::Op& op)
        : server_(server), worker_(worker), facts_(facts), settings_(settings), op_(op) {}

    // Refuses, with sdk::Error(NO_SPACE), when `free` bytes are not enough for the backup; says
    // nothing where the size cannot be asked.
    void check_space(std::string_view database, std::uint64_t free,
                     const std::string& folder) const;

    // Throws sdk::Error with the sentence of the error table, or sdk::Cancelled; what is in the
    // file then is of no use.
    void write(std::string_view database, const ExchangeFile& file, const PackageLabel& label);

    // Reads the file back: it is one whole copy-only backup with checksums, of this label; with
    // `verify_backup` all of it is read. Gives the GUID of the backup set.
    std::string check(const ExchangeFile& file, const PackageLabel& label);

private:
    SqlServer& server_;
    SqlSession& worker_;
    const ServerFacts& facts_;
    const ProviderSettings& settings_;
    const sdk::Op& op_;
};

// Bytes that a backup of this database takes, uncompressed; nothing where that cannot be asked.
std::optional<std::uint64_t> backup_size(SqlSession& session, std::string_view database,
                                         const sdk::Op* op);

// RESTORE VERIFYONLY with progress; throws as BackupJob::write.
void verify_readable(SqlServer& server, SqlSession& worker, const ServerFacts& facts,
                     const ProviderSettings& settings, const std::string& file_there,
                     const sdk::Op& op);

} // namespace stationsync::sqlserver
