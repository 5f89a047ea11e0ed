// Manifests kept beside the state (state/PROJECT/blocks/DIGEST), so that a package is hashed once.
// A cache: a missing or damaged file means computing again. Blocking: worker threads; thread-safe.
//
// File: 8 bytes "STSYBLK1", 32 package digest, 8 package size (network byte order), 16 for each
// block, 8 first bytes of SHA-256 of all before.
#pragma once

#include "base/io_result.hpp"
#include "packages/block_manifest.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace stationsync::host {

[[nodiscard]] std::vector<std::byte> encode(const BlockManifest& manifest);
[[nodiscard]] boost::system::result<BlockManifest, std::string>
decode_manifest(std::span<const std::byte> bytes);

// Reads the file once: digest and block hashes. `is_cancelled` is asked now and then.
[[nodiscard]] IoResult<BlockManifest>
compute_manifest(const std::filesystem::path& file, const std::function<bool()>& is_cancelled = {});

class ManifestStore {
public:
    explicit ManifestStore(std::filesystem::path folder);

    // Packages of one block need no manifest in a transfer and are not stored.
    void save(const BlockManifest& manifest) const;
    [[nodiscard]] BlockManifestPtr load(const core::PackageInfo& package) const; // null: not there
    // From the store, else from the file, which is then stored. An error when the file is not that
    // package.
    [[nodiscard]] IoResult<BlockManifestPtr>
    load_or_compute(const core::PackageInfo& package, const std::filesystem::path& file) const;
    void remove(const core::Digest& package) const;
    // Removes the oldest until the rest has at most `bytes_max` bytes: nobody counts who still
    // needs which, and one that is missed is computed again.
    void trim(std::uint64_t bytes_max) const;

private:
    [[nodiscard]] std::filesystem::path path_of_manifest(const core::Digest& package) const;
    std::filesystem::path folder_;
};

} // namespace stationsync::host
