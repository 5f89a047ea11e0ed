// How one block travels: as it is, compressed, or as a difference to the receiver's old block.
// Stateless to the caller; any thread (contexts of zstd are kept per thread).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace stationsync::host {

enum class BlockEncoding : std::uint8_t {
    raw = 0,
    zstd = 1,       // one zstd frame
    zstd_old = 2,   // one zstd frame whose prefix is the receiver's old block
    pages = 3,      // bitmap of changed pages, then these pages as they are
    pages_zstd = 4, // bitmap of changed pages, then these pages as one zstd frame
    zeros = 5,      // nothing: all bytes are 0
};

// The old block is compared in pages of this size when the source does not have it: every page size
// of SQLite and SQL Server is a multiple or is close enough.
inline constexpr std::size_t page_bytes = 4096;
// First 8 bytes of the page's SHA-256. A false match is found by the block's hash, and the block is
// then sent as it is.
using PageHash = std::array<std::byte, 8>;

[[nodiscard]] std::vector<PageHash> hash_pages(std::span<const std::byte> block);

struct EncodedBlock {
    BlockEncoding encoding = BlockEncoding::raw;
    std::vector<std::byte> payload;
};

// Without `compress` it is sent as it is, unless all bytes are 0. Never longer than the block.
[[nodiscard]] EncodedBlock encode_block(std::span<const std::byte> block, bool compress);
// `old_block` is the block that the receiver has at the same place.
[[nodiscard]] EncodedBlock encode_block_against(std::span<const std::byte> block,
                                                std::span<const std::byte> old_block);
// `old_pages` are the hashes of the pages of the receiver's old block.
[[nodiscard]] EncodedBlock encode_changed_pages(std::span<const std::byte> block,
                                                std::span<const PageHash> old_pages, bool compress);

// Writes exactly block.size() bytes. False: the payload is damaged or would give another size; the
// buffer's content is then undefined. `old_block` may be empty when the encoding needs none.
[[nodiscard]] bool decode_block(BlockEncoding encoding, std::span<const std::byte> payload,
                                std::span<const std::byte> old_block, std::span<std::byte> block);

} // namespace stationsync::host
