// Export and apply of one file.
#pragma once

#include "live.hpp"

#include <stationsync/provider.hpp>

namespace filesync {

// The live file as a package. BUSY when it changes meanwhile; nothing is left behind on failure.
stationsync::sdk::ExportResult export_file(Context& context, const stationsync::sdk::Op& op,
                                           const std::string& key,
                                           const std::filesystem::path& package);

// Puts the package in place of the live file, if that is still what `info` expects.
stationsync::sdk::ApplyResult apply_file(Context& context, const stationsync::sdk::Op& op,
                                         const std::string& key,
                                         const std::filesystem::path& package,
                                         const stationsync::sdk::ApplyInfo& info);

} // namespace filesync
