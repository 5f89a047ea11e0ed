#include "api.hpp"

#include <dlfcn.h>

namespace stationsync::sqlserver::odbc {

namespace {

struct Loaded {
    Api api;
    std::string missing;
};

template <class Function>
void look_up(void* library, const char* name, Function& function, std::string& missing) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (function == nullptr && missing.empty())
        missing = std::string("the ODBC driver manager lacks the function ") + name +
                  ": install a newer one, on Debian the package libodbc2";
}

Loaded load() {
    Loaded loaded;
    // Local: drivers export functions of the same names.
    void* const library = ::dlopen("libodbc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        loaded.missing = "ODBC is not installed on this computer (libodbc.so.2 cannot be loaded): "
                         "install the driver manager, on Debian the package libodbc2";
        return loaded;
    }
    // Drivers load it for a data source and unload it at the end of the connection, which loses
    // what it keeps of odbc.ini: 4 KiB each time. Held here, it keeps that once.
    ::dlopen("libodbcinst.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    Api& api = loaded.api;
    std::string& missing = loaded.missing;
    look_up(library, "SQLAllocHandle", api.alloc_handle, missing);
    look_up(library, "SQLFreeHandle", api.free_handle, missing);
    look_up(library, "SQLSetEnvAttr", api.set_env_attr, missing);
    look_up(library, "SQLSetConnectAttrW", api.set_connect_attr, missing);
    look_up(library, "SQLDriverConnectW", api.driver_connect, missing);
    look_up(library, "SQLDisconnect", api.disconnect, missing);
    look_up(library, "SQLSetStmtAttrW", api.set_stmt_attr, missing);
    look_up(library, "SQLExecDirectW", api.exec_direct, missing);
    look_up(library, "SQLNumResultCols", api.num_result_cols, missing);
    look_up(library, "SQLDescribeColW", api.describe_col, missing);
    look_up(library, "SQLFetch", api.fetch, missing);
    look_up(library, "SQLGetData", api.get_data, missing);
    look_up(library, "SQLMoreResults", api.more_results, missing);
    look_up(library, "SQLGetDiagRecW", api.get_diag_rec, missing);
    look_up(library, "SQLCancel", api.cancel, missing);
    look_up(library, "SQLDriversW", api.drivers, missing);
    look_up(library, "SQLDataSourcesW", api.data_sources, missing);
    return loaded;
}

} // namespace

const Api* find_api(std::string& missing) {
    static const Loaded loaded = load();
    missing = loaded.missing;
    return loaded.missing.empty() ? &loaded.api : nullptr;
}

} // namespace stationsync::sqlserver::odbc
