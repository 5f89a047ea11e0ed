// The marker file in a root: it tells the folder that was enabled from an empty mount point, a
// changed setting or somebody else's folder.
#pragma once

#include "settings.hpp"
#include "tree.hpp"

#include <string_view>

namespace filesync {

inline constexpr std::string_view root_marker_name = ".stationsync-root";

// Opens the root and makes sure that it is this instance's. Throws sdk::Error(DENIED) with the
// remedy when the marker is missing or names another instance: then nothing may be read or written.
Folder open_marked_root(const Settings& settings);

// The same, but also a folder without a marker is good that prepare_root would mark. Writes
// nothing.
Folder open_markable_root(const Settings& settings);

// Writes the marker when the settings allow it, and takes the permission back once the root is in
// order: should the disk be unmounted later, its mount point gets no marker. Then the same as
// above.
void prepare_root(Settings& settings);

} // namespace filesync
