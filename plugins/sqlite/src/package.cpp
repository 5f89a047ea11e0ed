#include "package.hpp"

#include "backup.hpp"
#include "live_database.hpp"
#include "sqlite_error.hpp"

#include <stationsync/files.hpp>
#include <stationsync/testing/fault_point.h>

#include <fstream>

namespace stationsync::sqlite {

namespace {

constexpr int pages_per_step = 1024;
// So often may a writer make the copy begin again before it is kept waiting.
constexpr int restarts_max = 3;

// Offsets in the file header, sqlite.org/fileformat2.html section 1.3.
constexpr std::string_view magic("SQLite format 3\0", 16);
constexpr std::size_t header_bytes = 100;
constexpr std::size_t page_size_offset = 16;
constexpr std::size_t write_version_offset = 18;
constexpr std::size_t read_version_offset = 19;
constexpr std::size_t page_count_offset = 28;
constexpr std::size_t library_version_offset = 96;
constexpr char rollback_journal = 1;

std::uint32_t load(const std::string& bytes, std::size_t offset, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
    return value;
}

// The package belongs to us alone: a file of the system, no database of anyone.
void switch_to_rollback_journal(const std::filesystem::path& package) {
    std::fstream file(package, std::ios::binary | std::ios::in | std::ios::out);
    const char versions[2] = {rollback_journal, rollback_journal};
    file.seekp(write_version_offset);
    file.write(versions, sizeof versions);
    file.flush();
    if (!file)
        throw sdk::Error(STSYNC_INTERNAL, "Writing " + sdk::utf8_from_path(package) + " failed.");
}

// Copies in steps between which others may write; a write makes it begin again by itself.
void copy_pages(Connection& live, const std::filesystem::path& package,
                std::optional<ReadTransaction>& transaction, const sdk::Op& op) {
    Connection target = Connection::create_package(package);
    Backup backup(live, target);
    std::uint64_t left_before = UINT64_MAX;
    for (int restarts = 0;;) {
        op.check();
        if (backup.step(pages_per_step))
            return;
        if (backup.pages_left() > left_before && ++restarts == restarts_max && !transaction)
            transaction.emplace(live);
        left_before = backup.pages_left();
        op.progress(backup.page_count() - left_before, backup.page_count(), STSYNC_UNIT_STEPS,
                    "copying");
    }
}

// The content of `record` when the database that `live` sees is in that state.
std::optional<Content> known_content(Connection& live, const std::filesystem::path& path,
                                     const Record& record) {
    if (!is_current(record, live, path))
        return std::nullopt;
    return record.content;
}

Content content_of_package(const std::filesystem::path& package, const sdk::Op& op) {
    Connection connection = Connection::open_package(package);
    ReadTransaction transaction(connection);
    // Nobody writes to a package, so the reading always comes to its end.
    return read_content(connection, transaction, op, Pause::never).value();
}

std::string read_header(const std::filesystem::path& package) {
    std::ifstream file(package, std::ios::binary);
    std::string header(header_bytes, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    header.resize(static_cast<std::size_t>(file.gcount()));
    return header;
}

sdk::Error corrupt(const std::string& what) {
    return {STSYNC_CORRUPT, "The package is no sound SQLite database: " + what + "."};
}

void check_header(const std::filesystem::path& package, const std::string& header) {
    if (header.size() < header_bytes || !header.starts_with(magic))
        throw corrupt("its header is missing");
    // 1 stands for 65536.
    const std::uint32_t stored = load(header, page_size_offset, 2);
    const std::uint64_t page_size = stored == 1 ? 65536 : stored;
    if (page_size < 512 || (page_size & (page_size - 1)) != 0)
        throw corrupt("its page size is " + std::to_string(page_size));
    if (header[write_version_offset] != rollback_journal ||
        header[read_version_offset] != rollback_journal)
        throw corrupt("it expects a log file beside it");
    std::error_code failure;
    const std::uint64_t size = std::filesystem::file_size(package, failure);
    if (failure || size != load(header, page_count_offset, 4) * page_size)
        throw corrupt("its size is not that of its pages");
}

// Makes SQLite ask now and then whether to go on.
class Interruptible {
public:
    Interruptible(Connection& connection, const sdk::Op& op) : database_(connection.raw()) {
        constexpr int steps = 10000; // of SQLite's virtual machine
        sqlite3_progress_handler(database_, steps, &is_cancelled, const_cast<sdk::Op*>(&op));
    }
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;
    ~Interruptible() { sqlite3_progress_handler(database_, 0, nullptr, nullptr); }

private:
    static int is_cancelled(void* op) {
        return static_cast<const sdk::Op*>(op)->is_cancelled() ? 1 : 0;
    }
    sqlite3* database_;
};

void check_structure(Connection& connection, const sdk::Op& op) {
    const Interruptible interruptible(connection, op);
    // Constraints may call functions that only the application has; they say nothing of damage.
    connection.execute("PRAGMA ignore_check_constraints=ON");
    Statement check(connection, "PRAGMA main.quick_check(1)");
    const int result = check.step_raw();
    op.check();
    // An expression in the schema that cannot be evaluated here: the reading of all rows that
    // follows is the check then.
    if ((result & 0xff) == SQLITE_ERROR)
        return;
    if (result != SQLITE_ROW)
        connection.fail(result, "checking " + connection.name());
    if (const std::string verdict = check.text(0); verdict != "ok")
        throw corrupt(verdict);
}

// A schema that this library cannot read is not damage when a later library wrote it.
sdk::Error judged(const sdk::Error& error, const std::string& header) {
    const std::uint32_t written_by = load(header, library_version_offset, 4);
    const auto ours = static_cast<std::uint32_t>(sqlite3_libversion_number());
    if (error.status() == STSYNC_CORRUPT && written_by > ours &&
        std::string_view(error.what()).find("malformed database schema") != std::string_view::npos)
        return {STSYNC_INCOMPATIBLE,
                std::string("The database uses features of a later SQLite than ") +
                    sqlite3_libversion() + " of this station: update it (" + error.what() + ")."};
    return error;
}

} // namespace

Content write_package(const std::filesystem::path& live, const std::filesystem::path& package,
                      const Record& record, const sdk::Op& op) {
    sdk::detail::Litter litter(package);
    std::optional<Content> content;
    {
        Connection connection = Connection::open_live(live, op, look_busy_limit);
        std::optional<ReadTransaction> transaction(std::in_place, connection);
        const std::uint32_t version = connection.data_version();
        content = known_content(connection, live, record);
        // A log lets others write beside a reader; a rollback journal does not.
        const bool is_wal = connection.is_wal();
        if (!is_wal)
            transaction.reset();
        copy_pages(connection, package, transaction, op);
        if (connection.has_moved())
            throw sdk::Error(STSYNC_BUSY, "The database was replaced while it was copied.");
        if (!is_wal) {
            transaction.reset();
            transaction.emplace(connection);
            if (connection.data_version() != version)
                content.reset();
        }
    }
    STSYNC_FAULT_POINT("sqlite.export.copied");
    switch_to_rollback_journal(package);
    if (!content)
        content = content_of_package(package, op);
    litter.release();
    return *content;
}

Content check_package(const std::filesystem::path& package, const sdk::Op& op) {
    const std::string header = read_header(package);
    check_header(package, header);
    try {
        {
            Connection connection = Connection::open_package(package);
            check_structure(connection, op);
        }
        op.check();
        return content_of_package(package, op);
    } catch (const sdk::Error& error) {
        throw judged(error, header);
    }
}

void convert_page_size(const std::filesystem::path& package, std::uint32_t page_size,
                       const std::filesystem::path& converted) {
    Connection connection = Connection::open_package_locked(package);
    connection.execute("PRAGMA page_size=" + std::to_string(page_size));
    Statement vacuum(connection, "VACUUM main INTO ?1");
    const std::string target = sdk::utf8_from_path(converted);
    sqlite3_bind_text(vacuum.raw(), 1, target.c_str(), static_cast<int>(target.size()),
                      SQLITE_TRANSIENT);
    vacuum.step();
}

} // namespace stationsync::sqlite
