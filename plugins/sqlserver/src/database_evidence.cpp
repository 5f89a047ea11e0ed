#include "database_evidence.hpp"

#include "errors.hpp"
#include "job_outcome.hpp"
#include "permissions.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr std::uint64_t page_size = 8192;
constexpr int major_2014 = 12;

std::string text_of(const Row& row, std::string_view column) {
    return row[column].text().value_or("");
}

bool flag_of(const Row& row, std::string_view column) {
    return row[column].flag().value_or(false);
}

std::optional<LocalTime> time_of(const Row& row, std::string_view column) {
    const auto time = row[column].date_time();
    return time ? std::optional(time->microseconds()) : std::nullopt;
}

// Any type, as the driver writes it; "-" for NULL.
std::string shown(const Row& row, std::string_view column) {
    return row[column].text().value_or("-");
}

std::string inventory_statement() {
    return "SELECT d.database_id, d.name, d.state_desc, d.user_access_desc, d.is_read_only, "
           "d.is_in_standby, d.is_auto_close_on, d.source_database_id, d.create_date, "
           "d.recovery_model_desc, d.compatibility_level, d.collation_name, "
           "SUSER_SNAME(d.owner_sid) AS owner_name, d.is_trustworthy_on, d.is_db_chaining_on, "
           "d.is_broker_enabled, d.is_published, d.is_merge_published, d.is_subscribed, "
           "d.is_cdc_enabled, d.is_distributor, d.is_encrypted, d.containment, d.replica_id, "
           "d.is_read_committed_snapshot_on, d.snapshot_isolation_state, d.page_verify_option, "
           "m.mirroring_guid, "
           "(SELECT SUM(CONVERT(bigint, f.size)) FROM sys.master_files f "
           "WHERE f.database_id = d.database_id AND f.type = 0) AS data_pages, "
           "SYSDATETIMEOFFSET() AS now_here "
           "FROM sys.databases d "
           "LEFT JOIN sys.database_mirroring m ON m.database_id = d.database_id "
           "WHERE d.database_id > 4";
}

// A database that is closed is left out: these views would open it.
std::string gate_statement(bool has_log_stats) {
    return std::string("SELECT d.database_id, ") +
           (has_log_stats ? "l.log_end_lsn, l.log_min_lsn, "
                          : "CONVERT(nvarchar(24), NULL) AS log_end_lsn, "
                            "CONVERT(nvarchar(24), NULL) AS log_min_lsn, ") +
           "f.log_writes, f.log_bytes, u.user_updates, u.last_user_update, i.sqlserver_start_time "
           "FROM sys.databases d CROSS JOIN sys.dm_os_sys_info i " +
           (has_log_stats ? "OUTER APPLY sys.dm_db_log_stats(d.database_id) l " : "") +
           "OUTER APPLY (SELECT SUM(v.num_of_writes) AS log_writes, "
           "SUM(v.num_of_bytes_written) AS log_bytes FROM sys.master_files m "
           "CROSS APPLY sys.dm_io_virtual_file_stats(m.database_id, m.file_id) v "
           "WHERE m.database_id = d.database_id AND m.type = 1) f "
           "OUTER APPLY (SELECT SUM(s.user_updates) AS user_updates, "
           "MAX(s.last_user_update) AS last_user_update FROM sys.dm_db_index_usage_stats s "
           "WHERE s.database_id = d.database_id) u "
           "WHERE d.database_id > 4 AND d.state = 0 AND d.collation_name IS NOT NULL";
}

std::string restore_columns() {
    return "SELECT r.destination_database_name, r.restore_history_id, r.restore_date, "
           "s.backup_set_uuid, s.backup_finish_date, s.description "
           "FROM msdb.dbo.restorehistory r "
           "LEFT JOIN msdb.dbo.backupset s ON s.backup_set_id = r.backup_set_id ";
}

std::string history_statement() {
    return restore_columns() +
           "WHERE r.restore_history_id IN (SELECT MAX(h.restore_history_id) "
           "FROM msdb.dbo.restorehistory h GROUP BY h.destination_database_name)";
}

DatabaseEntry parse_entry(const Row& row) {
    DatabaseEntry entry;
    entry.id = static_cast<int>(row["database_id"].integer().value_or(0));
    entry.name = text_of(row, "name");
    entry.has_exact_name = row["name"].is_exact();
    entry.state = text_of(row, "state_desc");
    entry.access = text_of(row, "user_access_desc");
    entry.is_read_only = flag_of(row, "is_read_only");
    entry.is_standby = flag_of(row, "is_in_standby");
    entry.is_auto_close = flag_of(row, "is_auto_close_on");
    entry.is_snapshot = !row["source_database_id"].is_null();
    entry.is_distributor = flag_of(row, "is_distributor");
    entry.is_published = flag_of(row, "is_published") || flag_of(row, "is_merge_published") ||
                         flag_of(row, "is_subscribed");
    entry.is_cdc_enabled = flag_of(row, "is_cdc_enabled");
    entry.is_encrypted = flag_of(row, "is_encrypted");
    entry.is_mirrored = !row["mirroring_guid"].is_null();
    entry.is_in_group = !row["replica_id"].is_null();
    entry.is_trustworthy = flag_of(row, "is_trustworthy_on");
    entry.is_db_chaining = flag_of(row, "is_db_chaining_on");
    entry.is_broker_enabled = flag_of(row, "is_broker_enabled");
    entry.containment = static_cast<int>(row["containment"].integer().value_or(0));
    entry.created = time_of(row, "create_date").value_or(0);
    entry.owner = text_of(row, "owner_name");
    entry.recovery_model = text_of(row, "recovery_model_desc");
    entry.collation = row["collation_name"].text();
    if (const auto level = row["compatibility_level"].integer())
        entry.compatibility = static_cast<int>(*level);
    entry.data_bytes = static_cast<std::uint64_t>(
                           std::max<std::int64_t>(row["data_pages"].integer().value_or(0), 0)) *
                       page_size;
    if (entry.collation)
        for (const char* const column :
             {"recovery_model_desc", "compatibility_level", "collation_name", "containment",
              "is_read_committed_snapshot_on", "snapshot_isolation_state", "page_verify_option"})
            entry.options += shown(row, column) + '|';
    return entry;
}

RestoreRow parse_restore(const Row& row) {
    RestoreRow restore;
    restore.id = row["restore_history_id"].integer().value_or(0);
    restore.restored = time_of(row, "restore_date").value_or(0);
    restore.backup_set = row["backup_set_uuid"].guid().value_or("");
    restore.finished = time_of(row, "backup_finish_date");
    restore.description = text_of(row, "description");
    return restore;
}

} // namespace

const ResultSet* result_with(const Answer& answer, std::string_view column) noexcept {
    for (const ResultSet& set : answer.results)
        if (set.has(column))
            return &set;
    return nullptr;
}

Usage usage_of(const Row& row) {
    return {row["user_updates"].integer(), time_of(row, "last_user_update")};
}

namespace {

DatabaseLook* find_by_id(ServerLook& look, std::int64_t id) noexcept {
    for (DatabaseLook& database : look.databases)
        if (database.entry.id == id)
            return &database;
    return nullptr;
}

void take_gates(const ResultSet& gates, ServerLook& look) {
    for (std::size_t i = 0; i < gates.rows.size(); ++i) {
        const Row row = gates.row(i);
        DatabaseLook* const database = find_by_id(look, row["database_id"].integer().value_or(0));
        if (database == nullptr)
            continue;
        Gate gate;
        if (const auto text = row["log_end_lsn"].text())
            gate.log_end = parse_lsn(*text);
        if (const auto text = row["log_min_lsn"].text())
            gate.log_min = parse_lsn(*text);
        gate.log_writes = row["log_writes"].integer();
        gate.log_bytes = row["log_bytes"].integer();
        database->gate = gate;
        database->usage = usage_of(row);
        database->started = time_of(row, "sqlserver_start_time").value_or(0);
    }
}

void take_restores(const ResultSet& restores, ServerLook& look) {
    for (DatabaseLook& database : look.databases)
        database.knows_history = true;
    for (std::size_t i = 0; i < restores.rows.size(); ++i) {
        const Row row = restores.row(i);
        const std::string name = text_of(row, "destination_database_name");
        for (DatabaseLook& database : look.databases)
            if (is_same_name(database.entry.name, name))
                database.restore = parse_restore(row);
    }
}

bool is_flag_on(const Answer& answer) {
    const ResultSet* const flags = result_with(answer, "TraceFlag");
    if (flags == nullptr)
        return false;
    for (std::size_t i = 0; i < flags->rows.size(); ++i)
        if (flag_of(flags->row(i), "Status"))
            return true;
    return false;
}

[[noreturn]] void refuse_look(const Answer& answer, const ServerFacts& facts) {
    Problem problem = problem_of(
        answer.messages, answer.ending, Phase::running,
        {{"grant", "GRANT " +
                       std::string(facts.splits_server_state() ? "VIEW SERVER PERFORMANCE STATE"
                                                               : "VIEW SERVER STATE") +
                       " TO the login of this service"}});
    throw problem.to_error();
}

// One column of the statement and how it is read.
struct Part {
    const char* name;
    const char* expression; // @ stands for the database
};

constexpr Part parts[] = {
    {"objects", "(SELECT COUNT_BIG(*) FROM @.sys.objects WHERE is_ms_shipped = 0)"},
    {"objects_sum", "(SELECT CHECKSUM_AGG(CHECKSUM(object_id, CONVERT(varbinary(8), modify_date))) "
                    "FROM @.sys.objects WHERE is_ms_shipped = 0)"},
    {"schemas", "(SELECT COUNT_BIG(*) FROM @.sys.schemas)"},
    {"schemas_sum",
     "(SELECT CHECKSUM_AGG(CHECKSUM(name, schema_id, principal_id)) FROM @.sys.schemas)"},
    {"types", "(SELECT COUNT_BIG(*) FROM @.sys.types WHERE is_user_defined = 1)"},
    {"types_sum", "(SELECT CHECKSUM_AGG(CHECKSUM(name, user_type_id, schema_id, max_length, "
                  "is_nullable)) FROM @.sys.types WHERE is_user_defined = 1)"},
    {"users", "(SELECT COUNT_BIG(*) FROM @.sys.database_principals)"},
    {"users_sum", "(SELECT CHECKSUM_AGG(CHECKSUM(name, principal_id, type, "
                  "CONVERT(varbinary(8), modify_date))) FROM @.sys.database_principals)"},
    {"permissions", "(SELECT COUNT_BIG(*) FROM @.sys.database_permissions)"},
    {"permissions_sum", "(SELECT CHECKSUM_AGG(CHECKSUM(class, major_id, minor_id, "
                        "grantee_principal_id, type, state)) FROM @.sys.database_permissions)"},
    {"members", "(SELECT COUNT_BIG(*) FROM @.sys.database_role_members)"},
    {"members_sum", "(SELECT CHECKSUM_AGG(CHECKSUM(role_principal_id, member_principal_id)) "
                    "FROM @.sys.database_role_members)"},
    {"partitions_sum", "(SELECT CHECKSUM_AGG(CHECKSUM(function_id, "
                       "CONVERT(varbinary(8), modify_date))) FROM @.sys.partition_functions)"},
    {"sequences", "(SELECT SUM(CONVERT(float, current_value)) FROM @.sys.sequences)"},
    {"identities", "(SELECT SUM(CONVERT(float, last_value)) FROM @.sys.identity_columns)"},
    {"rows", "(SELECT SUM(p.row_count) FROM @.sys.dm_db_partition_stats p JOIN @.sys.tables t "
             "ON t.object_id = p.object_id WHERE p.index_id < 2)"},
    {"queue_rows", "(SELECT SUM(p.row_count) FROM @.sys.dm_db_partition_stats p "
                   "JOIN @.sys.service_queues q ON q.object_id = p.object_id "
                   "WHERE p.index_id < 2)"},
};

constexpr Part others[] = {
    {"newest_object", "(SELECT MAX(modify_date) FROM @.sys.objects WHERE is_ms_shipped = 0)"},
    {"modifications", "(SELECT SUM(c.modification_counter) FROM @.sys.tables t JOIN @.sys.stats s "
                      "ON s.object_id = t.object_id "
                      "CROSS APPLY @.sys.dm_db_stats_properties(s.object_id, s.stats_id) c)"},
    {"statistics_updated", "(SELECT MAX(c.last_updated) FROM @.sys.tables t JOIN @.sys.stats s "
                           "ON s.object_id = t.object_id "
                           "CROSS APPLY @.sys.dm_db_stats_properties(s.object_id, s.stats_id) c)"},
    {"memory_filegroups", "(SELECT COUNT_BIG(*) FROM @.sys.filegroups WHERE type = 'FX')"},
};

std::string column(const Part& part, const std::string& database) {
    std::string text;
    for (const char byte : std::string_view(part.expression))
        text += byte == '@' ? database : std::string(1, byte);
    return text + " AS " + part.name;
}

} // namespace

std::vector<std::string> Fingerprint::differences(const Fingerprint& other) const {
    std::vector<std::string> names;
    for (const auto& [name, value] : parts) {
        const auto at = other.parts.find(name);
        if (at != other.parts.end() && at->second != value)
            names.push_back(name);
    }
    return names;
}

const DatabaseLook* ServerLook::find(std::string_view name) const noexcept {
    const DatabaseLook* found = nullptr;
    for (const DatabaseLook& database : databases) {
        if (database.entry.name == name)
            return &database;
        if (is_same_name(database.entry.name, name))
            found = &database;
    }
    return found;
}

bool has_closed_database(const ServerLook& look) noexcept {
    return std::any_of(look.databases.begin(), look.databases.end(),
                       [](const DatabaseLook& each) { return each.entry.is_closed(); });
}

std::string look_statement(const ServerFacts& facts) {
    return inventory_statement() + "; " + gate_statement(facts.has_log_stats()) +
           "; DBCC TRACESTATUS(2330, -1) WITH NO_INFOMSGS; " + history_statement() + ';';
}

std::string fingerprint_statement(std::string_view database, const ServerFacts& facts,
                                  bool with_guids) {
    // sys.dm_db_stats_properties came with 2012 SP1.
    const bool has_counters = facts.version >= ServerVersion{11, 0, 3000, 0};
    const std::string name = quoted_name(database);
    std::string statement = "SELECT ";
    for (const Part& part : parts)
        statement += column(part, name) + ", ";
    for (const Part& part : others)
        statement += (has_counters || std::string_view(part.expression).find("_stats_prop") ==
                                          std::string_view::npos
                          ? column(part, name)
                          : std::string("NULL AS ") + part.name) +
                     ", ";
    if (!with_guids)
        return statement + "NULL AS database_guid, NULL AS family_guid, NULL AS fork_guid";
    return statement +
           "r.database_guid, r.family_guid, r.recovery_fork_guid AS fork_guid "
           "FROM sys.database_recovery_status r WHERE r.database_id = DB_ID(" +
           quoted_text(database) + ')';
}

ServerLook look_at_server(SqlSession& session, const ServerFacts& facts,
                          const std::function<stsync_time()>& now, const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    const stsync_time before = now();
    const Answer answer = session.run(look_statement(facts), options);
    const ResultSet* const inventory = result_with(answer, "state_desc");
    const ResultSet* const gates = result_with(answer, "log_writes");
    if (answer.ending == Ending::cancelled || answer.ending == Ending::late ||
        answer.ending == Ending::lost)
        require_complete(answer, op);
    if (inventory == nullptr || gates == nullptr)
        refuse_look(answer, facts);
    ServerLook look;
    const bool counts_usage = !is_flag_on(answer);
    for (std::size_t i = 0; i < inventory->rows.size(); ++i) {
        const Row row = inventory->row(i);
        DatabaseLook database;
        database.entry = parse_entry(row);
        database.counts_usage = counts_usage;
        if (const auto here = row["now_here"].date_time()) {
            look.moment = {before, here->microseconds(), here->offset_minutes.value_or(0)};
            database.moment = look.moment;
        }
        look.databases.push_back(std::move(database));
    }
    take_gates(*gates, look);
    if (const ResultSet* const restores = result_with(answer, "restore_history_id"))
        take_restores(*restores, look);
    else
        look.history_problem =
            problem_of(answer.messages, answer.ending, Phase::running, {}).sentence;
    return look;
}

Fingerprint fingerprint_of(const Row& row) {
    Fingerprint fingerprint;
    for (const Part& part : parts)
        fingerprint.parts[part.name] = shown(row, part.name);
    fingerprint.newest_object = time_of(row, "newest_object");
    fingerprint.modifications = row["modifications"].integer();
    fingerprint.statistics_updated = time_of(row, "statistics_updated");
    fingerprint.has_memory_tables = row["memory_filegroups"].integer().value_or(0) > 0;
    return fingerprint;
}

Fingerprint read_fingerprint(SqlSession& session, const ServerFacts& facts,
                             std::string_view database, bool with_guids, const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    const Answer answer = session.run(fingerprint_statement(database, facts, with_guids), options);
    require_complete(answer, op);
    const Row row = answer.row();
    Fingerprint fingerprint = fingerprint_of(row);
    // Asked only where there are such tables: not every edition answers.
    if (fingerprint.has_memory_tables && facts.version.major >= major_2014) {
        const Answer writes = session.run(
            "SELECT SUM(row_insert_attempts + row_update_attempts + row_delete_attempts) AS writes "
            "FROM " +
                quoted_name(database) + ".sys.dm_db_xtp_object_stats",
            options);
        if (writes.ending != Ending::failed)
            require_complete(writes, op);
        if (writes.is_complete())
            fingerprint.memory_writes = writes.row()["writes"].integer().value_or(0);
    }
    if (with_guids) {
        fingerprint.database_guid = row["database_guid"].guid().value_or("");
        fingerprint.family_guid = row["family_guid"].guid().value_or("");
        fingerprint.fork_guid = row["fork_guid"].guid().value_or("");
    }
    return fingerprint;
}

std::optional<DatabaseLook> look_at_database(SqlSession& session, const ServerFacts& facts,
                                             std::string_view database,
                                             const std::function<stsync_time()>& now,
                                             const sdk::Op* op) {
    const ServerLook server = look_at_server(session, facts, now, op);
    const DatabaseLook* const found = server.find(database);
    if (found == nullptr)
        return std::nullopt;
    DatabaseLook look = *found;
    if (look.entry.is_online() && look.entry.has_exact_name)
        look.fingerprint =
            read_fingerprint(session, facts, look.entry.name, !has_closed_database(server), op);
    return look;
}

std::optional<RestoreRow> find_restore(SqlSession& session, std::string_view backup_set,
                                       const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    const Answer answer =
        session.run(restore_columns() + "WHERE s.backup_set_uuid = " + quoted_text(backup_set) +
                        " ORDER BY r.restore_history_id DESC",
                    options);
    if (answer.ending != Ending::failed)
        require_complete(answer, op);
    const ResultSet* const restores = result_with(answer, "restore_history_id");
    if (restores == nullptr || restores->rows.empty())
        return std::nullopt;
    return parse_restore(restores->row(0));
}

} // namespace stationsync::sqlserver
