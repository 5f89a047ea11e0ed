// What a backup file says of itself. It comes from elsewhere: nothing of it may reach a statement
// other than through quoting.hpp.
#pragma once

#include "errors.hpp"
#include "lsn.hpp"
#include "server_version.hpp"

#include <functional>

namespace stationsync::sqlserver {

// One row of RESTORE LABELONLY.
struct BackupLabel {
    std::string media_name;
    std::int64_t family_count = 1; // more than one: striped over several files
};

// One row of RESTORE HEADERONLY. Times are local to the server that wrote it.
struct BackupHeader {
    HeaderVersion version;
    std::string name;
    std::string description;
    std::string database;
    std::int64_t kind = 0; // BackupType: 1 = a whole database
    std::int64_t position = 1;
    int compatibility_level = 0;
    std::string recovery_model;
    std::string family_guid; // of the database and all its restored copies
    std::string fork_guid;
    std::string set_guid; // of this backup; rows of msdb.dbo.backupset carry it
    std::optional<Lsn> first_lsn;
    std::optional<Lsn> last_lsn;
    std::optional<DateTime> started;
    std::optional<DateTime> finished;
    bool is_damaged = false;
    bool has_checksums = false;
    bool is_copy_only = false;
    bool is_single_user = false;
    bool is_read_only = false;
    bool is_snapshot = false;
    bool is_compressed = false;
    std::int64_t containment = 0;     // 1 = partially contained
    std::string key_algorithm;        // empty = the backup is not encrypted
    std::string encryptor_thumbprint; // bytes
};

enum class FileKind : std::uint8_t { data, log, stream, full_text, other };

// One row of RESTORE FILELISTONLY.
struct BackupFile {
    std::string name; // logical
    std::string path; // at the server that wrote it
    FileKind kind = FileKind::other;
    std::string filegroup;
    std::uint64_t byte_count = 0; // when restored
    std::int64_t id = 0;
    std::string tde_thumbprint; // bytes; empty = not encrypted
    bool is_present = true;
};

struct Backup {
    BackupLabel label;
    std::vector<BackupHeader> headers; // one for each backup in the file; a package has one
    std::vector<BackupFile> files;

    // The only one; throws sdk::Error(CORRUPT) when there are none or several.
    const BackupHeader& header() const;
    std::uint64_t data_bytes() const noexcept; // of all data files
    std::uint64_t all_bytes() const noexcept;  // of all files once restored
};

std::string label_statement(std::string_view file);
std::string header_statement(std::string_view file);
std::string file_list_statement(std::string_view file);
std::string verify_statement(std::string_view file);

// Columns are found by name, for each version has others; one that a version lacks is as if NULL.
BackupLabel parse_label(const Row& row);
BackupHeader parse_header(const Row& row);
BackupFile parse_file(const Row& row);

// Three questions; `file` as SQL Server sees it. Throws sdk::Error with what the server says of the
// file (CORRUPT, DENIED …), or sdk::Cancelled through `op`. `values_of_failure` is asked, in the
// same session, for more values of the sentence when SQL Server may not use the file.
Backup read_backup(SqlSession& session, std::string_view file, const sdk::Op* op,
                   const std::function<Values()>& values_of_failure = {});

// One sentence when the file is no package of this provider, whatever is in it: not exactly one
// backup, of another kind, without checksums, damaged, not copy-only, striped, files missing.
// Empty = it is one.
std::string defect_of(const Backup& backup);

} // namespace stationsync::sqlserver
