#include "packages/base_blocks.hpp"

#include <algorithm>

namespace stationsync::host {

BaseBlocks::BaseBlocks(const std::vector<BaseCandidate>& candidates, std::uint32_t block_bytes,
                       const ManifestStore& store) {
    for (const BaseCandidate& candidate : candidates) {
        if (bases_.size() == bases_max) {
            break;
        }
        auto manifest = store.load_or_compute(candidate.package, candidate.file);
        if (!manifest || (*manifest)->layout.block_bytes != block_bytes) {
            continue; // a base only saves bytes
        }
        auto file = File::open_read(candidate.file);
        if (!file) {
            continue;
        }
        bases_.push_back({std::move(*manifest), std::move(*file)});
    }
    for (std::size_t base = 0; base < bases_.size(); ++base) {
        const auto& hashes = bases_[base].manifest->hashes;
        by_hash_.reserve(by_hash_.size() + hashes.size());
        for (std::uint32_t block = 0; block < hashes.size(); ++block) {
            by_hash_.push_back({hashes[block], {static_cast<std::uint8_t>(base), block}});
        }
    }
    std::sort(by_hash_.begin(), by_hash_.end(),
              [](const Entry& left, const Entry& right) { return left.hash < right.hash; });
}

std::optional<BaseBlocks::Place> BaseBlocks::find(const BlockHash& hash,
                                                  std::uint32_t index) const {
    for (std::size_t base = 0; base < bases_.size(); ++base) {
        const auto& hashes = bases_[base].manifest->hashes;
        if (index < hashes.size() && hashes[index] == hash) {
            return Place{static_cast<std::uint8_t>(base), index};
        }
    }
    const auto found = std::lower_bound(
        by_hash_.begin(), by_hash_.end(), hash,
        [](const Entry& entry, const BlockHash& wanted) { return entry.hash < wanted; });
    if (found == by_hash_.end() || found->hash != hash) {
        return std::nullopt;
    }
    return found->place;
}

std::uint8_t BaseBlocks::base_at(std::uint32_t index) const noexcept {
    for (std::size_t base = 0; base < bases_.size(); ++base) {
        if (index < bases_[base].manifest->layout.count) {
            return static_cast<std::uint8_t>(base);
        }
    }
    return no_base;
}

std::vector<std::byte> BaseBlocks::read(const Place& place) const {
    if (place.base >= bases_.size()) {
        return {};
    }
    const Base& base = bases_[place.base];
    std::vector<std::byte> block(base.manifest->layout.size(place.block));
    const auto count = base.file.read_at(block, base.manifest->layout.offset(place.block));
    if (!count || *count != block.size()) {
        return {};
    }
    return block;
}

} // namespace stationsync::host
