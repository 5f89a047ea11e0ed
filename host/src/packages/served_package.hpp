// A package opened for serving, and the jobs that read from it.
#pragma once

#include "base/file.hpp"
#include "packages/fetch_base.hpp"
#include "packages/manifest_store.hpp"
#include "packages/part_file.hpp"
#include "packages/transfer.hpp"
#include "packages/transfer_messages.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace stationsync::host {

// One file that blocks are read from; several channels may share it. Immutable but for the gauge.
class ServedFile {
public:
    // Blocking. An error when the file does not have the package's size.
    [[nodiscard]] static IoResult<std::shared_ptr<ServedFile>> open(const LocatedPackage& located,
                                                                    const PackageRef& package);
    // A part that is being fetched here; what it has is the caller's business.
    explicit ServedFile(std::shared_ptr<const PartFile> part);
    ~ServedFile() = default;
    ServedFile(const ServedFile&) = delete;
    ServedFile& operator=(const ServedFile&) = delete;

    [[nodiscard]] const BlockLayout& layout() const noexcept { return layout_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return located_.file; }
    // Blocking; empty when it cannot be read.
    [[nodiscard]] std::vector<std::byte> read(std::uint32_t index) const;

    // Whether compressing has paid lately. Thread-safe, approximate.
    [[nodiscard]] bool compression_pays() noexcept;
    void learn(std::size_t bytes, std::size_t compressed_bytes) noexcept;

private:
    ServedFile() = default;

    LocatedPackage located_; // outlives the open file
    BlockLayout layout_;
    File file_;
    std::shared_ptr<const PartFile> part_;
    std::atomic<std::uint32_t> useless_{0};
};
using ServedFilePtr = std::shared_ptr<ServedFile>;

// One block that a peer wants.
struct BlockWish {
    std::uint32_t index = 0;
    std::uint8_t base = no_base;
    std::vector<PageHash> old_pages; // empty: none were given
};

// Result of a reading job: frames ready to be sent, or why not.
struct Answer {
    std::vector<std::vector<std::byte>> frames;
    std::optional<CannotMessage> cannot;
};

// Blocking. `bases` has a file for each base that the peer named and that is here.
[[nodiscard]] Answer read_blocks(ServedFile& file, const std::vector<ServedFilePtr>& bases,
                                 ChannelId channel, const std::vector<BlockWish>& wishes);
// The whole of a package of one block; verified, since a live file may have changed.
[[nodiscard]] Answer read_small(ServedFile& file, ChannelId channel, const PackageRef& package);
// A range of the list of blocks; against `base` where that is given.
[[nodiscard]] ManifestMessage list_range(const BlockManifest& manifest, const BlockManifest* base,
                                         ChannelId channel, const BlockRun& range);

} // namespace stationsync::host
