// One batch, run to its very end.
#pragma once

#include "handle.hpp"

namespace stationsync::sqlserver::odbc {

struct Limits {
    std::size_t rows_max = 0;
    std::size_t value_bytes_max = 0;
};

// Lives on one thread, cancelling apart: SQLCancel may be called for its handle while run() is at
// work.
class Statement {
public:
    Statement(const Api& api, const ConnectionString& where) noexcept
        : handle_(api, SQL_HANDLE_STMT), where_(where) {}

    // False: `messages` of the connection say why.
    bool allocate(SQLHANDLE connection) noexcept { return handle_.allocate(connection); }
    SQLHANDLE handle() const noexcept { return handle_.get(); }

    // Takes rows and messages of all results; after an error too, for errors may come with any
    // later result, and leaving a statement before its end breaks off what the server does.
    void run(std::u16string sql, const Limits& limits);

    bool has_failed() const noexcept { return has_failed_; }
    std::vector<ResultSet>& results() noexcept { return results_; }
    std::vector<Diagnostic>& messages() noexcept { return messages_; }

private:
    struct Column {
        std::string name;
        SQLSMALLINT type = 0;
    };

    void fail();
    std::vector<Column> columns();
    void read_rows(const Limits& limits);
    Value value(SQLUSMALLINT column, SQLSMALLINT type, const Limits& limits);
    Value text_value(SQLUSMALLINT column, const Limits& limits);
    Value bytes_value(SQLUSMALLINT column, const Limits& limits);
    Value real_value(SQLUSMALLINT column);

    Handle handle_;
    const ConnectionString& where_;
    std::vector<ResultSet> results_;
    std::vector<Diagnostic> messages_;
    bool has_failed_ = false;
};

} // namespace stationsync::sqlserver::odbc
