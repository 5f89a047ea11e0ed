#include "odbc_api.hpp"

namespace stationsync::odbc {

// odbc32.dll belongs to every Windows, so it is simply linked.
const Api* find_api(std::string& missing) {
    static const Api api{&::SQLAllocHandle,     &::SQLFreeHandle,     &::SQLSetEnvAttr,
                         &::SQLSetConnectAttrW, &::SQLDriverConnectW, &::SQLDisconnect,
                         &::SQLSetStmtAttrW,    &::SQLExecDirectW,    &::SQLNumResultCols,
                         &::SQLDescribeColW,    &::SQLFetch,          &::SQLGetData,
                         &::SQLMoreResults,     &::SQLGetDiagRecW,    &::SQLCancel,
                         &::SQLEndTran,         &::SQLDriversW};
    missing.clear();
    return &api;
}

} // namespace stationsync::odbc
