// What two stations say about packages. A frame of the link carries one or more messages:
//
//   type (1 byte), length of the body (4, network byte order as all numbers), body
//
// The fetching station opens a channel for each package and source and chooses its number; all
// further messages name it. Bodies, after the channel (4 bytes):
//
//   open              provider (1 + n), key (4 + n), package digest (32), size (8), count of bases
//   (1),
//                     per base digest (32) and size (8): older packages that the fetching station
//                     has
//   opened            complete (1), bases that the source has too (1, a bit each), runs that it has
//   have              runs that it has got meanwhile; none: the source is still preparing
//   manifest_request  first block (4), count (4), base (1; 255 = none)
//   manifest          first block (4), count (4), form (1): 0 = 16 bytes for each block; 1 = a bit
//   for
//                     each block, then 16 bytes for each that differs from the base at that place
//   block_request     base (1; 255 = none), runs
//   pages_request     block (4), then 8 bytes for each page of the fetching station's old block
//   block             block (4), encoding (1; block_codec.hpp), payload
//   cannot            reason (1), sentence (4 + n); the channel is closed
//   close             nothing; the channel is closed
//
// Runs are a count (4) and for each the first block (4) and the number of blocks (4), rising and
// disjoint. A package of at
// most one block is answered to `open` with `block` at once: one round trip.
#pragma once

#include "packages/block_codec.hpp"
#include "packages/block_manifest.hpp"
#include "stationsync/core/revision.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace stationsync::host {

using ChannelId = std::uint32_t;

struct BlockRun {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool operator==(const BlockRun&) const = default;
};

inline constexpr std::size_t bases_max = 4;
inline constexpr std::uint8_t no_base = 255;
inline constexpr std::size_t runs_max = 8192;
inline constexpr std::uint32_t manifest_range_max = 8192; // blocks in one answer
inline constexpr std::size_t cannot_text_bytes_max = 500;
inline constexpr std::size_t message_head_bytes = 5;
// A sender closes a frame once it has this many bytes; one message may exceed it.
inline constexpr std::size_t frame_bytes_target = std::size_t{256} << 10;

struct PackageRef {
    core::Digest digest;
    std::uint64_t bytes = 0;
    bool operator==(const PackageRef&) const = default;
};

struct OpenMessage {
    ChannelId channel = 0;
    core::ObjectId object;
    PackageRef package;
    std::vector<PackageRef> bases;
};
struct OpenedMessage {
    ChannelId channel = 0;
    bool complete = true;
    std::uint8_t bases_known = 0;
    std::vector<BlockRun> runs;
};
struct HaveMessage {
    ChannelId channel = 0;
    std::vector<BlockRun> runs;
};
struct ManifestRequestMessage {
    ChannelId channel = 0;
    BlockRun range;
    std::uint8_t base = no_base;
};
struct ManifestMessage {
    ChannelId channel = 0;
    BlockRun range;
    std::vector<std::uint8_t> same_as_base; // empty: none; else 1 for each block that is the base's
    std::vector<BlockHash> hashes;          // of those that are not
};
struct BlockRequestMessage {
    ChannelId channel = 0;
    std::uint8_t base = no_base;
    std::vector<BlockRun> runs;
};
struct PagesRequestMessage {
    ChannelId channel = 0;
    std::uint32_t block = 0;
    std::vector<PageHash> old_pages;
};
struct BlockMessage {
    ChannelId channel = 0;
    std::uint32_t block = 0;
    BlockEncoding encoding = BlockEncoding::raw;
    std::vector<std::byte> payload;
};
enum class CannotReason : std::uint8_t {
    not_held = 1,    // the source does not have the package (any more)
    changed = 2,     // the live content is no longer that package
    busy = 3,        // too many requests
    failed = 4,      // the source cannot read it
    bad_request = 5, // the request makes no sense to the source
    lost = 6,        // a link was lost, and with it what was on its way: to be opened again
};
struct CannotMessage {
    ChannelId channel = 0;
    CannotReason reason = CannotReason::failed;
    std::string text; // UTF-8
};
struct CloseMessage {
    ChannelId channel = 0;
};

using TransferMessage =
    std::variant<OpenMessage, OpenedMessage, HaveMessage, ManifestRequestMessage, ManifestMessage,
                 BlockRequestMessage, PagesRequestMessage, BlockMessage, CannotMessage,
                 CloseMessage>;

// Appends the message to a frame.
void append(std::vector<std::byte>& frame, const TransferMessage& message);

// Reads the next message from the front of `frame`. Nothing when it is damaged or breaks a limit:
// the whole frame is then to be dropped. What a message claims to contain is checked against the
// bytes that are there before memory is taken for it.
[[nodiscard]] std::optional<TransferMessage> next_message(std::span<const std::byte>& frame);

} // namespace stationsync::host
