// Change notifications of a folder on Windows come late for files that are kept open, as databases
// are: the periodic scan finds their changes.
#include "folder_watch.hpp"

#include <stationsync/error.hpp>

namespace stationsync::sqlite {

class FolderWatch::Impl {};

FolderWatch::FolderWatch(const std::vector<std::filesystem::path>&, Events,
                         std::vector<std::filesystem::path>&) {
    throw sdk::Error(STSYNC_UNSUPPORTED, "Databases are not watched on this system: changes are "
                                         "found by the periodic scan only.");
}

FolderWatch::~FolderWatch() = default;

} // namespace stationsync::sqlite
