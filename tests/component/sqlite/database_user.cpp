// Another program that uses a database: keeps one connection open and does what it is told, a line
// at a time.
//
//   database_user PATH
//   sql TEXT      -> "ok ROWS" or "error CODE TEXT"; waits for locks as long as it takes
//   hasty TEXT    the same without waiting for locks
//   hold TEXT     steps to the first row and leaves the statement open -> "ok ROW"
//   release       ends that statement
//   count TEXT    repeats the statement until the next line comes -> "ok N BUSY WORST_MS"
#include "component/sqlite/database.hpp"

#include <chrono>
#include <iostream>
#include <thread>

#include <poll.h>

namespace {

using Clock = std::chrono::steady_clock;

bool has_input() {
    pollfd input{0, POLLIN, 0};
    return ::poll(&input, 1, 0) > 0;
}

// Repeats `sql` with the patience of an ordinary program: a timeout of 2 s, then again.
std::string repeat(stationsync::test::Database& database, const std::string& sql) {
    long done = 0;
    long busy = 0;
    long worst_ms = 0;
    sqlite3_busy_timeout(database.raw(), 2000);
    while (!has_input()) {
        const auto begun = Clock::now();
        while (true) {
            const int result = sqlite3_exec(database.raw(), sql.c_str(), nullptr, nullptr, nullptr);
            if (result == SQLITE_OK)
                break;
            if ((result & 0xff) != SQLITE_BUSY)
                return "error " + std::to_string(result) + " " + sqlite3_errmsg(database.raw());
            ++busy;
        }
        ++done;
        const auto taken =
            std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
        worst_ms = std::max(worst_ms, static_cast<long>(taken.count()));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    sqlite3_busy_timeout(database.raw(), 30000);
    return "ok " + std::to_string(done) + " " + std::to_string(busy) + " " +
           std::to_string(worst_ms);
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2)
        return 2;
    stationsync::test::Database database(arguments[1]);
    sqlite3_stmt* held = nullptr;
    std::string line;
    while (std::getline(std::cin, line)) {
        const std::size_t space = line.find(' ');
        const std::string verb = line.substr(0, space);
        const std::string sql = space == std::string::npos ? "" : line.substr(space + 1);
        std::string answer = "ok";
        try {
            if (verb == "sql" || verb == "hasty") {
                sqlite3_busy_timeout(database.raw(), verb == "sql" ? 30000 : 0);
                answer += ' ' + database.run(sql);
            } else if (verb == "hold") {
                if (sqlite3_prepare_v2(database.raw(), sql.c_str(), -1, &held, nullptr) !=
                        SQLITE_OK ||
                    sqlite3_step(held) != SQLITE_ROW)
                    throw std::runtime_error(sqlite3_errmsg(database.raw()));
                answer += ' ';
                answer += reinterpret_cast<const char*>(sqlite3_column_text(held, 0));
            } else if (verb == "release") {
                sqlite3_finalize(held);
                held = nullptr;
            } else if (verb == "count") {
                answer = repeat(database, sql);
            }
        } catch (const std::exception& failure) {
            answer =
                "error " + std::to_string(sqlite3_errcode(database.raw())) + " " + failure.what();
        }
        std::cout << answer << std::endl;
    }
    sqlite3_finalize(held);
}
