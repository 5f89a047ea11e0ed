// What a SQL Server says about itself, and which others it can exchange databases with.
#pragma once

#include "sql_session.hpp"

#include <stationsync/provider.hpp>

namespace stationsync::sqlserver {

struct ServerVersion {
    int major = 0; // 16 = SQL Server 2022
    int minor = 0;
    int build = 0;
    int revision = 0;

    friend auto operator<=>(const ServerVersion&, const ServerVersion&) = default;
};

// "16.0.4105.2"; nothing for what is none.
std::optional<ServerVersion> parse_version(std::string_view text);
std::string to_text(const ServerVersion& version);

// "2022" of 16.0, "2008 R2" of 10.50, "version 18.0" of one that is not known yet.
std::string release_of(int major, int minor);

struct ServerFacts {
    ServerVersion version;
    int format = 0;           // internal version of database files, of `model`: 957 = 2022
    std::string level;        // RTM, SP2
    std::string update_level; // CU14, empty
    std::string edition;      // "Express Edition (64-bit)"
    std::int64_t edition_id = 0;
    int engine_edition = 0; // 2 Standard, 3 Enterprise, 4 Express …
    std::string collation;
    std::string machine;
    std::string instance; // empty = the default one
    std::string server;   // @@SERVERNAME
    bool is_local_db = false;
    bool is_clustered = false;
    bool is_hadr_enabled = false;
    bool has_in_memory = false;
    int filestream_level = 0;
    bool has_full_text = false;
    std::string data_folder; // where new files go; empty = not told
    std::string log_folder;
    std::string backup_folder;
    std::string path_separator; // "\" when not told
    bool is_linux = false;

    // "SQL Server 2022 (16.0.4105.2), Express Edition (64-bit)"
    std::string name() const;
    bool is_express() const noexcept { return engine_edition == 4; }
    // Of all data files of one database; nothing = no limit.
    std::optional<std::uint64_t> data_bytes_max() const noexcept;
    // WITH COMPRESSION; every edition restores it.
    bool can_compress() const noexcept;
    bool has_log_stats() const noexcept;       // sys.dm_db_log_stats: 2016 SP2
    bool has_file_exists() const noexcept;     // sys.dm_os_file_exists: 2017
    bool has_host_info() const noexcept;       // sys.dm_os_host_info: 2017
    bool has_connect_any() const noexcept;     // CONNECT ANY DATABASE: 2014
    bool splits_server_state() const noexcept; // VIEW SERVER PERFORMANCE STATE: 2022
};

std::string server_facts_statement();
ServerFacts parse_server_facts(const Row& row);

// Two questions. Throws sdk::Error, or sdk::Cancelled through `op`.
ServerFacts ask_server_facts(SqlSession& session, const sdk::Op* op);

// A sentence with cause and remedy when this server cannot be synchronized at all: Azure, LocalDB,
// before 2012. Empty = it can.
std::string unsupported_reason(const ServerFacts& facts);

// For compat: version and format EXACT, build too with `is_build_exact`, the rest for people.
std::vector<sdk::Token> tokens_of(const ServerFacts& facts, bool is_build_exact);

// For check_compat: one sentence per obstacle, naming both versions. The same verdict on both
// sides: a token counts as soon as one of them says EXACT.
std::vector<std::string> incompatibilities(const std::vector<sdk::Token>& ours,
                                           const std::vector<sdk::Token>& theirs);

// What works and is worth a word: other build, edition, collation.
std::vector<std::string> differences(const std::vector<sdk::Token>& ours,
                                     const std::vector<sdk::Token>& theirs);

// Of a backup, from RESTORE HEADERONLY.
struct HeaderVersion {
    ServerVersion version; // of the server that wrote it; the revision is not in a header
    int format = 0;        // DatabaseVersion
    std::string collation; // of the database
};
HeaderVersion parse_header_version(const Row& header);

struct PackageVerdict {
    std::string obstacle;              // empty = may be restored here
    std::vector<std::string> warnings; // with one sentence each
};
PackageVerdict judge_package(const HeaderVersion& header, const ServerFacts& facts,
                             bool is_build_exact);

} // namespace stationsync::sqlserver
