// Bringing the content of a package into the place of a live database.
#pragma once

#include "record.hpp"

namespace stationsync::sqlite {

// What is to be in a live database, and what it must replace.
struct Replacement {
    std::filesystem::path live;
    std::filesystem::path package;
    Content content;               // of the package
    sdk::Mark expected;            // absent: there must be no database, or an empty one
    std::filesystem::path scratch; // folder for a converted copy of the package
};

// Overwrites an existing database in place, in one transaction of SQLite: other programs may have
// it open, are kept waiting as by any other writer, and see the new content afterwards. All or
// nothing even if power fails; journal mode stays. CONFLICT unless the content is as expected or
// already equals that of the package. Brings `record` up to date. Throws sdk::Error,
// sdk::Cancelled.
void replace_in_place(const Replacement& wanted, Record& record, const sdk::Op& op,
                      stsync_time now);

// Puts the database where there is none. CONFLICT when one has appeared.
void create_database(const Replacement& wanted, Record& record, const sdk::Op& op,
                     const std::string& temp_name, stsync_time now);

} // namespace stationsync::sqlite
