// A sum over all rows of a database: after a restart, when the counters have begun anew, it tells
// whether anything was changed. Reads everything, so it is for databases of moderate size.
#pragma once

#include "sql_session.hpp"

namespace stationsync::sqlserver {

// Equal sums of equal schemas mean equal rows, as far as 96 bits of BINARY_CHECKSUM can tell.
// Nothing when it cannot be told: columns of types other than those that are known to be summed,
// tables in memory, or no right to read. Reads without locks: the caller makes sure, by the gate
// before and after, that nobody wrote meanwhile. Throws sdk::Error or sdk::Cancelled when the
// server cannot be asked at all.
std::optional<std::string> read_content_sum(SqlSession& session, std::string_view database,
                                            const sdk::Op* op);

} // namespace stationsync::sqlserver
