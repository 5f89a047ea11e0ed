// A package that is being fetched, with a journal of the blocks that are in it. Blocking functions:
// worker threads; blocks may be read and written by several threads at once.
//
// Journal (FILE.have.part): 8 bytes "STSYHAV1", 8 size of the manifest, the manifest as in
// manifest_store.hpp, one bit for each block. It is a hint only: every block that it names is
// verified by its hash before it counts, so nothing of it needs to be synced or kept in step.
#pragma once

#include "base/file.hpp"
#include "packages/block_manifest.hpp"
#include "packages/block_plan.hpp"
#include "packages/package_directory.hpp"

#include <memory>
#include <span>
#include <vector>

namespace stationsync::host {

class PartFile {
public:
    // Continues what a journal tells, else begins anew with the whole size reserved: a full disk
    // shows before anything is transferred.
    [[nodiscard]] static IoResult<std::shared_ptr<PartFile>>
    open(const PackageSlot& slot, const core::PackageInfo& package, const BlockLayout& layout);

    [[nodiscard]] const BlockLayout& layout() const noexcept { return layout_; }
    // Of the earlier attempt; null and empty when there was none.
    [[nodiscard]] const BlockManifestPtr& old_manifest() const noexcept { return old_manifest_; }
    [[nodiscard]] const BlockSet& old_blocks() const noexcept { return old_blocks_; }

    // `block` has the layout's size for this index. `is_zero`: nothing is written where a new file
    // has zeros anyway.
    [[nodiscard]] IoResult<void> write(std::uint32_t index, std::span<const std::byte> block,
                                       bool is_zero);
    [[nodiscard]] IoResult<void> read(std::uint32_t index, std::span<std::byte> block) const;
    [[nodiscard]] IoResult<void> start_journal(const BlockManifest& manifest);
    [[nodiscard]] IoResult<void> save_journal(const BlockSet& blocks);
    // Blocks that were written may be replaced: zeros must be written too. While no job runs.
    void expect_old_content() noexcept { fresh_ = false; }
    void start_writeback() noexcept { file_.start_writeback(); }
    [[nodiscard]] IoResult<void> set_modified(std::int64_t modified_100ns);

private:
    PartFile(PackageSlot slot, const BlockLayout& layout)
        : slot_(std::move(slot)), layout_(layout) {}
    [[nodiscard]] bool resume(const core::PackageInfo& package);
    [[nodiscard]] IoResult<void> begin();

    PackageSlot slot_;
    BlockLayout layout_;
    File file_;
    File journal_;
    std::uint64_t bitmap_offset_ = 0;
    BlockManifestPtr old_manifest_;
    BlockSet old_blocks_;
    bool fresh_ = true;
};

// Removes part, journal and the description written ahead of the package; the object's folder too
// when that leaves it empty.
void remove_part(const PackageSlot& slot);

} // namespace stationsync::host
