// The functions of the system's ODBC driver manager. They are found at run time, so that a station
// without ODBC loses nothing but what needs it.
#pragma once

#if defined(_WIN32)
#include "headers_windows.hpp"
#else
#include "headers_linux.hpp"
#endif

#include <string>

namespace stationsync::sqlserver::odbc {

static_assert(sizeof(SQLWCHAR) == sizeof(char16_t), "text goes to the driver as UTF-16");

struct Api {
    decltype(&::SQLAllocHandle) alloc_handle = nullptr;
    decltype(&::SQLFreeHandle) free_handle = nullptr;
    decltype(&::SQLSetEnvAttr) set_env_attr = nullptr;
    decltype(&::SQLSetConnectAttrW) set_connect_attr = nullptr;
    decltype(&::SQLDriverConnectW) driver_connect = nullptr;
    decltype(&::SQLDisconnect) disconnect = nullptr;
    decltype(&::SQLSetStmtAttrW) set_stmt_attr = nullptr;
    decltype(&::SQLExecDirectW) exec_direct = nullptr;
    decltype(&::SQLNumResultCols) num_result_cols = nullptr;
    decltype(&::SQLDescribeColW) describe_col = nullptr;
    decltype(&::SQLFetch) fetch = nullptr;
    decltype(&::SQLGetData) get_data = nullptr;
    decltype(&::SQLMoreResults) more_results = nullptr;
    decltype(&::SQLGetDiagRecW) get_diag_rec = nullptr;
    decltype(&::SQLCancel) cancel = nullptr;
    decltype(&::SQLDriversW) drivers = nullptr;
    decltype(&::SQLDataSourcesW) data_sources = nullptr;
};

// Any thread; the library stays loaded. Null when there is none: then `missing` says what and what
// to install.
const Api* find_api(std::string& missing);

} // namespace stationsync::sqlserver::odbc
