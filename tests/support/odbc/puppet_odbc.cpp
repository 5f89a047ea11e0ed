// An ODBC driver that does what a test says in its connection string; unixODBC loads it like any
// other. Keys, all of them optional:
//   Log=FILE       a line for each attempt to connect
//   RightToken=TEXT any other PWD is refused as SQL Server does, with an echo of what was given
//   Release=FILE   what hangs does so until this file is there, or its folder is gone
//   Mode=hang_connect | hang_query (SQLCancel ends it) | deaf_query (nothing but Release ends it) |
//        late_error (comes with the second result) | restoring (4060) | pieces (a long value) |
//        backup (a message with each result, the last is 3014) | silent (no rows, no message) |
//        late_cancel (as hang_query, but it had gone through: HY008 beside 3014) | lost (08S01)
// Otherwise the one row is P, 10.9.9.9.
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Said {
    std::u16string state;
    int native;
    std::u16string text;
};

struct Connection {
    std::map<std::string, std::string> keys;
    std::vector<Said> said;
};

struct Statement {
    Connection* connection;
    std::vector<Said> said;
    std::vector<std::vector<std::u16string>> rows;
    std::size_t row = 0;            // behind the present one
    std::vector<std::size_t> given; // units of each column
    int results = 0;
    std::atomic<bool> is_cancelled{false};
};

std::u16string wide(const std::string& text) {
    return {text.begin(), text.end()}; // ASCII
}

bool is_released(const Connection& connection) {
    const auto file = connection.keys.find("Release");
    return file == connection.keys.end() || std::filesystem::exists(file->second) ||
           !std::filesystem::exists(std::filesystem::path(file->second).parent_path());
}

template <class Condition>
void hang_until(Condition&& condition) {
    while (!condition())
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

std::vector<Said>& said_of(SQLSMALLINT type, SQLHANDLE handle) {
    return type == SQL_HANDLE_STMT ? static_cast<Statement*>(handle)->said
                                   : static_cast<Connection*>(handle)->said;
}

std::string mode_of(const Connection& connection) {
    const auto mode = connection.keys.find("Mode");
    return mode == connection.keys.end() ? "" : mode->second;
}

// The way of Microsoft's drivers: "}" stands twice within braces.
void parse(std::string text, std::map<std::string, std::string>& keys) {
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos)
            return;
        const std::string key = text.substr(0, equals);
        text.erase(0, equals + 1);
        std::string value;
        if (text.front() == '{') {
            std::size_t at = 1;
            for (; at < text.size() && (text[at] != '}' || text.substr(at, 2) == "}}"); ++at) {
                value += text[at];
                at += text[at] == '}' ? 1 : 0;
            }
            text.erase(0, at);
        } else {
            value = text.substr(0, text.find(';'));
        }
        const std::size_t end = text.find(';');
        text.erase(0, end == std::string::npos ? text.size() : end + 1);
        keys[key] = value;
    }
}

void copy_out(const std::u16string& text, SQLWCHAR* to, SQLSMALLINT units) {
    if (to == nullptr || units <= 0)
        return;
    const std::size_t count = std::min(text.size(), static_cast<std::size_t>(units) - 1);
    std::copy_n(text.begin(), count, to);
    to[count] = 0;
}

} // namespace

extern "C" {

SQLRETURN SQL_API SQLAllocHandle(SQLSMALLINT type, SQLHANDLE parent, SQLHANDLE* handle) {
    if (type == SQL_HANDLE_ENV)
        *handle = new int(0);
    else if (type == SQL_HANDLE_DBC)
        *handle = new Connection();
    else if (type == SQL_HANDLE_STMT)
        *handle = new Statement{static_cast<Connection*>(parent), {}, {}, 0, {}, 0, {}};
    else
        return SQL_ERROR;
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLFreeHandle(SQLSMALLINT type, SQLHANDLE handle) {
    if (type == SQL_HANDLE_ENV)
        delete static_cast<int*>(handle);
    else if (type == SQL_HANDLE_DBC)
        delete static_cast<Connection*>(handle);
    else
        delete static_cast<Statement*>(handle);
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLSetEnvAttr(SQLHENV, SQLINTEGER, SQLPOINTER, SQLINTEGER) {
    return SQL_SUCCESS;
}
SQLRETURN SQL_API SQLSetConnectAttrW(SQLHDBC, SQLINTEGER, SQLPOINTER, SQLINTEGER) {
    return SQL_SUCCESS;
}
SQLRETURN SQL_API SQLSetStmtAttrW(SQLHSTMT, SQLINTEGER, SQLPOINTER, SQLINTEGER) {
    return SQL_SUCCESS;
}
SQLRETURN SQL_API SQLGetStmtAttrW(SQLHSTMT, SQLINTEGER, SQLPOINTER value, SQLINTEGER, SQLINTEGER*) {
    std::memset(value, 0, sizeof(void*));
    return SQL_SUCCESS;
}
SQLRETURN SQL_API SQLGetInfoW(SQLHDBC, SQLUSMALLINT, SQLPOINTER value, SQLSMALLINT size,
                              SQLSMALLINT* used) {
    if (value != nullptr && size > 0)
        std::memset(value, 0, static_cast<std::size_t>(size));
    if (used != nullptr)
        *used = 0;
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLDriverConnectW(SQLHDBC handle, SQLHWND, SQLWCHAR* in, SQLSMALLINT count,
                                    SQLWCHAR* out, SQLSMALLINT room, SQLSMALLINT*, SQLUSMALLINT) {
    auto& connection = *static_cast<Connection*>(handle);
    std::size_t units = 0;
    while (count == SQL_NTS ? in[units] != 0 : units < static_cast<std::size_t>(count))
        ++units;
    const std::string given(in, in + units);
    parse(given, connection.keys);
    if (connection.keys.contains("Log"))
        std::ofstream(connection.keys["Log"], std::ios::app) << "connect\n";
    if (mode_of(connection) == "hang_connect")
        hang_until([&] { return is_released(connection); });
    if (mode_of(connection) == "restoring") {
        connection.said = {{u"28000", 18456, u"Login failed for user 'plant'."},
                           {u"42000", 4060, u"Cannot open database \"Batch\"."}};
        return SQL_ERROR;
    }
    const auto right = connection.keys.find("RightToken");
    if (right != connection.keys.end() && connection.keys["PWD"] != right->second) {
        connection.said = {{u"28000", 18456,
                            u"Login failed for user 'plant' with " + wide(connection.keys["PWD"])},
                           {u"01S00", 0, u"Given was " + wide(given)}};
        return SQL_ERROR;
    }
    copy_out(u"", out, room);
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLDisconnect(SQLHDBC) {
    return SQL_SUCCESS;
}
SQLRETURN SQL_API SQLEndTran(SQLSMALLINT, SQLHANDLE, SQLSMALLINT) {
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLExecDirectW(SQLHSTMT handle, SQLWCHAR*, SQLINTEGER) {
    auto& statement = *static_cast<Statement*>(handle);
    const std::string mode = mode_of(*statement.connection);
    statement.said.clear();
    if (mode == "hang_query" || mode == "deaf_query")
        hang_until([&] {
            return is_released(*statement.connection) ||
                   (mode == "hang_query" && statement.is_cancelled);
        });
    if (statement.is_cancelled && mode == "hang_query") {
        statement.said = {{u"HY008", 0, u"Operation canceled"}};
        return SQL_ERROR;
    }
    statement.results = 0;
    if (mode == "late_cancel") {
        hang_until([&] { return is_released(*statement.connection) || statement.is_cancelled; });
        statement.said = {{u"HY008", 0, u"Operation canceled"},
                          {u"01000", 3014, u"BACKUP DATABASE successfully processed 9 pages"}};
        return SQL_ERROR;
    }
    if (mode == "lost") {
        statement.said = {{u"08S01", 20017, u"Unexpected EOF from the server"}};
        return SQL_ERROR;
    }
    if (mode == "silent")
        return SQL_SUCCESS;
    if (mode == "backup") {
        statement.said = {{u"01000", 3211, u"10 percent processed."}};
        return SQL_SUCCESS_WITH_INFO;
    }
    std::u16string name = u"P";
    if (mode == "pieces") // longer than one piece, and a pair of surrogates wherever one ends
        for (int i = 0; i < 600; ++i)
            name += u"\U0001F3ED";
    statement.rows = {{name, u"10.9.9.9"}};
    statement.row = 0;
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLNumResultCols(SQLHSTMT handle, SQLSMALLINT* count) {
    const std::string mode = mode_of(*static_cast<Statement*>(handle)->connection);
    *count = mode == "backup" || mode == "silent" ? 0 : 2;
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLDescribeColW(SQLHSTMT, SQLUSMALLINT column, SQLWCHAR* name, SQLSMALLINT room,
                                  SQLSMALLINT* units, SQLSMALLINT* type, SQLULEN* size,
                                  SQLSMALLINT* digits, SQLSMALLINT* nullable) {
    const std::u16string text = column == 1 ? u"NAME" : u"Address";
    copy_out(text, name, room);
    *units = static_cast<SQLSMALLINT>(text.size());
    *type = SQL_WVARCHAR;
    *size = 0;
    *digits = 0;
    *nullable = SQL_NULLABLE;
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLFetch(SQLHSTMT handle) {
    auto& statement = *static_cast<Statement*>(handle);
    if (statement.row >= statement.rows.size())
        return SQL_NO_DATA;
    statement.given.assign(statement.rows[statement.row++].size(), 0);
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLGetData(SQLHSTMT handle, SQLUSMALLINT column, SQLSMALLINT, SQLPOINTER value,
                             SQLLEN size, SQLLEN* indicator) {
    auto& statement = *static_cast<Statement*>(handle);
    const std::u16string& text = statement.rows[statement.row - 1][column - 1u];
    std::size_t& given = statement.given[column - 1u];
    const std::size_t room = static_cast<std::size_t>(size) / sizeof(char16_t) - 1;
    std::size_t count = std::min(text.size() - given, room);
    const bool is_last = given + count == text.size();
    // Like some drivers: no pair of surrogates is split, and the length is not told.
    if (!is_last && text[given + count - 1] >= 0xd800 && text[given + count - 1] < 0xdc00)
        --count;
    auto* const to = static_cast<char16_t*>(value);
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(given), count, to);
    to[count] = 0;
    *indicator = is_last ? static_cast<SQLLEN>(count * sizeof(char16_t)) : SQL_NO_TOTAL;
    given += count;
    return is_last ? SQL_SUCCESS : SQL_SUCCESS_WITH_INFO;
}

SQLRETURN SQL_API SQLMoreResults(SQLHSTMT handle) {
    auto& statement = *static_cast<Statement*>(handle);
    if (mode_of(*statement.connection) == "backup") {
        constexpr int messages = 20;
        const int next = ++statement.results;
        if (next > messages)
            return SQL_NO_DATA;
        statement.said = {{u"01000", next == messages ? 3014 : 3211, u"processed"}};
        return SQL_SUCCESS_WITH_INFO;
    }
    if (mode_of(*statement.connection) != "late_error" || statement.results++ > 0)
        return SQL_NO_DATA;
    statement.said = {{u"42000", 3201, u"The error of the second result"}};
    return SQL_ERROR;
}

SQLRETURN SQL_API SQLCancel(SQLHSTMT handle) {
    static_cast<Statement*>(handle)->is_cancelled = true;
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLFreeStmt(SQLHSTMT, SQLUSMALLINT) {
    return SQL_SUCCESS;
}

SQLRETURN SQL_API SQLGetDiagRecW(SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT record,
                                 SQLWCHAR* state, SQLINTEGER* native, SQLWCHAR* text,
                                 SQLSMALLINT room, SQLSMALLINT* units) {
    const std::vector<Said>& said = said_of(type, handle);
    if (record < 1 || static_cast<std::size_t>(record) > said.size())
        return SQL_NO_DATA;
    const Said& each = said[static_cast<std::size_t>(record) - 1];
    copy_out(each.state, state, 6);
    *native = each.native;
    copy_out(each.text, text, room);
    *units = static_cast<SQLSMALLINT>(each.text.size());
    return SQL_SUCCESS;
}

// unixODBC asks for details of a message only where a driver has this function.
SQLRETURN SQL_API SQLGetDiagFieldW(SQLSMALLINT, SQLHANDLE, SQLSMALLINT, SQLSMALLINT,
                                   SQLPOINTER value, SQLSMALLINT size, SQLSMALLINT* used) {
    if (value != nullptr && size > 0)
        std::memset(value, 0, static_cast<std::size_t>(size));
    if (used != nullptr)
        *used = 0;
    return SQL_SUCCESS;
}

} // extern "C"
