#include "sqlite_source.hpp"

#include <sqlite3.h>
#include <stationsync/paths.hpp>

#include <memory>
#include <thread>

namespace stationsync::discovery_static {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t rows_max = 10000;
// Times of files have steps of up to 2 s, in which a second write would not show.
constexpr std::chrono::milliseconds time_step{2500};
// Whatever the file system says.
constexpr std::chrono::minutes reread_interval{5};
constexpr std::chrono::milliseconds busy_limit{3000};
constexpr int steps_between_checks = 10000; // of SQLite's virtual machine

struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

// What the callbacks of SQLite look at.
struct Patience {
    const std::function<bool()>* is_stopping;
    std::chrono::steady_clock::time_point begun;
};

int wait_for_lock(void* context, int) {
    const auto* patience = static_cast<const Patience*>(context);
    if ((*patience->is_stopping)() ||
        std::chrono::steady_clock::now() - patience->begun > busy_limit)
        return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return 1;
}

int is_interrupted(void* context) {
    return (*static_cast<const Patience*>(context)->is_stopping)() ? 1 : 0;
}

int find_column(sqlite3_stmt* statement, const char* name) {
    for (int i = 0; i < sqlite3_column_count(statement); ++i)
        if (sqlite3_stricmp(sqlite3_column_name(statement, i), name) == 0)
            return i;
    return -1;
}

std::string column_text(sqlite3_stmt* statement, int column) {
    const void* text = sqlite3_column_text(statement, column);
    if (text == nullptr)
        return {};
    const auto count = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return {static_cast<const char*>(text), count};
}

} // namespace

SqliteSource::SqliteSource(fs::path database, std::string query)
    : database_(std::move(database)), query_(std::move(query)) {}

// Only looks: opening and closing the file ourselves would drop locks of SQLite in this process.
std::optional<SqliteSource::Stamp> SqliteSource::look() const {
    std::error_code failure;
    Stamp stamp;
    stamp.size = fs::file_size(database_, failure);
    if (failure)
        return std::nullopt;
    stamp.modified = fs::last_write_time(database_, failure);
    if (failure)
        return std::nullopt;
    fs::path log = database_;
    log += "-wal";
    stamp.log_size = fs::file_size(log, failure);
    if (failure || stamp.log_size == 0) {
        stamp.log_size = 0;
    } else {
        stamp.log_modified = fs::last_write_time(log, failure);
    }
    return stamp;
}

bool SqliteSource::may_have_changed() {
    const auto now = std::chrono::steady_clock::now();
    if (!stamp_ || look() != stamp_)
        return true;
    return read_at_ - seen_at_ < time_step || now - read_at_ >= reread_interval;
}

std::vector<Row> SqliteSource::read(const std::function<bool()>& is_stopping) {
    const std::string name = sdk::utf8_from_path(database_);
    const auto stamp = look();
    if (!stamp)
        throw SourceAway("The station list " + name +
                         " is not there: make the database, or "
                         "correct `database`.");
    const auto now = std::chrono::steady_clock::now();
    if (stamp != stamp_)
        seen_at_ = now;
    stamp_.reset();
    Patience patience{&is_stopping, now};
    const auto away = [&](sqlite3* database, const std::string& remedy) {
        const char* cause = database != nullptr ? sqlite3_errmsg(database) : "out of memory";
        return SourceAway("The station list " + name + " cannot be read (" + cause +
                          "): " + remedy);
    };

    sqlite3* opened = nullptr;
    const int result =
        sqlite3_open_v2(name.c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    const std::unique_ptr<sqlite3, Close> database(opened);
    if (result != SQLITE_OK)
        throw away(opened, "give the service the right to read it.");
    sqlite3_busy_handler(opened, &wait_for_lock, &patience);
    sqlite3_progress_handler(opened, steps_between_checks, &is_interrupted, &patience);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);

    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v2(opened, query_.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
        throw away(opened, "correct `query`, or make the table.");
    const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
    const int name_column = find_column(prepared, "name");
    const int address_column = find_column(prepared, "address");
    if (name_column < 0 || address_column < 0)
        throw SourceAway("The query of the station list gives no columns name and address: write "
                         "SELECT … AS name, … AS address.");
    std::vector<Row> rows;
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
        if (rows.size() == rows_max)
            throw SourceAway("The station list has more than " + std::to_string(rows_max) +
                             " rows: restrict `query`.");
        rows.push_back({column_text(prepared, name_column), column_text(prepared, address_column)});
    }
    if (step != SQLITE_DONE)
        throw away(opened, "it is read again by itself.");
    stamp_ = stamp;
    read_at_ = std::chrono::steady_clock::now();
    return rows;
}

} // namespace stationsync::discovery_static
