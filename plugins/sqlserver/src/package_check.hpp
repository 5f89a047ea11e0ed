// Whether a package that came from elsewhere, hostile until proved otherwise, may be restored here.
#pragma once

#include "backup_header.hpp"
#include "package_label.hpp"
#include "provider_settings.hpp"

namespace stationsync::sqlserver {

struct CheckedPackage {
    Backup backup;
    PackageLabel label;
    std::vector<std::string> warnings; // one sentence each
};

// Reads the header, the list of files and the label; does not read the pages. `file` as SQL Server
// sees it. Throws sdk::Error: CORRUPT when it is none of our packages, INCOMPATIBLE when it is of
// another version, DENIED when SQL Server may not read it; sdk::Cancelled.
CheckedPackage check_package(SqlSession& session, const ServerFacts& facts, const std::string& file,
                             const ProviderSettings& settings, const sdk::Op* op);

} // namespace stationsync::sqlserver
