// The hashes of a package's blocks: what is compared, requested and verified in a transfer.
//
// Blocks are fixed: a package of a database changes in place, page by page, and blocks that are
// aligned to its pages beat content-defined ones. 64 KiB is a multiple of every page size of SQLite
// and SQL Server, and small enough that 16 bytes of hash are 0.02 % of it. What changed inside of a
// block travels as a difference (block_codec.hpp), so blocks need not be as small as pages.
// Packages above 64 GiB have larger blocks, so that a manifest has at most 2^20 hashes (16 MiB).
//
// A block's hash is the first 16 bytes of its SHA-256: 128 bits resist a forged second block; the
// package as a whole is checked against all 256 bits of its digest in any case.
#pragma once

#include "base/sha256.hpp"
#include "stationsync/core/revision.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace stationsync::host {

struct BlockHash {
    std::array<std::byte, 16> bytes{};
    auto operator<=>(const BlockHash&) const = default;
};

inline constexpr std::uint64_t package_block_bytes_min = std::uint64_t{64} << 10;
inline constexpr std::uint64_t package_block_bytes_max = std::uint64_t{1} << 20;
inline constexpr std::uint64_t block_count_max = std::uint64_t{1} << 20;
// 1 TiB: larger packages are refused with a reason before anything is allocated.
inline constexpr std::uint64_t package_bytes_max = package_block_bytes_max * block_count_max;

// Shape of a package cut into blocks; the same on every station.
struct BlockLayout {
    std::uint64_t package_bytes = 0;
    std::uint32_t block_bytes = 0;
    std::uint32_t count = 0; // 0 for an empty package

    [[nodiscard]] std::uint64_t offset(std::uint32_t index) const noexcept {
        return std::uint64_t{index} * block_bytes;
    }
    [[nodiscard]] std::uint32_t size(std::uint32_t index) const noexcept;
};

// Nothing when the package is larger than package_bytes_max.
[[nodiscard]] std::optional<BlockLayout> layout_of(std::uint64_t package_bytes) noexcept;

[[nodiscard]] BlockHash hash_block(std::span<const std::byte> block);
[[nodiscard]] core::Digest to_digest(const Sha256Digest& digest) noexcept;

struct BlockManifest {
    core::Digest package;
    BlockLayout layout;
    std::vector<BlockHash> hashes; // layout.count of them
};
using BlockManifestPtr = std::shared_ptr<const BlockManifest>;

// Takes a package's bytes in order and computes digest and manifest in one pass.
class ManifestBuilder {
public:
    // `package_bytes` is the exact size of what follows, at most package_bytes_max.
    explicit ManifestBuilder(std::uint64_t package_bytes);
    void add(std::span<const std::byte> bytes);
    // Nothing when the bytes added were not as many as announced.
    [[nodiscard]] std::optional<BlockManifest> finish();

private:
    BlockManifest manifest_;
    Sha256 whole_;
    Sha256 block_;
    std::uint64_t in_block_ = 0;
    std::uint64_t added_ = 0;
};

} // namespace stationsync::host
