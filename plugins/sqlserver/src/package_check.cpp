#include "package_check.hpp"

#include "database_names.hpp"
#include "folder_check.hpp"

namespace stationsync::sqlserver {

CheckedPackage check_package(SqlSession& session, const ServerFacts& facts, const std::string& file,
                             const ProviderSettings& settings, const sdk::Op* op) {
    CheckedPackage checked;
    checked.backup = read_backup(session, file, op, [&] {
        return folder_values(session, facts, rights_folder(settings, file), op);
    });
    if (const std::string defect = defect_of(checked.backup); !defect.empty())
        throw sdk::Error(STSYNC_CORRUPT, defect);
    const BackupHeader& header = checked.backup.header();
    const auto label = parse_package_label(header.description);
    if (!label || header.name != to_text(label->content) ||
        checked.backup.label.media_name != to_text(label->content))
        throw sdk::Error(STSYNC_CORRUPT,
                         "The package is a backup, but not one that this service made: it is "
                         "fetched again from another station.");
    checked.label = *label;
    if (is_reserved_database(header.database))
        throw sdk::Error(STSYNC_CORRUPT, "The package is a backup of a database of SQL Server "
                                         "itself, which is never restored from a package.");
    const PackageVerdict verdict = judge_package(header.version, facts, settings.is_build_exact);
    if (!verdict.obstacle.empty())
        throw sdk::Error(STSYNC_INCOMPATIBLE, verdict.obstacle);
    checked.warnings = verdict.warnings;
    return checked;
}

} // namespace stationsync::sqlserver
