// The folder that backups go through: SQL Server opens the files with its own account, not with the
// one of this service.
#pragma once

#include "server_version.hpp"

#include <filesystem>

namespace stationsync::sqlserver {

// The account that SQL Server runs as. sys.dm_server_services needs VIEW SERVER STATE.
std::string service_account_statement();
// "NT SERVICE\MSSQL$SQLEXPRESS"; without an answer the one that setup makes, on Linux mssql.
std::string service_account(const Answer& answer, const ServerFacts& facts);

// Lines to type, one a line, that give `account` what it needs in `folder` (as SQL Server sees it).
// Windows: icacls in a command prompt. Linux: setfacl, for what is made there later too, for our
// own account `service` as well, and the way to the folder.
std::vector<std::string> grant_access_lines(std::string_view folder, std::string_view account,
                                            std::string_view service, bool is_linux);

enum class FolderProbe : std::uint8_t {
    readable,    // SQL Server opened the probe file
    denied,      // it may not
    not_there,   // it does not find it: another computer, or another name of the folder
    locked,      // another program holds the file
    unreachable, // a network folder
    unknown,
};

// A file of ours with random content, which SQL Server is asked to read: that it is no backup is
// the good answer.
std::string folder_probe_statement(std::string_view probe_file);
FolderProbe judge_folder_probe(const Answer& answer);

// For the self-test and for messages: text and remedy with the lines above.
sdk::Finding folder_finding(FolderProbe probe, std::string_view folder, std::string_view account,
                            std::string_view service, const ServerFacts& facts);

} // namespace stationsync::sqlserver
