// What is known of the place that a package is to be restored to, asked before anything is touched.
#pragma once

#include "backup_header.hpp"
#include "database_evidence.hpp"

namespace stationsync::sqlserver {

struct LiveFile {
    std::int64_t id = 0;
    FileKind kind = FileKind::other;
    std::string name; // logical
    std::string path;
    std::uint64_t byte_count = 0;
};

struct Volume {
    std::string mount_point; // "C:\", "/"
    std::uint64_t free_bytes = 0;
};

struct TargetFacts {
    std::optional<DatabaseEntry> entry;     // nothing: there is no such database
    std::string family_guid;                // empty = unknown: it is not open
    std::vector<std::string> snapshots;     // of it
    std::vector<LiveFile> files;            // of it
    std::vector<Volume> volumes;            // that hold files of any database; empty = not told
    std::vector<std::string> thumbprints;   // bytes, of the certificates in master
    std::string master_folder;              // of the files of master
    std::vector<std::string> memory_groups; // its filegroups for tables in memory, where asked
    bool takes_contained = true;            // contained databases are allowed, or not asked
    bool has_baseline = false; // the service has seen it before; the caller fills it in
};

// The folder of a path with either kind of separator, with the separator at its end.
std::string folder_of(std::string_view path);

// The volume that a file would be on; null when none is known.
const Volume* volume_of(const std::vector<Volume>& volumes, std::string_view path) noexcept;

// `family`: of the database as far as it is known; empty = it is asked for, which opens all
// databases that AUTO_CLOSE has closed. What the login may not see of volumes and certificates is
// left empty. Throws sdk::Error, sdk::Cancelled.
TargetFacts ask_target_facts(SqlSession& session, const std::optional<DatabaseEntry>& entry,
                             const std::string& family, const sdk::Op* op);

// What only some packages need, so that it is asked for those alone: filegroups, where the list of
// files does not tell FILESTREAM from tables in memory, and whether contained databases may be
// restored. Throws as ask_target_facts.
void ask_feature_facts(SqlSession& session, const ServerFacts& server, const Backup& backup,
                       TargetFacts& facts, const sdk::Op* op);

// A session of others in a database.
struct Visitor {
    std::int64_t id = 0;
    std::string program;
    std::string computer;
    std::string login;
};

// Sessions in the database at this moment, without those of the server itself. Never throws for
// what the server refuses: then there are none.
std::vector<Visitor> ask_visitors(SqlSession& session, std::string_view database);

// "HMI on PANEL-3 (login plant), …", at most five; empty when there are none.
std::string to_text(const std::vector<Visitor>& visitors);

} // namespace stationsync::sqlserver
