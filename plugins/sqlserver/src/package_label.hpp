// What a backup says about itself in its own header: name and description of the backup set, name
// of the medium. Written by us, read back from packages that may be hostile.
#pragma once

#include "content_id.hpp"

#include <stationsync/types.h>

namespace stationsync::sqlserver {

struct PackageLabel {
    ContentId content;                         // also NAME and MEDIANAME, as text
    stsync_time changed_at = STSYNC_TIME_NONE; // of the content, UTC
    std::string server;                        // @@SERVERNAME, for people; cut where it is long

    friend bool operator==(const PackageLabel&, const PackageLabel&) = default;
};

// "stationsync 1;content=…;change_utc=2026-05-01T10:00:00.123456Z;server=PLANT-PC", at most 255
// UTF-16 units, as DESCRIPTION wants it.
std::string to_text(const PackageLabel& label);

// Nothing for what is not exactly such a text.
std::optional<PackageLabel> parse_package_label(std::string_view text);

} // namespace stationsync::sqlserver
