#include "backup_job.hpp"

#include "errors.hpp"
#include "folder_check.hpp"
#include "job_progress.hpp"
#include "quoting.hpp"

namespace stationsync::sqlserver {

namespace {

constexpr std::uint64_t page_size = 8192;
constexpr std::int32_t compression_not_in_edition = 1844;

std::string megabytes(std::uint64_t bytes) {
    return std::to_string((bytes >> 20) + 1) + " MB";
}

Answer run_job(SqlServer& server, SqlSession& worker, const ProviderSettings& settings,
               const std::string& statement, const std::string& what, const sdk::Op& op) {
    JobProgress progress(server, worker.id(), &op, what, settings.stall_limit);
    RunOptions options;
    options.limit = std::chrono::milliseconds(0);
    options.op = &op;
    options.tick = std::chrono::milliseconds(500);
    options.on_tick = [&progress] { return progress.tick(); };
    Answer answer = worker.run(statement, options);
    if (const std::string stalled = progress.stalled();
        !stalled.empty() && claim_of(answer) != JobClaim::success && !op.is_cancelled())
        throw sdk::Error(STSYNC_BUSY, stalled);
    return answer;
}

[[noreturn]] void refuse_job(const Answer& answer, SqlSession& worker, const ServerFacts& facts,
                             const ProviderSettings& settings, Values values,
                             const std::string& file, const sdk::Op& op,
                             Phase phase = Phase::running) {
    op.check();
    values["file"] = file;
    if (worker.is_usable())
        for (const auto& [name, value] :
             folder_values(worker, facts, rights_folder(settings, file), &op))
            values[name] = value;
    throw problem_of(answer.messages, answer.ending, phase, values).to_error();
}

} // namespace

std::string backup_statement(std::string_view database, std::string_view file,
                             const PackageLabel& label, bool is_compressed) {
    const std::string name = quoted_text(to_text(label.content));
    return "BACKUP DATABASE " + quoted_name(database) + " TO DISK = " + quoted_path(file) +
           " WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, STOP_ON_ERROR, " +
           (is_compressed ? "COMPRESSION" : "NO_COMPRESSION") +
           ", STATS = 5, BLOCKSIZE = 65536, NAME = " + name +
           ", DESCRIPTION = " + quoted_text(to_text(label)) + ", MEDIANAME = " + name;
}

std::optional<std::uint64_t> backup_size(SqlSession& session, std::string_view database,
                                         const sdk::Op* op) {
    const std::string name = quoted_name(database);
    RunOptions options;
    options.op = op;
    const Answer answer = session.run(
        "SELECT (SELECT SUM(allocated_extent_page_count) FROM " + name +
            ".sys.dm_db_file_space_usage) AS pages, (SELECT SUM(used_log_space_in_bytes) FROM " +
            name + ".sys.dm_db_log_space_usage) AS log_bytes",
        options);
    if (!answer.is_complete() || answer.results.empty())
        return std::nullopt;
    const Row row = answer.row();
    const auto pages = static_cast<std::uint64_t>(row["pages"].integer().value_or(0));
    const auto log = static_cast<std::uint64_t>(row["log_bytes"].integer().value_or(0));
    return pages * page_size + log;
}

void BackupJob::check_space(std::string_view database, std::uint64_t free,
                            const std::string& folder) const {
    const auto size = backup_size(worker_, database, &op_);
    op_.check();
    const std::uint64_t needed = size.value_or(0);
    if (!settings_.compresses && needed > free)
        throw sdk::Error(STSYNC_NO_SPACE, "A backup of the database " + std::string(database) +
                                              " needs " + megabytes(needed) + ", but only " +
                                              megabytes(free) + " are free in " + folder +
                                              ": make room there.");
}

void BackupJob::write(std::string_view database, const ExchangeFile& file,
                      const PackageLabel& label) {
    const bool compresses = settings_.compresses && facts_.can_compress();
    const std::string what = "backing up";
    Answer answer = run_job(server_, worker_, settings_,
                            backup_statement(database, file.there(), label, compresses), what, op_);
    if (compresses && answer.has(compression_not_in_edition) && !op_.is_cancelled())
        answer = run_job(server_, worker_, settings_,
                         backup_statement(database, file.there(), label, false), what, op_);
    if (claim_of(answer) != JobClaim::success)
        refuse_job(answer, worker_, facts_, settings_, {{"database", std::string(database)}},
                   file.there(), op_, Phase::backing_up);
}

std::string BackupJob::check(const ExchangeFile& file, const PackageLabel& label) {
    const Backup backup = read_backup(worker_, file.there(), &op_);
    if (const std::string defect = defect_of(backup); !defect.empty())
        throw sdk::Error(STSYNC_CORRUPT, defect);
    const BackupHeader& header = backup.header();
    if (header.description != to_text(label) || header.name != to_text(label.content) ||
        backup.label.media_name != to_text(label.content))
        throw sdk::Error(STSYNC_BUSY, "The file " + file.there() +
                                          " is not the backup that was just written: another "
                                          "program writes there. It is tried again by itself.");
    if (settings_.verifies_backups)
        verify_readable(server_, worker_, facts_, settings_, file.there(), op_);
    return header.set_guid;
}

void verify_readable(SqlServer& server, SqlSession& worker, const ServerFacts& facts,
                     const ProviderSettings& settings, const std::string& file_there,
                     const sdk::Op& op) {
    const Answer answer =
        run_job(server, worker, settings, verify_statement(file_there), "verifying", op);
    if (!answer.is_complete())
        refuse_job(answer, worker, facts, settings, {}, file_there, op);
}

} // namespace stationsync::sqlserver
