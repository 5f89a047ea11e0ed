// The live data: finding the file of a key and telling which content it has.
#pragma once

#include "digest_cache.hpp"
#include "settings.hpp"
#include "tree.hpp"

#include <stationsync/host_ref.hpp>
#include <stationsync/op.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace filesync {

// What all parts of one instance share. The cache is safe from several threads, the rest fixed.
struct Context {
    explicit Context(stationsync::sdk::Host the_host) : host(the_host), settings(host) {}

    stationsync::sdk::Host host;
    Settings settings;
    DigestCache cache;
};

// A key, taken apart: "a/b/c" is "c" in "a/b".
std::string_view folder_of(std::string_view key) noexcept;
std::string name_of(std::string_view key);

// The folder at a path below the root, "" = the root itself. Throws sdk::Error: NOT_FOUND when a
// part is absent, UNSUPPORTED when a part is a file or a link.
Folder open_path(const Folder& root, std::string_view path);

// The digest of a live file whose status is known; from the cache when its evidence has not moved,
// unless `reread`. Throws sdk::Error(BUSY) when it is being changed while it is read.
Digest identify(const stationsync::sdk::Op& op, const Folder& folder, const std::string& name,
                const Evidence& evidence, DigestCache& cache, bool reread);

// The time of the last change as a scan reports it.
stsync_time changed_at(const Evidence& evidence) noexcept;

} // namespace filesync
