// What one look at a server tells of its databases, and whether two looks saw the same state.
//
// Looks are taken from `master`. All but the fingerprint comes from one batch for all databases
// and wakes no database that AUTO_CLOSE has closed; the fingerprint is read inside one database.
#pragma once

#include "lsn.hpp"
#include "server_time.hpp"
#include "server_version.hpp"

#include <map>

namespace stationsync::sqlserver {

// A row of sys.databases, with what belongs to it.
struct DatabaseEntry {
    int id = 0;
    std::string name;
    // False: the name holds half a character, so no statement can name this database.
    bool has_exact_name = true;
    std::string state;  // ONLINE, RESTORING …
    std::string access; // MULTI_USER …
    bool is_read_only = false;
    bool is_standby = false;
    bool is_auto_close = false;
    bool is_snapshot = false;
    bool is_distributor = false;
    bool is_published = false; // in any way of replication, or subscribed
    bool is_cdc_enabled = false;
    bool is_encrypted = false;
    bool is_mirrored = false;
    bool is_in_group = false; // of availability
    bool is_trustworthy = false;
    bool is_db_chaining = false;
    bool is_broker_enabled = false;
    int containment = 0;
    LocalTime created = 0; // also by a RESTORE and by a change of the name
    std::string owner;     // empty: nobody that the server knows
    std::string recovery_model;
    std::optional<std::string> collation; // nothing while AUTO_CLOSE has closed the database
    std::optional<int> compatibility;     // as well
    std::uint64_t data_bytes = 0;         // of its data files, as large as they are
    // Options that travel in a backup; empty while the database is closed.
    std::string options;

    bool is_online() const noexcept { return state == "ONLINE" && !is_standby; }
    // AUTO_CLOSE has closed it: nothing can have changed since.
    bool is_closed() const noexcept { return is_online() && !collation; }
};

// Whether anything at all was written. Equal gates of one incarnation prove that nothing was; other
// ones prove nothing.
struct Gate {
    std::optional<Lsn> log_end; // nothing before 2016 SP2
    std::optional<Lsn> log_min; // the log reaches back to here
    // Of the log files, since the database was opened.
    std::optional<std::int64_t> log_writes;
    std::optional<std::int64_t> log_bytes;

    friend bool operator==(const Gate&, const Gate&) = default;
};

// What users did since the database was opened; nothing = nobody did anything, or not counted.
struct Usage {
    std::optional<std::int64_t> updates;
    std::optional<LocalTime> last_update;

    friend bool operator==(const Usage&, const Usage&) = default;
};

// The newest row of msdb.dbo.restorehistory for a name of a database, with the backup it used.
struct RestoreRow {
    std::int64_t id = 0;
    LocalTime restored = 0;
    std::string backup_set;            // GUID in upper case; empty = unknown
    std::optional<LocalTime> finished; // the backup, by the clock of the server that made it
    std::string description;           // of the backup, hostile: see package_label.hpp

    friend bool operator==(const RestoreRow&, const RestoreRow&) = default;
};

// What lies in the database itself and survives a restart. Parts are compared as texts, by name.
struct Fingerprint {
    std::map<std::string, std::string> parts;
    // Of statistics: an update of statistics takes them back to 0 and moves the time.
    std::optional<std::int64_t> modifications;
    std::optional<LocalTime> statistics_updated;
    std::optional<LocalTime> newest_object; // modify_date
    bool has_memory_tables = false;         // their writes are not among those of Usage
    // Attempts to write rows of them, since the database was opened; nothing before 2014.
    std::optional<std::int64_t> memory_writes;
    // Nothing where they were not asked for: the view that has them opens closed databases.
    std::string database_guid;
    std::string family_guid;
    std::string fork_guid;

    // Names of the parts that differ, for the log.
    std::vector<std::string> differences(const Fingerprint& other) const;
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

struct DatabaseLook {
    ServerMoment moment;
    LocalTime started = 0;    // the instance
    bool counts_usage = true; // false: trace flag 2330
    // Not closed by AUTO_CLOSE since the evidence it is compared with: a session of ours is in it.
    bool was_kept_open = false;
    DatabaseEntry entry;
    std::optional<Gate> gate; // nothing unless the database is open
    Usage usage;
    bool knows_history = false; // false: msdb could not be read
    std::optional<RestoreRow> restore;
    std::optional<Fingerprint> fingerprint;
};

struct ServerLook {
    ServerMoment moment;
    std::vector<DatabaseLook> databases; // without those of the system
    // Sentences with the GRANT line, when msdb cannot be read: restores are then known by their
    // traces in the database only.
    std::string history_problem;

    const DatabaseLook* find(std::string_view name) const noexcept;
};

// True where asking for the GUIDs would open a database that is closed.
bool has_closed_database(const ServerLook& look) noexcept;

// The first result that has this column; null when there is none.
const ResultSet* result_with(const Answer& answer, std::string_view column) noexcept;

// From a row with user_updates and last_user_update; from one of fingerprint_statement, without the
// GUIDs. Throws sdk::Error for a row of another shape.
Usage usage_of(const Row& row);
Fingerprint fingerprint_of(const Row& row);

std::string look_statement(const ServerFacts& facts);
std::string fingerprint_statement(std::string_view database, const ServerFacts& facts,
                                  bool with_guids);

// `now` = the station's clock, read beside the statement. Throws sdk::Error, DENIED with the GRANT
// line when VIEW SERVER STATE is missing, or sdk::Cancelled through `op`.
ServerLook look_at_server(SqlSession& session, const ServerFacts& facts,
                          const std::function<stsync_time()>& now, const sdk::Op* op);

// Opens the database where AUTO_CLOSE has closed it. Throws as above.
Fingerprint read_fingerprint(SqlSession& session, const ServerFacts& facts,
                             std::string_view database, bool with_guids, const sdk::Op* op);

// Both, for one database, fingerprint included when it is online; two statements. Nothing when
// there is no such database.
std::optional<DatabaseLook> look_at_database(SqlSession& session, const ServerFacts& facts,
                                             std::string_view database,
                                             const std::function<stsync_time()>& now,
                                             const sdk::Op* op);

// The newest restore of this backup set on this server, whatever the database was called then;
// nothing when there is none, or msdb cannot be read.
std::optional<RestoreRow> find_restore(SqlSession& session, std::string_view backup_set,
                                       const sdk::Op* op);

} // namespace stationsync::sqlserver
