// Errors of the state database as sentences. For the files of this folder only.
#pragma once

#include "base/io_result.hpp"

#include <sqlite3.h>

#include <string_view>

namespace stationsync::host {

// The last error of the connection (null: out of memory); `what` it cannot do.
IoError error_of(sqlite3* database, std::string_view what);

} // namespace stationsync::host
