#include "preconditions.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>

namespace stationsync::sqlserver {

namespace {

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

const DatabaseEntry* entry_of(const RestoreCase& restore) noexcept {
    return restore.target.entry ? &*restore.target.entry : nullptr;
}

std::string judge_name(const RestoreCase& restore) {
    if (!is_system_name(restore.database))
        return "";
    return in_quotes(restore.database) +
           " is a system database; those are never synchronized. Take "
           "it out of the configuration.";
}

std::string judge_header_name(const RestoreCase& restore) {
    const std::string& name = restore.backup.header().database;
    if (!is_system_name(name))
        return "";
    return "The package of " + in_quotes(restore.database) + " holds the system database " +
           in_quotes(name) +
           " of another server; those are never restored. Take it out of the "
           "configuration where it was made.";
}

std::string judge_server(const RestoreCase& restore) {
    return unsupported_reason(restore.server);
}

std::string judge_version(const RestoreCase& restore) {
    return judge_package(restore.backup.header().version, restore.server,
                         restore.settings.is_build_exact)
        .obstacle;
}

std::string judge_snapshot(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry != nullptr && entry->is_snapshot)
        return in_quotes(restore.database) +
               " is a database snapshot, so nothing can be restored "
               "into it. Drop it, or take it out of the configuration.";
    if (restore.target.snapshots.empty())
        return "";
    return in_quotes(restore.database) + " has the database snapshot " +
           in_quotes(restore.target.snapshots.front()) +
           ", and SQL Server replaces no database that has one. Drop the snapshot.";
}

std::string judge_group(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || !entry->is_in_group)
        return "";
    return in_quotes(restore.database) + " belongs to an availability group, so it cannot be "
                                         "replaced. Take it out of the group, or out of this "
                                         "provider.";
}

std::string judge_mirror(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || !entry->is_mirrored)
        return "";
    return in_quotes(restore.database) +
           " is mirrored, so it cannot be replaced. End the mirroring, "
           "or take it out of this provider.";
}

std::string judge_replication(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || restore.settings.accepts_replication)
        return "";
    if (entry->is_distributor)
        return in_quotes(restore.database) +
               " is a distribution database of replication; those are "
               "never replaced. Take it out of this provider.";
    if (entry->is_published)
        return in_quotes(restore.database) +
               " takes part in replication, which replacing it would "
               "break. End the replication, or set accept_replication = "
               "true.";
    if (entry->is_cdc_enabled)
        return in_quotes(restore.database) +
               " has change data capture on, which replacing it would "
               "end. Turn it off, or set accept_replication = true.";
    return "";
}

std::string judge_standby(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || !entry->is_standby)
        return "";
    return in_quotes(restore.database) +
           " is a standby copy that somebody feeds with log backups. "
           "End that with RESTORE DATABASE … WITH RECOVERY, or take it "
           "out of this provider.";
}

std::string judge_state(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || entry->state == "ONLINE")
        return "";
    if (entry->state == "OFFLINE")
        return in_quotes(restore.database) +
               " was taken offline by somebody, so it is not replaced. "
               "Bring it online with ALTER DATABASE … SET ONLINE.";
    if (entry->state == "RESTORING")
        return in_quotes(restore.database) + " is in a restore of somebody else, so it is not "
                                             "replaced. End or repeat that restore.";
    return in_quotes(restore.database) + " is " + entry->state +
           ", so what is in it cannot be kept, and it is not replaced. Look into the error log of "
           "SQL Server, and repair, restore or drop it.";
}

std::string judge_read_only(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || !entry->is_read_only)
        return "";
    return in_quotes(restore.database) + " is read-only here, so it is not replaced. Allow it with "
                                         "ALTER DATABASE … SET READ_WRITE.";
}

std::string judge_single_user(const RestoreCase& restore) {
    const DatabaseEntry* const entry = entry_of(restore);
    if (entry == nullptr || entry->access != "SINGLE_USER")
        return "";
    return single_user_sentence(restore.database);
}

std::string judge_family(const RestoreCase& restore) {
    if (!is_foreign_family(restore) || restore.settings.accepts_foreign_family ||
        !restore.target.has_baseline)
        return "";
    return "The package holds another database than the one called " + in_quotes(restore.database) +
           " here: they only share the name. Rename one of the two, or let the package win with "
           "accept_foreign_family = true.";
}

bool has_certificate(const RestoreCase& restore, const std::string& thumbprint) {
    const std::vector<std::string>& known = restore.target.thumbprints;
    return thumbprint.empty() || std::find(known.begin(), known.end(), thumbprint) != known.end();
}

std::string judge_certificate(const RestoreCase& restore) {
    bool has_all = has_certificate(restore, restore.backup.header().encryptor_thumbprint);
    for (const BackupFile& file : restore.backup.files)
        has_all = has_all && has_certificate(restore, file.tde_thumbprint);
    if (has_all)
        return "";
    return "The package of " + in_quotes(restore.database) +
           " is encrypted, and this SQL Server "
           "lacks the certificate for it. Restore "
           "the certificate from the other station "
           "in master (CREATE CERTIFICATE … FROM "
           "FILE).";
}

bool has_stream_files(const RestoreCase& restore) {
    return std::any_of(restore.backup.files.begin(), restore.backup.files.end(),
                       [](const BackupFile& file) { return file.kind == FileKind::stream; });
}

// The list of files does not tell which of the two it is.
std::string judge_streams(const RestoreCase& restore) {
    if (!has_stream_files(restore) || restore.server.filestream_level > 0 ||
        restore.server.has_in_memory)
        return "";
    return "The package of " + in_quotes(restore.database) +
           " uses FILESTREAM or in-memory tables, "
           "and this SQL Server has neither. Turn "
           "FILESTREAM on in SQL Server "
           "Configuration Manager, or install an "
           "edition with in-memory tables.";
}

// Where it is in memory here, it is there. Else RESTORE would tell, but only after its users have
// been put out; where there is none yet, RESTORE may tell.
std::string judge_unknown_streams(const RestoreCase& restore) {
    if (!has_stream_files(restore) || restore.server.filestream_level > 0 ||
        entry_of(restore) == nullptr)
        return "";
    const std::vector<std::string>& known = restore.target.memory_groups;
    for (const BackupFile& file : restore.backup.files)
        if (file.kind == FileKind::stream &&
            std::none_of(known.begin(), known.end(), [&](const std::string& each) {
                return is_same_name(each, file.filegroup);
            }))
            return "The package of " + in_quotes(restore.database) + " has the filegroup " +
                   in_quotes(file.filegroup) +
                   " for FILESTREAM or in-memory tables, which the database here has not, and "
                   "FILESTREAM is off in this SQL Server. Turn it on in SQL Server Configuration "
                   "Manager, or, for in-memory tables, add a filegroup of that name that CONTAINS "
                   "MEMORY_OPTIMIZED_DATA to the database here.";
    return "";
}

std::string judge_containment(const RestoreCase& restore) {
    if (restore.backup.headers.size() != 1 || restore.backup.header().containment == 0 ||
        restore.target.takes_contained)
        return "";
    return "The package of " + in_quotes(restore.database) +
           " is a contained database, which this SQL Server does not allow. Allow it with EXEC "
           "sp_configure 'contained database authentication', 1; RECONFIGURE.";
}

std::string judge_express_limit(const RestoreCase& restore) {
    const auto limit = restore.server.data_bytes_max();
    const std::uint64_t size = restore.backup.data_bytes();
    if (!limit || size <= *limit)
        return "";
    return in_quotes(restore.database) + " has " +
           std::to_string((size + gibibyte - 1) / gibibyte) + " GiB of data files, and " +
           restore.server.edition + " allows " + std::to_string(*limit / gibibyte) +
           " GiB. Shrink it where it is made, or install a "
           "larger edition here.";
}

constexpr std::array table{
    Precondition{"system-database", STSYNC_INVALID_ARG, judge_name},
    Precondition{"system-package", STSYNC_INVALID_ARG, judge_header_name},
    Precondition{"server", STSYNC_UNSUPPORTED, judge_server},
    Precondition{"version", STSYNC_INCOMPATIBLE, judge_version},
    Precondition{"snapshot", STSYNC_INCOMPATIBLE, judge_snapshot},
    Precondition{"availability-group", STSYNC_INCOMPATIBLE, judge_group},
    Precondition{"mirror", STSYNC_INCOMPATIBLE, judge_mirror},
    Precondition{"standby", STSYNC_INCOMPATIBLE, judge_standby},
    Precondition{"state", STSYNC_DENIED, judge_state},
    Precondition{"read-only", STSYNC_DENIED, judge_read_only},
    Precondition{"single-user", STSYNC_DENIED, judge_single_user},
    Precondition{"replication", STSYNC_INCOMPATIBLE, judge_replication},
    Precondition{"family", STSYNC_INCOMPATIBLE, judge_family},
    Precondition{"certificate", STSYNC_INCOMPATIBLE, judge_certificate},
    Precondition{"streams", STSYNC_INCOMPATIBLE, judge_streams},
    Precondition{"unknown-streams", STSYNC_INCOMPATIBLE, judge_unknown_streams},
    Precondition{"containment", STSYNC_INCOMPATIBLE, judge_containment},
    Precondition{"express-limit", STSYNC_INCOMPATIBLE, judge_express_limit},
};

} // namespace

std::span<const Precondition> preconditions() {
    return table;
}

bool is_system_name(std::string_view database) noexcept {
    constexpr std::array<std::string_view, 6> names = {
        "master", "model", "msdb", "tempdb", "distribution", "mssqlsystemresource"};
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view each) { return is_same_name(each, database); });
}

std::optional<Refusal> first_refusal(const RestoreCase& restore) {
    for (const Precondition& each : table)
        if (std::string sentence = each.judge(restore); !sentence.empty())
            return Refusal{each.id, each.status, std::move(sentence)};
    return std::nullopt;
}

std::string single_user_sentence(const std::string& database) {
    return in_quotes(database) + " is in single-user mode, so somebody is maintaining it. It is "
                                 "replaced after ALTER DATABASE … SET MULTI_USER.";
}

bool is_foreign_family(const RestoreCase& restore) noexcept {
    if (!restore.target.entry || restore.backup.headers.size() != 1)
        return false;
    const std::string& theirs = restore.backup.headers.front().family_guid;
    const std::string& ours = restore.target.family_guid;
    return !ours.empty() && !theirs.empty() && ours != theirs;
}

std::vector<std::string> restore_warnings(const RestoreCase& restore) {
    const BackupHeader& header = restore.backup.header();
    std::vector<std::string> warnings =
        judge_package(header.version, restore.server, restore.settings.is_build_exact).warnings;
    const bool has_full_text =
        std::any_of(restore.backup.files.begin(), restore.backup.files.end(),
                    [](const BackupFile& file) { return file.kind == FileKind::full_text; });
    if (has_full_text && !restore.server.has_full_text)
        warnings.push_back(in_quotes(restore.database) +
                           " uses full-text search, which is not installed in this SQL Server: "
                           "searches in it fail here until it is.");
    const DatabaseEntry* const entry = entry_of(restore);
    if (header.recovery_model == "FULL" && (entry == nullptr || entry->recovery_model != "FULL"))
        warnings.push_back(in_quotes(restore.database) +
                           " has the recovery model FULL: without log backups its log grows until "
                           "the disk is full.");
    if (entry != nullptr && (entry->is_trustworthy || entry->is_db_chaining) &&
        !restore.settings.preserves_trustworthy)
        warnings.push_back(in_quotes(restore.database) +
                           " had TRUSTWORTHY or DB_CHAINING on; a restore turns them off. Set "
                           "preserve_trustworthy = true to keep them.");
    if (entry != nullptr && entry->is_broker_enabled && !restore.settings.preserves_broker)
        warnings.push_back(in_quotes(restore.database) +
                           " had Service Broker on; a restore turns it off. Set "
                           "preserve_broker = true to keep it.");
    return warnings;
}

} // namespace stationsync::sqlserver
