// Whether somebody wrote to a database that is taken out of use: told by what users' statements
// leave behind, at once and without touching data.
#pragma once

#include "database_evidence.hpp"

namespace stationsync::sqlserver {

struct Evidence;

struct WriteTraces {
    Usage usage;
    Fingerprint fingerprint; // without the GUIDs and without tables in memory
};

// For a batch that other statements may stand before.
std::string traces_statement(std::string_view database, const ServerFacts& facts);
// Nothing when the answer does not have all of it.
std::optional<WriteTraces> traces_in(const Answer& answer);

// Counters that began anew count for nothing; what lies in the database itself does.
bool were_written(const Evidence& before, const WriteTraces& now);

} // namespace stationsync::sqlserver
