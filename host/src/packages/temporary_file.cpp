#include "packages/temporary_file.hpp"

#include "base/durable.hpp"

namespace stationsync::host {

TemporaryFile::~TemporaryFile() {
    static_cast<void>(remove_file(path_)); // the staging folder is emptied at start
}

} // namespace stationsync::host
