#include "state/state_database.hpp"

#include "base/clock.hpp"
#include "base/fault_points.hpp"
#include "base/path_text.hpp"
#include "state/record_codec.hpp"
#include "state/sqlite_error.hpp"
#include "state/sqlite_statement.hpp"

#include <algorithm>
#include <array>
#include <system_error>

namespace stationsync::host {

namespace {

constexpr const char* schema = R"(
CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS provider (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS station (id BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (provider TEXT NOT NULL, key TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (provider, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (n INTEGER PRIMARY KEY, at INTEGER NOT NULL,
    provider TEXT NOT NULL, key TEXT NOT NULL, what INTEGER NOT NULL, version TEXT NOT NULL,
    origin BLOB NOT NULL, stamp_wall INTEGER NOT NULL, stamp_logical INTEGER NOT NULL,
    replaced_wall INTEGER NOT NULL, replaced_logical INTEGER NOT NULL, bytes INTEGER NOT NULL,
    transferred INTEGER NOT NULL, kept INTEGER NOT NULL, package BLOB NOT NULL,
    kept_on BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS history_by_object ON history (provider, key, n);
CREATE TABLE IF NOT EXISTS message (id TEXT NOT NULL, subject TEXT NOT NULL,
    severity INTEGER NOT NULL, text TEXT NOT NULL, remedy TEXT NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (id, subject)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message_value (id TEXT NOT NULL, subject TEXT NOT NULL,
    name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id, subject, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plugin_value (instance TEXT NOT NULL, key TEXT NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (instance, key)) WITHOUT ROWID;
PRAGMA user_version = 1;
)";

bool execute(sqlite3* database, const char* sql) {
    return sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::string id_bytes(const core::StationId& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

core::StationId id_from(std::string_view bytes) {
    core::StationId id;
    std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()),
                reinterpret_cast<char*>(id.bytes.data()));
    return id;
}

// A fresh handle with everything set, or an error; `damaged` when the content is not a sound
// database.
IoResult<sqlite3*> open_handle(const std::filesystem::path& file, bool check_content,
                               bool& damaged) {
    sqlite3* database = nullptr;
    const int opened =
        sqlite3_open_v2(path_text(file).c_str(), &database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    const auto give_up = [&](std::string_view what) {
        int const code = database ? sqlite3_errcode(database) : SQLITE_NOMEM;
        damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
        IoError error = error_of(database, what);
        sqlite3_close(database);
        return error;
    };
    if (opened != SQLITE_OK)
        return give_up("open it");
    sqlite3_busy_timeout(database, 5000);
    // EXTRA also syncs the folder after a rollback journal is deleted; in WAL mode it equals FULL.
    if (!execute(database,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                 "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 4194304;") ||
        !execute(database, schema))
        return give_up("prepare it");
    if (!check_content)
        return database;
    bool sound = false;
    {
        Statement check(database, "PRAGMA quick_check(1)");
        sound = check.step() && check.bytes(0) == "ok";
    }
    if (sound)
        return database;
    damaged = true;
    sqlite3_close(database);
    return IoError{IoErrorKind::other, "the state database is damaged"};
}

// The database and what belongs to it get a name that tells when and why.
std::filesystem::path move_aside(const std::filesystem::path& file) {
    std::filesystem::path target = file;
    target += ".damaged-" + std::to_string(wall_now_us() / 1'000'000);
    // The database last: a crash in between must not leave its old journal beside a new one.
    for (const char* const suffix : {"-wal", "-shm", ""}) {
        std::filesystem::path from = file;
        std::filesystem::path to = target;
        from += suffix;
        to += suffix;
        std::error_code ignored; // a part that is not there
        std::filesystem::rename(from, to, ignored);
    }
    return target;
}

} // namespace

struct StateDatabase::Statements {
    Statement put_meta, put_provider, put_station, erase_station, put_object, erase_object, history;

    explicit Statements(sqlite3* database)
        : put_meta(database, "INSERT OR REPLACE INTO meta VALUES (1, ?)"),
          put_provider(database, "INSERT OR REPLACE INTO provider VALUES (?, ?)"),
          put_station(database, "INSERT OR REPLACE INTO station VALUES (?, ?)"),
          erase_station(database, "DELETE FROM station WHERE id = ?"),
          put_object(database, "INSERT OR REPLACE INTO object VALUES (?, ?, ?)"),
          erase_object(database, "DELETE FROM object WHERE provider = ? AND key = ?"),
          history(database,
                  "INSERT INTO history (at, provider, key, what, version, origin, stamp_wall,"
                  " stamp_logical, replaced_wall, replaced_logical, bytes, transferred, kept,"
                  " package, kept_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") {}
};

StateDatabase::StateDatabase(sqlite3* database)
    : database_(database), statements_(std::make_unique<Statements>(database)) {}

StateDatabase::~StateDatabase() {
    statements_.reset();
    sqlite3_close(database_);
}

IoResult<OpenedState> StateDatabase::open(const std::filesystem::path& file) {
    OpenedState opened;
    bool damaged = false;
    auto handle = open_handle(file, true, damaged);
    if (!handle && damaged) {
        opened.moved_aside = move_aside(file);
        handle = open_handle(file, true, damaged);
    }
    if (!handle)
        return handle.error();
    opened.database.reset(new StateDatabase(*handle));
    return opened;
}

IoResult<std::unique_ptr<StateDatabase>>
StateDatabase::open_again(const std::filesystem::path& file) {
    bool damaged = false;
    const auto handle = open_handle(file, false, damaged);
    if (!handle)
        return handle.error();
    return std::unique_ptr<StateDatabase>(new StateDatabase(*handle));
}

struct StateDatabase::Content {
    core::DurableState state;
    bool has_meta = false;
};

IoResult<LoadedState> StateDatabase::open_and_load(const std::filesystem::path& file) {
    LoadedState loaded;
    for (int attempt = 0;; ++attempt) {
        auto opened = open(file);
        if (!opened)
            return opened.error();
        if (!opened->moved_aside.empty())
            loaded.moved_aside = opened->moved_aside;
        bool damaged = false;
        auto content = opened->database->load(damaged);
        if (content) {
            loaded.database = std::move(opened->database);
            loaded.state = std::move(content->state);
            loaded.fresh = !content->has_meta;
            break;
        }
        if (!damaged || attempt > 0)
            return content.error();
        opened->database.reset();
        loaded.moved_aside = move_aside(file);
    }
    // Without its own record it is the rest of a process that died before it began.
    if (loaded.fresh) {
        loaded.state = {};
        if (auto cleared = loaded.database->clear(); !cleared)
            return cleared.error();
    }
    return loaded;
}

IoResult<void> StateDatabase::clear() {
    if (!execute(database_, "BEGIN IMMEDIATE; DELETE FROM provider; DELETE FROM station;"
                            "DELETE FROM object; DELETE FROM history; COMMIT")) {
        IoError error = error_of(database_, "clear it");
        execute(database_, "ROLLBACK");
        return error;
    }
    return {};
}

IoResult<StateDatabase::Content> StateDatabase::load(bool& damaged) {
    Content content;
    core::DurableState& state = content.state;
    const auto unreadable = [&] {
        damaged = true;
        return IoError{IoErrorKind::other, "the state database holds a record that cannot be read"};
    };
    Statement meta(database_, "SELECT record FROM meta");
    while (meta.step()) {
        auto record = decode_meta(meta.bytes(0));
        if (!record)
            return unreadable();
        state.meta = std::move(*record);
        content.has_meta = true;
    }
    Statement providers(database_, "SELECT name, record FROM provider");
    while (providers.step()) {
        auto record = decode_provider(std::string(providers.bytes(0)), providers.bytes(1));
        if (!record)
            return unreadable();
        state.providers.push_back(std::move(*record));
    }
    Statement stations(database_, "SELECT id, record FROM station");
    while (stations.step()) {
        auto record = decode_station(id_from(stations.bytes(0)), stations.bytes(1));
        if (!record)
            return unreadable();
        state.stations.push_back(std::move(*record));
    }
    Statement objects(database_, "SELECT provider, key, record FROM object");
    while (objects.step()) {
        auto record = decode_object({std::string(objects.bytes(0)), std::string(objects.bytes(1))},
                                    objects.bytes(2));
        if (!record)
            return unreadable();
        state.objects.push_back(std::move(*record));
    }
    for (const Statement* const each : {&meta, &providers, &stations, &objects})
        if (!each->ended_well()) {
            const int code = sqlite3_errcode(database_);
            damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
            return error_of(database_, "read it");
        }
    return content;
}

IoResult<void> StateDatabase::apply(const core::Mutation& mutation) {
    Statements& use = *statements_;
    struct Visitor {
        Statements& use;
        bool operator()(const core::PutMeta& put) const {
            return use.put_meta.blob(encode_record(put.record)).run();
        }
        bool operator()(const core::PutProvider& put) const {
            return use.put_provider.text(put.record.provider).blob(encode_record(put.record)).run();
        }
        bool operator()(const core::PutStation& put) const {
            return use.put_station.blob(id_bytes(put.record.id))
                .blob(encode_record(put.record))
                .run();
        }
        bool operator()(const core::EraseStation& erase) const {
            return use.erase_station.blob(id_bytes(erase.id)).run();
        }
        bool operator()(const core::PutObject& put) const {
            const core::ObjectId& id = put.record.id;
            return use.put_object.text(id.provider)
                .text(id.key)
                .blob(encode_record(put.record))
                .run();
        }
        bool operator()(const core::EraseObject& erase) const {
            return use.erase_object.text(erase.id.provider).text(erase.id.key).run();
        }
        bool operator()(const core::AppendHistory& append) const {
            const core::HistoryEntry& entry = append.entry;
            std::string kept_on;
            for (const core::StationId& id : entry.kept_on)
                kept_on += id_bytes(id);
            const std::string package(reinterpret_cast<const char*>(entry.package.bytes.data()),
                                      entry.package.bytes.size());
            return use.history.bind(entry.at.us)
                .text(entry.object.provider)
                .text(entry.object.key)
                .bind(static_cast<std::int64_t>(entry.what))
                .text(entry.version)
                .blob(id_bytes(entry.from))
                .bind(entry.stamp.wall_us)
                .bind(std::int64_t{entry.stamp.logical})
                .bind(entry.replaced_stamp.wall_us)
                .bind(std::int64_t{entry.replaced_stamp.logical})
                .bind(entry.bytes)
                .bind(entry.transferred_bytes)
                .bind(std::int64_t{entry.kept})
                .blob(package)
                .blob(kept_on)
                .run();
        }
    };
    if (!std::visit(Visitor{use}, mutation))
        return error_of(database_, "write it");
    return {};
}

IoResult<void> StateDatabase::commit(const std::vector<std::vector<core::Mutation>>& transactions) {
    STSYNC_FAULT_POINT("state.before_commit");
    const auto undo = [&](IoError error) {
        execute(database_, "ROLLBACK");
        return error;
    };
    if (!execute(database_, "BEGIN IMMEDIATE"))
        return error_of(database_, "begin a transaction");
    for (const auto& transaction : transactions)
        for (const core::Mutation& mutation : transaction)
            if (auto applied = apply(mutation); !applied)
                return undo(applied.error());
    STSYNC_FAULT_POINT("state.in_transaction");
    if (!execute(database_, "COMMIT"))
        return undo(error_of(database_, "commit"));
    STSYNC_FAULT_POINT("state.after_commit");
    return {};
}

IoResult<std::vector<core::HistoryEntry>> StateDatabase::history(const HistoryQuery& query) {
    Statement select(database_,
                     "SELECT at, provider, key, what, version, origin, stamp_wall, stamp_logical,"
                     " replaced_wall, replaced_logical, bytes, transferred, kept, package, kept_on"
                     " FROM history WHERE (?1 = '' OR provider = ?1) AND (?2 = '' OR key = ?2)"
                     " ORDER BY n DESC LIMIT ?3");
    select.text(query.provider).text(query.key).bind(std::int64_t{query.entries_max});
    std::vector<core::HistoryEntry> entries;
    while (select.step()) {
        core::HistoryEntry entry;
        entry.at.us = select.integer(0);
        entry.object = {std::string(select.bytes(1)), std::string(select.bytes(2))};
        entry.what = static_cast<core::HistoryWhat>(select.integer(3));
        entry.version = select.bytes(4);
        entry.from = id_from(select.bytes(5));
        entry.stamp = {select.integer(6), static_cast<std::uint32_t>(select.integer(7))};
        entry.replaced_stamp = {select.integer(8), static_cast<std::uint32_t>(select.integer(9))};
        entry.bytes = static_cast<std::uint64_t>(select.integer(10));
        entry.transferred_bytes = static_cast<std::uint64_t>(select.integer(11));
        entry.kept = select.integer(12) != 0;
        const std::string_view package = select.bytes(13);
        std::copy_n(package.begin(), std::min(package.size(), entry.package.bytes.size()),
                    reinterpret_cast<char*>(entry.package.bytes.data()));
        for (std::string_view rest = select.bytes(14); rest.size() >= 16; rest.remove_prefix(16))
            entry.kept_on.push_back(id_from(rest.substr(0, 16)));
        entries.push_back(std::move(entry));
    }
    if (!select.ended_well())
        return error_of(database_, "read the history");
    return entries;
}

IoResult<std::optional<std::string>> StateDatabase::plugin_value(std::string_view instance,
                                                                 std::string_view key) {
    Statement select(database_, "SELECT value FROM plugin_value WHERE instance = ? AND key = ?");
    select.text(instance).text(key);
    std::optional<std::string> value;
    while (select.step())
        value = std::string(select.bytes(0));
    if (!select.ended_well())
        return error_of(database_, "read a plugin's value");
    return value;
}

IoResult<void> StateDatabase::put_plugin_values(std::string_view instance,
                                                const KeyValues& values) {
    if (!execute(database_, "BEGIN IMMEDIATE"))
        return error_of(database_, "begin a transaction");
    bool good = true;
    for (const auto& [key, value] : values) {
        if (value) {
            Statement put(database_, "INSERT OR REPLACE INTO plugin_value VALUES (?, ?, ?)");
            good = good && put.text(instance).text(key).blob(*value).run();
        } else {
            Statement erase(database_, "DELETE FROM plugin_value WHERE instance = ? AND key = ?");
            good = good && erase.text(instance).text(key).run();
        }
    }
    if (good && execute(database_, "COMMIT"))
        return {};
    IoError error = error_of(database_, "write a plugin's values");
    execute(database_, "ROLLBACK");
    return error;
}

} // namespace stationsync::host
