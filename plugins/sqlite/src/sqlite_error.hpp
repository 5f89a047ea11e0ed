// SQLite's result codes as failures with a status and a sentence for the operator.
#pragma once

#include <sqlite3.h>
#include <stationsync/error.hpp>

#include <string>

namespace stationsync::sqlite {

// The failure for `result` of a call on `database` (nullptr = it could not even be opened).
// `doing` names file and purpose: "reading batch.db".
sdk::Error sqlite_failure(sqlite3* database, int result, const std::string& doing);

} // namespace stationsync::sqlite
