// Reading and copying what is in a file, with its digest on the way.
#pragma once

#include "tree.hpp"

#include <stationsync/op.hpp>
#include <stationsync/sha256.hpp>

namespace filesync {

struct Content {
    stationsync::sdk::Digest digest;
    std::uint64_t byte_count;
};

// From the file's present position to its end; throws sdk::Cancelled between blocks.
Content read_content(const stationsync::sdk::Op& op, File& file);

// The same, and writes it to `target`, which is new. Shares blocks where the file system can, and
// leaves out runs of zeros, so that a sparse file stays sparse.
Content copy_content(const stationsync::sdk::Op& op, File& source, File& target);

} // namespace filesync
