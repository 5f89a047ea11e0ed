// A plain user of SQLite within the test program: knows nothing of the plugin.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace stationsync::test {

class Database {
public:
    explicit Database(const std::filesystem::path& path) {
        if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK)
            throw std::runtime_error("cannot open " + path.string());
        sqlite3_busy_timeout(database_, 30000);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() { sqlite3_close(database_); }

    // Runs all statements; returns the rows, columns separated by '|', rows by a line feed.
    std::string run(const std::string& sql) {
        std::string rows;
        char* message = nullptr;
        const int result = sqlite3_exec(database_, sql.c_str(), &append_row, &rows, &message);
        const std::string text = message != nullptr ? message : "";
        sqlite3_free(message);
        if (result != SQLITE_OK)
            throw std::runtime_error(sql.substr(0, 200) + ": " + text);
        return rows;
    }
    sqlite3* raw() const noexcept { return database_; }

private:
    static int append_row(void* context, int count, char** values, char**) {
        auto& rows = *static_cast<std::string*>(context);
        if (!rows.empty())
            rows += '\n';
        for (int i = 0; i < count; ++i) {
            if (i > 0)
                rows += '|';
            rows += values[i] != nullptr ? values[i] : "NULL";
        }
        return 0;
    }
    sqlite3* database_ = nullptr;
};

inline std::string run_sql(const std::filesystem::path& path, const std::string& sql) {
    return Database(path).run(sql);
}

} // namespace stationsync::test
