#include "content_digest.hpp"

#include "row_hash.hpp"

#include <algorithm>
#include <climits>
#include <tuple>
#include <vector>

namespace stationsync::sqlite {

namespace {

// Long enough that renewing costs nothing, short against the busy timeouts of other programs.
constexpr std::chrono::milliseconds pause_interval{150};
constexpr std::uint64_t rows_between_checks = 512;
constexpr std::size_t stream_block_bytes = std::size_t{256} << 10;

struct SchemaEntry {
    std::string type;
    std::string name;
    std::string table_name;
    std::string sql;
    bool has_rows;

    auto key() const { return std::tie(type, name, table_name, sql); }
};

bool is_statistics(std::string_view table_name) {
    return table_name.starts_with("sqlite_stat");
}

std::vector<SchemaEntry> read_schema(Connection& connection) {
    std::vector<SchemaEntry> entries;
    Statement rows(connection,
                   "SELECT type, name, tbl_name, sql, rootpage FROM main.sqlite_schema");
    while (rows.step()) {
        SchemaEntry entry{rows.text(0), rows.text(1), rows.text(2), rows.text(3), false};
        // A virtual table has no pages of its own: its shadow tables carry its content.
        entry.has_rows = entry.type == "table" && rows.integer(4) != 0;
        if (!is_statistics(entry.table_name))
            entries.push_back(std::move(entry));
    }
    std::sort(entries.begin(), entries.end(),
              [](const SchemaEntry& a, const SchemaEntry& b) { return a.key() < b.key(); });
    return entries;
}

std::string digest_text(const sdk::Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

sdk::Digest schema_digest(const std::vector<SchemaEntry>& entries) {
    sdk::Sha256 hash;
    std::string bytes;
    for (const SchemaEntry& entry : entries) {
        bytes.clear();
        for (const std::string* text : {&entry.type, &entry.name, &entry.table_name, &entry.sql})
            append_text(bytes, *text);
        hash.update(bytes);
    }
    return hash.finish();
}

// Counts what was read, pauses for writers, asks whether to go on.
class Reading {
public:
    Reading(ReadTransaction& transaction, const sdk::Op& op, Pause pause,
            std::uint64_t total) noexcept
        : transaction_(transaction),
          op_(op),
          pause_(pause),
          total_(total),
          begun_(std::chrono::steady_clock::now()) {}

    void count(std::uint64_t bytes) {
        done_ += bytes;
        if (++calls_ % rows_between_checks != 0 && bytes < stream_block_bytes)
            return;
        op_.check();
        op_.progress(std::min(done_, total_), total_, STSYNC_UNIT_BYTES, "reading");
    }

    bool is_pause_due() const {
        return pause_ == Pause::for_writers && calls_ % rows_between_checks == 0 &&
               std::chrono::steady_clock::now() - begun_ >= pause_interval;
    }

    // False when the content has changed.
    bool pause() {
        const bool is_same = transaction_.renew();
        begun_ = std::chrono::steady_clock::now();
        return is_same;
    }

private:
    ReadTransaction& transaction_;
    const sdk::Op& op_;
    Pause pause_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    std::uint64_t calls_ = 0;
    std::chrono::steady_clock::time_point begun_;
};

// Reads one table row by row.
class TableReader {
public:
    TableReader(Connection& connection, std::string name, Reading& reading)
        : connection_(connection), name_(std::move(name)), reading_(reading) {
        read_columns();
        choose_rowid();
    }

    // False when the content has changed during a pause.
    bool read(RowMultiset& rows) {
        return rowid_.empty() ? read_without_rowid(rows) : read_by_rowid(rows);
    }

private:
    void read_columns() {
        Statement info(connection_, "PRAGMA main.table_xinfo(" + sql_name(name_) + ")");
        constexpr int name_column = 1;
        constexpr int hidden_column = 6; // 2 and 3 = generated: told by the others
        while (info.step())
            if (info.integer(hidden_column) == 0)
                columns_.push_back(info.text(name_column));
        for (const std::string& column : columns_) {
            if (!column_list_.empty())
                column_list_ += ',';
            column_list_ += sql_name(column);
        }
    }

    // A column may be called rowid without being it; one of three names is mostly left.
    void choose_rowid() {
        for (const char* name : {"rowid", "_rowid_", "oid"}) {
            const auto has_name = [&](const std::string& column) {
                return sqlite3_stricmp(column.c_str(), name) == 0;
            };
            if (std::any_of(columns_.begin(), columns_.end(), has_name))
                continue;
            if (Statement(connection_, "SELECT " + std::string(name) + from(), false))
                rowid_ = name;
            return;
        }
    }

    std::string from() const { return " FROM main." + sql_name(name_) + " NOT INDEXED"; }

    bool read_without_rowid(RowMultiset& rows) {
        // Such a value cannot be read in pieces.
        const int limit = sqlite3_limit(connection_.raw(), SQLITE_LIMIT_LENGTH, INT_MAX);
        Statement statement(connection_, "SELECT " + column_list_ + from());
        while (statement.step())
            add_row(statement, 0, rows);
        sqlite3_limit(connection_.raw(), SQLITE_LIMIT_LENGTH, limit);
        return true;
    }

    bool read_by_rowid(RowMultiset& rows) {
        const std::string select = "SELECT " + rowid_ + "," + column_list_ + from();
        const std::string order = " ORDER BY " + rowid_;
        Statement first(connection_, select + order);
        Statement resumed(connection_, select + " WHERE " + rowid_ + " > ?1" + order);
        Statement* statement = &first;
        std::optional<std::int64_t> last;
        while (true) {
            const int result = statement->step_raw();
            if (result == SQLITE_DONE)
                return true;
            if (result == SQLITE_ROW) {
                last = statement->integer(0);
                add_row(*statement, 1, rows);
                if (!reading_.is_pause_due())
                    continue;
                statement->reset();
                if (!reading_.pause())
                    return false;
            } else if (result == SQLITE_TOOBIG) {
                statement->reset();
                last = add_long_row(last, rows);
            } else {
                connection_.fail(result, "reading " + connection_.name());
            }
            statement = &resumed;
            statement->reset();
            statement->bind(1, *last);
        }
    }

    void add_row(const Statement& statement, int first_column, RowMultiset& rows) {
        bytes_.clear();
        const int count = static_cast<int>(columns_.size());
        for (int i = 0; i < count; ++i)
            append_value(bytes_, statement, first_column + i);
        rows.add(sdk::sha256(bytes_));
        reading_.count(bytes_.size());
        if (bytes_.capacity() > stream_block_bytes)
            bytes_ = {};
    }

    // The row after `last`, which holds a value above the limit. Returns its rowid.
    std::int64_t add_long_row(std::optional<std::int64_t> last, RowMultiset& rows) {
        const std::string condition =
            last ? " WHERE " + rowid_ + " > " + std::to_string(*last) : "";
        const std::int64_t rowid = connection_.integer("SELECT " + rowid_ + from() + condition +
                                                       " ORDER BY " + rowid_ + " LIMIT 1");
        sdk::Sha256 hash;
        for (const std::string& column : columns_)
            if (!stream_value(column, rowid, hash))
                add_short_value(column, rowid, hash);
        rows.add(hash.finish());
        return rowid;
    }

    void add_short_value(const std::string& column, std::int64_t rowid, sdk::Sha256& hash) {
        Statement statement(connection_, "SELECT " + sql_name(column) + from() + " WHERE " +
                                             rowid_ + " = " + std::to_string(rowid));
        if (!statement.step())
            return;
        bytes_.clear();
        append_value(bytes_, statement, 0);
        hash.update(bytes_);
        reading_.count(bytes_.size());
    }

    // False for a value that is short or neither text nor blob.
    bool stream_value(const std::string& column, std::int64_t rowid, sdk::Sha256& hash) {
        const std::string type =
            connection_.text("SELECT typeof(" + sql_name(column) + ")" + from() + " WHERE " +
                             rowid_ + " = " + std::to_string(rowid));
        if (type != "text" && type != "blob")
            return false;
        sqlite3_blob* opened = nullptr;
        const int result = sqlite3_blob_open(connection_.raw(), "main", name_.c_str(),
                                             column.c_str(), rowid, 0, &opened);
        const std::unique_ptr<sqlite3_blob, decltype(&sqlite3_blob_close)> blob(
            opened, &sqlite3_blob_close);
        // A default value that is not stored in the row cannot be opened; it is never long.
        if (result == SQLITE_ERROR)
            return false;
        if (result != SQLITE_OK)
            connection_.fail(result, "reading " + connection_.name());
        const int count = sqlite3_blob_bytes(blob.get());
        if (count <= value_bytes_max)
            return false;

        bytes_.clear();
        append_value_head(bytes_, type == "text", static_cast<std::uint64_t>(count));
        hash.update(bytes_);
        std::string block(stream_block_bytes, '\0');
        for (int at = 0; at < count;) {
            const int wanted = std::min(count - at, static_cast<int>(block.size()));
            const int read = sqlite3_blob_read(blob.get(), block.data(), wanted, at);
            if (read != SQLITE_OK)
                connection_.fail(read, "reading " + connection_.name());
            hash.update(block.data(), static_cast<std::size_t>(wanted));
            reading_.count(static_cast<std::uint64_t>(wanted));
            at += wanted;
        }
        return true;
    }

    Connection& connection_;
    std::string name_;
    Reading& reading_;
    std::vector<std::string> columns_;
    std::string column_list_;
    std::string rowid_; // empty: WITHOUT ROWID
    std::string bytes_;
};

// Sets the limit at which SQLite refuses to load a value, for the time of a reading.
class ValueLimit {
public:
    explicit ValueLimit(sqlite3* database)
        : database_(database),
          before_(sqlite3_limit(database, SQLITE_LIMIT_LENGTH, value_bytes_max)) {}
    ValueLimit(const ValueLimit&) = delete;
    ValueLimit& operator=(const ValueLimit&) = delete;
    ~ValueLimit() { sqlite3_limit(database_, SQLITE_LIMIT_LENGTH, before_); }

private:
    sqlite3* database_;
    int before_;
};

} // namespace

std::optional<Content> read_content(Connection& connection, ReadTransaction& transaction,
                                    const sdk::Op& op, Pause pause) {
    Content content;
    content.byte_count = static_cast<std::uint64_t>(connection.integer("PRAGMA main.page_count")) *
                         connection.page_size();
    const std::vector<SchemaEntry> schema = read_schema(connection);

    std::string bytes = "stationsync sqlite content 1\n";
    append_number(bytes,
                  static_cast<std::uint64_t>(connection.integer("PRAGMA main.user_version")));
    append_number(bytes,
                  static_cast<std::uint64_t>(connection.integer("PRAGMA main.application_id")));
    bytes += digest_text(schema_digest(schema));
    content.schema = sdk::sha256(bytes);

    const ValueLimit limit(connection.raw());
    Reading reading(transaction, op, pause, content.byte_count);
    sdk::Sha256 hash;
    for (const SchemaEntry& entry : schema) {
        if (!entry.has_rows)
            continue;
        op.check();
        RowMultiset rows;
        if (!TableReader(connection, entry.name, reading).read(rows))
            return std::nullopt;
        append_text(bytes, entry.name);
        append_number(bytes, rows.row_count());
        bytes += digest_text(rows.sum());
        hash.update(bytes);
        bytes.clear();
    }
    hash.update(bytes);
    content.digest = hash.finish();
    return content;
}

} // namespace stationsync::sqlite
