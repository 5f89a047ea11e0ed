// Whether SQL Server reaches the folder that backups go through.
#pragma once

#include "exchange_folder.hpp"
#include "folder_access.hpp"

namespace stationsync::sqlserver {

// Puts a file with random content into the folder and has SQL Server read it. `near` = a package's
// path, where no folder is configured. Throws sdk::Error when the server cannot be asked at all, or
// sdk::Cancelled.
sdk::Finding check_folder(SqlSession& session, const ServerFacts& facts,
                          const ExchangeFolder& folder, const std::filesystem::path& near,
                          const ProviderSettings& settings, const sdk::Op* op);

// The folder that the account of SQL Server needs its rights on for a file, as SQL Server sees it:
// the one that all packages of the host lie below, for each of them has a folder of its own, or the
// file's own.
std::string rights_folder(const ProviderSettings& settings, const std::string& file_there);

// What stands for {access} and {folder} in the sentences of the error table: the account of SQL
// Server and the lines that give it what it needs.
std::map<std::string, std::string, std::less<>> folder_values(SqlSession& session,
                                                              const ServerFacts& facts,
                                                              const std::string& folder_there,
                                                              const sdk::Op* op);

} // namespace stationsync::sqlserver
