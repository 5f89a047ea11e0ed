// The older packages of an object from which a fetch takes blocks. Built and read on worker
// threads; immutable once built.
#pragma once

#include "base/file.hpp"
#include "packages/manifest_store.hpp"
#include "packages/transfer.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace stationsync::host {

class BaseBlocks {
public:
    struct Place {
        std::uint8_t base = no_base;
        std::uint32_t block = 0;
    };

    // Bases that cannot be read or have blocks of another size are left out.
    BaseBlocks(const std::vector<BaseCandidate>& candidates, std::uint32_t block_bytes,
               const ManifestStore& store);

    [[nodiscard]] std::size_t count() const noexcept { return bases_.size(); }
    [[nodiscard]] const BlockManifest& manifest(std::size_t base) const noexcept {
        return *bases_[base].manifest;
    }
    // A block with this content, at the same place when there is one.
    [[nodiscard]] std::optional<Place> find(const BlockHash& hash, std::uint32_t index) const;
    // The best base that has a block at this place; no_base when none has.
    [[nodiscard]] std::uint8_t base_at(std::uint32_t index) const noexcept;
    // The bytes of a block; empty when it cannot be read. Not verified.
    [[nodiscard]] std::vector<std::byte> read(const Place& place) const;

private:
    struct Base {
        BlockManifestPtr manifest;
        File file;
    };
    struct Entry {
        BlockHash hash;
        Place place;
    };
    std::vector<Base> bases_;
    std::vector<Entry> by_hash_; // sorted
};

} // namespace stationsync::host
