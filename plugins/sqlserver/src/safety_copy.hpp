// The copy that a restore in place falls back upon: where it is, and what is said of one that is
// found without any record of its restore.
#pragma once

#include "exchange_folder.hpp"
#include "restore_scene.hpp"

namespace stationsync::sqlserver {

struct SafetyCopy {
    std::string there; // as SQL Server sees it
    std::string here;  // as this computer does
};

// In the folder that is configured for exchange, else in the server's own for backups, else beside
// the package; under a name that is the same each time.
SafetyCopy safety_copy_of(const RestoreScene& scene, const ExchangeFolder& folder,
                          const std::string& database, const std::filesystem::path& package);

// Sentence with the statement to run, where that file is a copy of this database. Throws
// sdk::Cancelled.
std::optional<std::string> safety_copy_text(SqlSession& session, const std::string& database,
                                            const std::string& there, const sdk::Op* op);

} // namespace stationsync::sqlserver
