#include "api.hpp"

namespace stationsync::sqlserver::odbc {

// odbc32.dll belongs to every Windows, so it is simply linked.
const Api* find_api(std::string& missing) {
    static const Api api{&::SQLAllocHandle,     &::SQLFreeHandle,     &::SQLSetEnvAttr,
                         &::SQLSetConnectAttrW, &::SQLDriverConnectW, &::SQLDisconnect,
                         &::SQLSetStmtAttrW,    &::SQLExecDirectW,    &::SQLNumResultCols,
                         &::SQLDescribeColW,    &::SQLFetch,          &::SQLGetData,
                         &::SQLMoreResults,     &::SQLGetDiagRecW,    &::SQLCancel,
                         &::SQLDriversW,        &::SQLDataSourcesW};
    missing.clear();
    return &api;
}

} // namespace stationsync::sqlserver::odbc
