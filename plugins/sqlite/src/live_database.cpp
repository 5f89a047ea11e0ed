#include "live_database.hpp"

#include <stationsync/paths.hpp>

namespace stationsync::sqlite {

namespace {

// File systems give times in steps of up to 2 s: a second write within a step would not show.
constexpr std::chrono::milliseconds time_step{2500};
// Attempts that let writers in; after them the reading holds its lock.
constexpr int patient_attempts = 3;

void require_regular(const Evidence& evidence, const std::filesystem::path& path) {
    if (evidence.database.is_regular)
        return;
    throw sdk::Error(STSYNC_UNSUPPORTED, sdk::utf8_from_path(path) +
                                             " is no file: correct `files` in the configuration.");
}

// The files are the same; their times may still hide a write. Looks at the counters, which do not.
bool is_confirmed(Record& record, const std::filesystem::path& path, const sdk::Op& op) {
    Connection connection = Connection::open_live(path, op, look_busy_limit);
    const ReadTransaction transaction(connection);
    if (!is_current(record, connection, path))
        return false;
    const auto age = std::chrono::steady_clock::now() - record.seen_at;
    record.is_settled = stamps_are_prompt() && age >= time_step;
    return true;
}

} // namespace

bool is_present(const Evidence& evidence) noexcept {
    return evidence.database.is_present &&
           !(evidence.database.is_regular && evidence.database.size == 0);
}

bool is_current(const Record& record, Connection& connection, const std::filesystem::path& path) {
    return record.is_exact && !record.evidence.counters.empty() && !connection.has_moved() &&
           record.evidence.has_same_files(file_evidence(path)) &&
           record.evidence.counters == counters_of(connection);
}

Look look_at(Connection& connection, const std::filesystem::path& path, const sdk::Op& op) {
    for (int attempt = 0;; ++attempt) {
        op.check();
        const bool is_patient = attempt < patient_attempts;
        ReadTransaction transaction(connection);
        Look look;
        look.version = connection.data_version();
        // A reader of a log keeps nobody waiting.
        const Pause pause = is_patient && !connection.is_wal() ? Pause::for_writers : Pause::never;
        const std::optional<Content> content = read_content(connection, transaction, op, pause);
        if (!content)
            continue;
        look.content = *content;
        look.evidence = file_evidence(path);
        look.evidence.counters = counters_of(connection);
        // Only when nobody wrote up to here do files and counters belong to what was read.
        look.is_exact = transaction.renew() && !connection.has_moved();
        return look;
    }
}

bool refresh(Record& record, const std::filesystem::path& path, const sdk::Op& op, bool reread,
             stsync_time now) {
    const std::string name = sdk::utf8_from_path(path);
    if (record.path != name) {
        record = Record();
        record.path = name;
    }
    const Evidence files = file_evidence(path);
    if (!is_present(files))
        return false;
    require_regular(files, path);
    const bool is_same = !reread && record.is_exact && record.evidence.has_same_files(files);
    if (is_same && (record.is_settled || is_confirmed(record, path, op))) {
        record.unchanged_at = now;
        return true;
    }
    Connection connection = Connection::open_live(path, op, look_busy_limit);
    const Look look = look_at(connection, path, op);
    record.is_read_only = connection.is_read_only();
    record.folder_volume = stamp_of(path.parent_path()).volume;
    record.take(look.content, look.evidence, look.is_exact, now);
    return true;
}

} // namespace stationsync::sqlite
