#include "packages/block_manifest.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {
BlockHash truncate(const Sha256Digest& digest) noexcept {
    BlockHash hash;
    std::copy_n(digest.begin(), hash.bytes.size(), hash.bytes.begin());
    return hash;
}
} // namespace

std::uint32_t BlockLayout::size(std::uint32_t index) const noexcept {
    const std::uint64_t start = offset(index);
    return start >= package_bytes ? 0
                                  : static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                        block_bytes, package_bytes - start));
}

std::optional<BlockLayout> layout_of(std::uint64_t package_bytes) noexcept {
    if (package_bytes > package_bytes_max) {
        return std::nullopt;
    }
    std::uint64_t block_bytes = package_block_bytes_min;
    while (package_bytes > block_bytes * block_count_max) {
        block_bytes *= 2;
    }
    return BlockLayout{package_bytes, static_cast<std::uint32_t>(block_bytes),
                       static_cast<std::uint32_t>((package_bytes + block_bytes - 1) / block_bytes)};
}

BlockHash hash_block(std::span<const std::byte> block) {
    return truncate(sha256(block));
}

core::Digest to_digest(const Sha256Digest& digest) noexcept {
    core::Digest result;
    std::transform(digest.begin(), digest.end(), result.bytes.begin(),
                   [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return result;
}

ManifestBuilder::ManifestBuilder(std::uint64_t package_bytes) {
    manifest_.layout = layout_of(std::min(package_bytes, package_bytes_max)).value();
    manifest_.hashes.reserve(manifest_.layout.count);
}

void ManifestBuilder::add(std::span<const std::byte> bytes) {
    whole_.update(bytes);
    added_ += bytes.size();
    while (!bytes.empty()) {
        const std::size_t room = manifest_.layout.block_bytes - in_block_;
        const auto taken = bytes.first(std::min(room, bytes.size()));
        block_.update(taken);
        in_block_ += taken.size();
        bytes = bytes.subspan(taken.size());
        if (in_block_ == manifest_.layout.block_bytes) {
            manifest_.hashes.push_back(truncate(block_.finish()));
            in_block_ = 0;
        }
    }
}

std::optional<BlockManifest> ManifestBuilder::finish() {
    if (added_ != manifest_.layout.package_bytes) {
        return std::nullopt;
    }
    if (in_block_ > 0) {
        manifest_.hashes.push_back(truncate(block_.finish()));
    }
    manifest_.package = to_digest(whole_.finish());
    return std::move(manifest_);
}

} // namespace stationsync::host
