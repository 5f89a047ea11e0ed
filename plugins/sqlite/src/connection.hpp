// One connection to one SQLite database, set up so that hostile content can do nothing but be read.
//
// The trap of POSIX locks: closing any descriptor of a database file drops all locks that this
// process holds on it. Nothing in this plugin opens a database file otherwise than through here.
#pragma once

#include <sqlite3.h>
#include <stationsync/op.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace stationsync::sqlite {

// Used by one thread at a time. Functions throw sdk::Error.
class Connection {
public:
    // A live database that exists; opened read-only when rights allow no more. Waits at most
    // `busy_limit` for locks of others, less when `op` (which must outlive the object) is
    // cancelled.
    static Connection open_live(const std::filesystem::path& path, const sdk::Op& op,
                                std::chrono::milliseconds busy_limit);
    // A package: never written by anyone, hence without locks; files beside it are ignored.
    static Connection open_package(const std::filesystem::path& path);
    // The same with locks: SQLite changes the page size of a copy only then.
    static Connection open_package_locked(const std::filesystem::path& path);
    // A new database that only this process knows of; not durable, the host sees to that.
    static Connection create_package(const std::filesystem::path& path);

    Connection(Connection&&) noexcept = default;
    Connection& operator=(Connection&&) noexcept = default;
    ~Connection() = default;

    sqlite3* raw() const noexcept { return database_.get(); }
    // File name for messages.
    const std::string& name() const noexcept { return name_; }

    void execute(const std::string& sql);
    // First column of the first row.
    std::int64_t integer(const std::string& sql);
    std::string text(const std::string& sql);

    // From now on; only for a live database.
    void set_busy_limit(std::chrono::milliseconds limit) noexcept { wait_->limit = limit; }

    bool is_read_only() const noexcept;
    bool is_wal();
    std::uint32_t page_size();
    // Changes whenever another connection, in any process, commits; looked up when a transaction
    // begins.
    std::uint32_t data_version();
    // The file at the path is another one now, or none.
    bool has_moved();
    // The bytes of the file's header as they are on disk; shorter for a smaller file.
    std::string file_header();
    // In WAL mode the state of the log (number of frames, running checksum, salts); else empty.
    std::string log_state();

    // Throws the failure of the last call.
    [[noreturn]] void fail(int result, const std::string& doing) const;

private:
    struct Wait {
        const sdk::Op* op;
        std::chrono::milliseconds limit;
        std::chrono::steady_clock::time_point since;
    };
    struct Close {
        void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
    };

    Connection(const std::filesystem::path& path, const std::string& uri, int flags);
    static int wait(void* context, int attempt) noexcept;
    sqlite3_file* file();

    std::string name_;
    std::unique_ptr<Wait> wait_; // stays where it is: SQLite keeps its address
    std::unique_ptr<sqlite3, Close> database_;
};

// A prepared statement; finalized on destruction.
class Statement {
public:
    // Empty when `sql` does not compile and `must` is false.
    Statement(Connection& connection, const std::string& sql, bool must = true);

    explicit operator bool() const noexcept { return statement_ != nullptr; }
    sqlite3_stmt* raw() const noexcept { return statement_.get(); }

    // True = a row, false = done; throws on failure.
    bool step();
    // The bare result, for callers that expect a failure.
    int step_raw() noexcept { return sqlite3_step(raw()); }
    void reset() noexcept { sqlite3_reset(raw()); }
    void bind(int index, std::int64_t value) { sqlite3_bind_int64(raw(), index, value); }
    std::int64_t integer(int column) const { return sqlite3_column_int64(raw(), column); }
    std::string text(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    Connection* connection_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// A read transaction: what is read within it is one consistent state.
class ReadTransaction {
public:
    explicit ReadTransaction(Connection& connection);
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    ~ReadTransaction();

    // Ends the transaction and begins another, so that a waiting writer gets in. True when the
    // content is still the one that the first transaction saw. All statements must be reset.
    bool renew();

private:
    void begin();

    Connection& connection_;
    std::uint32_t version_ = 0;
};

// "name" quoted as an SQL identifier.
std::string sql_name(const std::string& identifier);

} // namespace stationsync::sqlite
