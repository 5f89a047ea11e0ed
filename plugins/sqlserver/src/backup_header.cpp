#include "backup_header.hpp"

#include "errors.hpp"
#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <stationsync/error.hpp>

#include <charconv>
#include <limits>
#include <numeric>

namespace stationsync::sqlserver {

namespace {

constexpr std::int64_t kind_database = 1;

std::string text_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? std::string() : value->text().value_or("");
}

std::int64_t number_in(const Row& row, std::string_view column, std::int64_t otherwise) {
    const Value* const value = row.find(column);
    return value == nullptr ? otherwise : value->integer().value_or(otherwise);
}

bool flag_in(const Row& row, std::string_view column, bool otherwise) {
    const Value* const value = row.find(column);
    return value == nullptr ? otherwise : value->flag().value_or(otherwise);
}

std::string guid_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? std::string() : value->guid().value_or("");
}

std::string bytes_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? std::string() : value->bytes().value_or("");
}

std::optional<DateTime> time_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    return value == nullptr ? std::nullopt : value->date_time();
}

std::optional<Lsn> lsn_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    const auto digits = value == nullptr ? std::nullopt : value->numeric();
    return digits ? parse_lsn(*digits) : std::nullopt;
}

// A size is numeric(20,0), which not every driver gives as an integer. What does not fit is as
// large as can be.
std::uint64_t size_in(const Row& row, std::string_view column) {
    const Value* const value = row.find(column);
    const auto digits = value == nullptr ? std::nullopt : value->numeric();
    if (!digits)
        return 0;
    const std::string whole = digits->substr(0, digits->find('.'));
    std::uint64_t number = 0;
    const auto [stopped, failure] =
        std::from_chars(whole.data(), whole.data() + whole.size(), number);
    if (failure == std::errc::result_out_of_range)
        return std::numeric_limits<std::uint64_t>::max();
    return number;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
    return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

FileKind file_kind_of(std::string_view letter) {
    if (letter == "D")
        return FileKind::data;
    if (letter == "L")
        return FileKind::log;
    if (letter == "S")
        return FileKind::stream;
    return letter == "F" ? FileKind::full_text : FileKind::other;
}

Answer ask(SqlSession& session, const std::string& statement, std::string_view file,
           const sdk::Op* op, const std::function<Values()>& values_of_failure) {
    RunOptions options;
    options.limit = std::chrono::minutes(5); // a sleeping disk, a virus scanner
    options.op = op;
    Answer answer = session.run(statement, options);
    if (answer.is_complete())
        return answer;
    if (op != nullptr && (answer.ending == Ending::cancelled || answer.was_asked_to_end))
        op->check();
    Values values = {{"file", std::string(file)}};
    const Diagnostic* const main = main_message(answer.messages, Phase::running);
    const ErrorRule* const rule = main == nullptr ? nullptr : rule_of(*main, Phase::running);
    if (values_of_failure && rule != nullptr && rule->id == "folder-denied" && session.is_usable())
        values.merge(values_of_failure());
    throw problem_of(answer.messages, answer.ending, Phase::running, values).to_error();
}

} // namespace

const BackupHeader& Backup::header() const {
    if (headers.size() != 1)
        throw sdk::Error(STSYNC_CORRUPT, "The package holds " + std::to_string(headers.size()) +
                                             " backups instead of one: it is fetched again.");
    return headers.front();
}

std::uint64_t Backup::data_bytes() const noexcept {
    std::uint64_t total = 0;
    for (const BackupFile& file : files)
        if (file.kind == FileKind::data)
            total = sum(total, file.byte_count);
    return total;
}

std::uint64_t Backup::all_bytes() const noexcept {
    return std::accumulate(
        files.begin(), files.end(), std::uint64_t{0},
        [](std::uint64_t total, const BackupFile& file) { return sum(total, file.byte_count); });
}

std::string label_statement(std::string_view file) {
    return "RESTORE LABELONLY FROM DISK = " + quoted_path(file);
}

std::string header_statement(std::string_view file) {
    return "RESTORE HEADERONLY FROM DISK = " + quoted_path(file);
}

std::string file_list_statement(std::string_view file) {
    return "RESTORE FILELISTONLY FROM DISK = " + quoted_path(file) + " WITH FILE = 1";
}

std::string verify_statement(std::string_view file) {
    return "RESTORE VERIFYONLY FROM DISK = " + quoted_path(file) + " WITH FILE = 1, CHECKSUM";
}

BackupLabel parse_label(const Row& row) {
    return {text_in(row, "MediaName"), number_in(row, "FamilyCount", 1)};
}

BackupHeader parse_header(const Row& row) {
    BackupHeader header;
    header.version = parse_header_version(row);
    header.name = text_in(row, "BackupName");
    header.description = text_in(row, "BackupDescription");
    header.database = text_in(row, "DatabaseName");
    header.kind = number_in(row, "BackupType", 0);
    header.position = number_in(row, "Position", 1);
    header.compatibility_level = static_cast<int>(number_in(row, "CompatibilityLevel", 0));
    header.recovery_model = text_in(row, "RecoveryModel");
    header.family_guid = guid_in(row, "FamilyGUID");
    header.fork_guid = guid_in(row, "RecoveryForkID");
    header.set_guid = guid_in(row, "BackupSetGUID");
    header.first_lsn = lsn_in(row, "FirstLSN");
    header.last_lsn = lsn_in(row, "LastLSN");
    header.started = time_in(row, "BackupStartDate");
    header.finished = time_in(row, "BackupFinishDate");
    header.is_damaged = flag_in(row, "IsDamaged", false);
    header.has_checksums = flag_in(row, "HasBackupChecksums", false);
    header.is_copy_only = flag_in(row, "IsCopyOnly", false);
    header.is_single_user = flag_in(row, "IsSingleUser", false);
    header.is_read_only = flag_in(row, "IsReadOnly", false);
    header.is_snapshot = flag_in(row, "IsSnapshot", false);
    header.is_compressed = flag_in(row, "Compressed", false);
    header.containment = number_in(row, "Containment", 0);
    header.key_algorithm = text_in(row, "KeyAlgorithm");
    header.encryptor_thumbprint = bytes_in(row, "EncryptorThumbprint");
    return header;
}

BackupFile parse_file(const Row& row) {
    BackupFile file;
    file.name = text_in(row, "LogicalName");
    file.path = text_in(row, "PhysicalName");
    file.kind = file_kind_of(trimmed(text_in(row, "Type")));
    file.filegroup = text_in(row, "FileGroupName");
    file.byte_count = size_in(row, "Size");
    file.id = number_in(row, "FileId", 0);
    file.tde_thumbprint = bytes_in(row, "TDEThumbprint");
    file.is_present = flag_in(row, "IsPresent", true);
    return file;
}

Backup read_backup(SqlSession& session, std::string_view file, const sdk::Op* op,
                   const std::function<Values()>& values_of_failure) {
    const auto answer_to = [&](const std::string& statement) {
        return ask(session, statement, file, op, values_of_failure);
    };
    Backup backup;
    backup.label = parse_label(answer_to(label_statement(file)).row());
    const Answer headers = answer_to(header_statement(file));
    for (std::size_t i = 0; i < headers.rows().rows.size(); ++i)
        backup.headers.push_back(parse_header(headers.rows().row(i)));
    const Answer files = answer_to(file_list_statement(file));
    for (std::size_t i = 0; i < files.rows().rows.size(); ++i)
        backup.files.push_back(parse_file(files.rows().row(i)));
    return backup;
}

std::string defect_of(const Backup& backup) {
    const std::string again = " It is fetched again; report this if it lasts.";
    if (backup.label.family_count != 1)
        return "The package is a part of a backup over " +
               std::to_string(backup.label.family_count) + " files." + again;
    if (backup.headers.size() != 1)
        return "The package holds " + std::to_string(backup.headers.size()) +
               " backups instead of one." + again;
    const BackupHeader& header = backup.headers.front();
    if (header.kind != kind_database || header.is_snapshot)
        return "The package is not a full backup of a database." + again;
    if (header.is_damaged)
        return "The package was written in spite of damage in the database: it is not used. Run "
               "DBCC CHECKDB on the database where it was made.";
    if (!header.has_checksums)
        return "The package has no checksums, so it cannot be checked." + again;
    if (!header.is_copy_only)
        return "The package is not a copy-only backup, so this service did not make it." + again;
    std::size_t data = 0;
    std::size_t logs = 0;
    for (const BackupFile& file : backup.files) {
        data += file.kind == FileKind::data ? 1u : 0u;
        logs += file.kind == FileKind::log ? 1u : 0u;
        if (!file.is_present || file.name.empty())
            return "The package does not hold all files of the database." + again;
    }
    if (data == 0 || logs == 0)
        return "The package lists no data file or no log file." + again;
    return "";
}

} // namespace stationsync::sqlserver
