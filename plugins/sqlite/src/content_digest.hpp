// What a database says, without how it is laid out: the canonical digest of its content.
//
// Content = schema text, user_version, application_id, and for every table (sqlite_sequence and the
// shadow tables of virtual ones included, sqlite_stat* excluded) the multiset of its rows. A row is
// the list of its stored columns' values with their types; a rowid counts only where a column is
// its name. Page size, layout, free pages, journal mode and encoding of the file do not count. The
// exact bytes that are hashed are described in the README.
#pragma once

#include "connection.hpp"

#include <stationsync/sha256.hpp>

#include <optional>

namespace stationsync::sqlite {

struct Content {
    sdk::Digest digest{};
    std::uint64_t byte_count = 0; // pages in use or free, times page size
    sdk::Digest schema{};         // of what the rows are in: tables, user_version, application_id
};

// A value longer than this is never in memory as a whole, except in a WITHOUT ROWID table.
inline constexpr int value_bytes_max = 4 << 20;

enum class Pause {
    never,       // hold the transaction from the beginning to the end
    for_writers, // renew it several times a second, so that nobody waits for the whole reading
};

// Reads the whole database within `transaction` of `connection`, with memory independent of its
// size. Nothing when somebody changed it during a pause. Throws sdk::Error, sdk::Cancelled.
std::optional<Content> read_content(Connection& connection, ReadTransaction& transaction,
                                    const sdk::Op& op, Pause pause);

} // namespace stationsync::sqlite
