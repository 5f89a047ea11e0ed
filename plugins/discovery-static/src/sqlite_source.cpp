#include "sqlite_source.hpp"

#include <sqlite3.h>
#include <stationsync/paths.hpp>

#include <memory>
#include <thread>

namespace stationsync::discovery_static {

namespace {

namespace fs = std::filesystem;

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

// The database for one reading.
class OpenList {
public:
    OpenList(const std::string& name, Patience& patience) : name_(name) {
        sqlite3* opened = nullptr;
        const int result = sqlite3_open_v2(name.c_str(), &opened,
                                           SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
        database_.reset(opened);
        if (result != SQLITE_OK)
            throw away("give the service the right to read it.");
        sqlite3_busy_handler(opened, &wait_for_lock, &patience);
        sqlite3_progress_handler(opened, steps_between_checks, &is_interrupted, &patience);
        sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    }

    // Both of one state of the database: it may be replaced at any moment.
    Listing read(const Queries& queries) const {
        if (sqlite3_exec(database_.get(), "BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK)
            throw away(again);
        Listing listing;
        listing.rows = rows(queries.stations);
        if (queries.project)
            listing.project = project(*queries.project);
        return listing;
    }

private:
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
    static constexpr const char* again = "it is read again by itself.";

    SourceAway away(const std::string& remedy) const {
        const char* cause = database_ ? sqlite3_errmsg(database_.get()) : "out of memory";
        return SourceAway("The station list " + name_ + " cannot be read (" + cause +
                          "): " + remedy);
    }

    Statement prepare(const std::string& query, const char* remedy) const {
        sqlite3_stmt* prepared = nullptr;
        if (sqlite3_prepare_v2(database_.get(), query.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
            throw away(remedy);
        return Statement(prepared);
    }

    std::vector<Row> rows(const std::string& query) const {
        const Statement statement = prepare(query, "correct `query`, or make the table.");
        const int name = find_column(statement.get(), "name");
        const int address = find_column(statement.get(), "address");
        if (name < 0 || address < 0)
            throw SourceAway("The query of the station list gives no columns name and address: "
                             "write SELECT … AS name, … AS address.");
        std::vector<Row> rows;
        int step = SQLITE_ROW;
        while ((step = sqlite3_step(statement.get())) == SQLITE_ROW) {
            if (rows.size() == rows_max)
                throw SourceAway("The station list has more than " + std::to_string(rows_max) +
                                 " rows: restrict `query`.");
            rows.push_back(
                {column_text(statement.get(), name), column_text(statement.get(), address)});
        }
        if (step != SQLITE_DONE)
            throw away(again);
        return rows;
    }

    std::string project(const std::string& query) const {
        const Statement statement = prepare(query, "correct `project_query`, or make the table.");
        const int step = sqlite3_step(statement.get());
        if (step != SQLITE_ROW && step != SQLITE_DONE)
            throw away(again);
        return step == SQLITE_ROW ? column_text(statement.get(), 0) : std::string();
    }

    std::string name_;
    std::unique_ptr<sqlite3, Close> database_;
};

} // namespace

SqliteSource::SqliteSource(fs::path database, Queries queries)
    : database_(std::move(database)), queries_(std::move(queries)) {}

std::string SqliteSource::identity() const {
    return "sqlite\n" + sdk::utf8_from_path(database_) + '\n' + queries_.stations + '\n' +
           queries_.project.value_or("");
}

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

bool SqliteSource::is_due(bool is_asked) {
    const auto now = std::chrono::steady_clock::now();
    if (is_asked || !stamp_ || look() != stamp_)
        return true;
    return read_at_ - seen_at_ < time_step || now - read_at_ >= reread_interval;
}

Listing SqliteSource::read(const std::function<bool()>& is_stopping) {
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
    const OpenList list(name, patience);
    Listing listing = list.read(queries_);
    stamp_ = stamp;
    read_at_ = std::chrono::steady_clock::now();
    return listing;
}

} // namespace stationsync::discovery_static
