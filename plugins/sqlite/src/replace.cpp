#include "replace.hpp"

#include "backup.hpp"
#include "live_database.hpp"
#include "package.hpp"
#include "sqlite_error.hpp"

#include <stationsync/files.hpp>
#include <stationsync/provider.hpp>
#include <stationsync/testing/fault_point.h>

namespace stationsync::sqlite {

namespace {

// Waiting for the write lock keeps new readers of a rollback-journal database out: not for long.
constexpr std::chrono::milliseconds lock_limit{5000};
// A writer may be quicker than us between reading the content and taking the lock.
constexpr int attempts_max = 5;
constexpr int pages_per_step = 256;

// The package as the target can take it: pages of another size do not fit into a log.
class Source {
public:
    Source(const Replacement& wanted, Connection& live) : connection_(open(wanted, live)) {}

    Connection& connection() noexcept { return connection_; }

private:
    Connection open(const Replacement& wanted, Connection& live) {
        Connection package = Connection::open_package(wanted.package);
        const std::uint32_t page_size = live.page_size();
        if (!live.is_wal() || package.page_size() == page_size)
            return package;
        const auto converted = wanted.scratch / sdk::path_from_utf8(sdk::new_temp_name());
        litter_.emplace(converted);
        convert_page_size(wanted.package, page_size, converted);
        return Connection::open_package(converted);
    }

    std::optional<sdk::detail::Litter> litter_; // removed after the connection is closed
    Connection connection_;
};

struct Present {
    sdk::Mark mark; // absent: the file holds nothing
    std::uint32_t version = 0;
};

Present present_content(Connection& live, const std::filesystem::path& path, Record& record,
                        const sdk::Op& op, stsync_time now) {
    {
        ReadTransaction transaction(live);
        if (live.integer("PRAGMA main.page_count") == 0)
            return {{}, live.data_version()};
        if (is_current(record, live, path))
            return {record.mark(), live.data_version()};
    }
    const Look look = look_at(live, path, op);
    record.take(look.content, look.evidence, look.is_exact, now);
    return {record.mark(), look.version};
}

// Copies the package over the database; false, and nothing happened, when the content is no longer
// that of `version`.
bool copy_over(Connection& source, Connection& live, std::uint32_t version, const sdk::Op& op) {
    Backup backup(source, live);
    backup.lock_target();
    STSYNC_FAULT_POINT("sqlite.apply.locked");
    // Taking the lock has looked whether anybody wrote since; from here on nobody can.
    if (live.data_version() != version || live.has_moved())
        return false;
    while (true) {
        op.check();
        const std::uint64_t total = backup.page_count();
        op.progress(total - backup.pages_left(), total, STSYNC_UNIT_STEPS, "replacing");
        if (backup.pages_left() <= pages_per_step)
            break;
        backup.step(pages_per_step);
        STSYNC_FAULT_POINT("sqlite.apply.copying");
    }
    op.begin_commit();
    STSYNC_FAULT_POINT("sqlite.apply.before_commit");
    while (!backup.step(-1)) {
    }
    STSYNC_FAULT_POINT("sqlite.apply.after_commit");
    return true;
}

// The log has grown by the whole database: hand it over to the file as far as readers allow. The
// commit stands, whatever comes of this.
void shrink_log(Connection& live) {
    if (!live.is_wal())
        return;
    live.set_busy_limit(std::chrono::milliseconds(0));
    for (const char* mode : {"PASSIVE", "TRUNCATE"}) {
        const std::string sql = std::string("PRAGMA main.wal_checkpoint(") + mode + ")";
        sqlite3_exec(live.raw(), sql.c_str(), nullptr, nullptr, nullptr);
    }
    live.set_busy_limit(lock_limit);
}

// Space for the journal or the log, and for what the file grows by, before anybody is locked out.
void require_space(const Replacement& wanted, Connection& live) {
    std::error_code failure;
    const auto space = std::filesystem::space(wanted.live.parent_path(), failure);
    if (failure)
        return;
    const auto present =
        static_cast<std::uint64_t>(live.integer("PRAGMA main.page_count")) * live.page_size();
    const std::uint64_t coming = wanted.content.byte_count;
    const std::uint64_t growth = coming > present ? coming - present : 0;
    const std::uint64_t needed = (live.is_wal() ? coming : std::min(present, coming)) + growth;
    if (space.available >= needed)
        return;
    throw sdk::Error(STSYNC_NO_SPACE, "Replacing " + live.name() + " takes " +
                                          std::to_string(needed >> 20) + " MiB for a while, but " +
                                          std::to_string(space.available >> 20) +
                                          " MiB are free: make room on its disk.");
}

// What is there now is the package; the evidence counts if nobody has written since the commit.
void record_result(Connection& live, std::uint32_t version, const Replacement& wanted,
                   Record& record, stsync_time now) {
    Evidence evidence;
    bool is_exact = false;
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): it is what holds when the look fails
    std::uint64_t byte_count = wanted.content.byte_count;
    try {
        ReadTransaction transaction(live);
        byte_count =
            static_cast<std::uint64_t>(live.integer("PRAGMA main.page_count")) * live.page_size();
        evidence = file_evidence(wanted.live);
        evidence.counters = counters_of(live);
        is_exact = live.data_version() == version && transaction.renew() && !live.has_moved();
    } catch (const sdk::Error&) {
        // The commit stands; the next scan reads the content.
        is_exact = false;
    }
    record.take({wanted.content.digest, byte_count, wanted.content.schema}, evidence, is_exact,
                now);
    // It was us, and on purpose.
    record.flags = 0;
    record.changed_at = evidence.database.is_present ? evidence.written_at() : now;
    record.changed_not_before = STSYNC_TIME_NONE;
}

} // namespace

void replace_in_place(const Replacement& wanted, Record& record, const sdk::Op& op,
                      stsync_time now) {
    Connection live = Connection::open_live(wanted.live, op, lock_limit);
    if (live.is_read_only())
        throw sdk::Error(STSYNC_DENIED, live.name() + " is read-only for the service: give it the "
                                                      "right to write the file and its folder.");
    // EXTRA: also the end of the journal is on the disk before we say that it is done.
    live.execute("PRAGMA main.synchronous=EXTRA; PRAGMA main.cache_size=-32768");
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const Present present = present_content(live, wanted.live, record, op, now);
        if (present.mark == mark_of(wanted.content.digest))
            return;
        sdk::ApplyInfo info{};
        info.expected = wanted.expected;
        sdk::require_mark(present.mark, info);
        require_space(wanted, live);
        Source source(wanted, live);
        if (!copy_over(source.connection(), live, present.version, op))
            continue;
        const std::uint32_t version = live.data_version();
        if (live.has_moved())
            throw sdk::Error(STSYNC_CONFLICT, live.name() +
                                                  " was replaced by another file while it "
                                                  "was written.");
        shrink_log(live);
        record_result(live, version, wanted, record, now);
        return;
    }
    throw sdk::Error(STSYNC_BUSY, live.name() + " is being written without a pause: it is replaced "
                                                "when its users make one.");
}

} // namespace stationsync::sqlite
