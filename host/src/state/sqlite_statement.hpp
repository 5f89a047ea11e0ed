// A prepared statement with typed binding; keeps SQLite's C calls in one place.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stationsync::host {

class Statement {
public:
    Statement(sqlite3* database, std::string_view sql) {
        sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    }
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(std::int64_t value) {
        sqlite3_bind_int64(statement_, ++bound_, value);
        return *this;
    }
    Statement& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
    Statement& text(std::string_view value) {
        sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
        return *this;
    }
    Statement& blob(std::string_view value) {
        sqlite3_bind_blob64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT);
        return *this;
    }
    // True while there is a row. Afterwards result() tells how it ended.
    bool step() {
        result_ = statement_ ? sqlite3_step(statement_) : SQLITE_ERROR;
        return result_ == SQLITE_ROW;
    }
    // Runs to the end and makes the statement ready for the next use. True: no error.
    bool run() {
        while (step()) {
        }
        const bool done = result_ == SQLITE_DONE;
        reset();
        return done;
    }
    void reset() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
        bound_ = 0;
    }
    [[nodiscard]] bool ended_well() const { return result_ == SQLITE_DONE; }

    [[nodiscard]] std::int64_t integer(int column) const {
        return sqlite3_column_int64(statement_, column);
    }
    [[nodiscard]] std::string_view bytes(int column) const {
        const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
        return {data ? data : "",
                static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }
    [[nodiscard]] bool is_null(int column) const {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }

private:
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
    int result_ = SQLITE_OK;
};

} // namespace stationsync::host
