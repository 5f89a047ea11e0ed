// Packages: one SQLite database file in rollback-journal mode, with nothing beside it.
#pragma once

#include "record.hpp"

namespace stationsync::sqlite {

// Writes the present state of the database at `live` to `package`, which must not exist; page n of
// the package is page n of the database. Leaves no file on failure. `record` spares reading the
// content when it is still current; it is not changed. Throws sdk::Error, sdk::Cancelled.
Content write_package(const std::filesystem::path& live, const std::filesystem::path& package,
                      const Record& record, const sdk::Op& op);

// Checks a package that may be hostile. Throws sdk::Error with CORRUPT or INCOMPATIBLE.
Content check_package(const std::filesystem::path& package, const sdk::Op& op);

// Writes the content of `package` with another page size to `converted`, which must not exist.
void convert_page_size(const std::filesystem::path& package, std::uint32_t page_size,
                       const std::filesystem::path& converted);

} // namespace stationsync::sqlite
