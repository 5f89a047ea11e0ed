#include "packages/part_file.hpp"

#include "base/byte_stream.hpp"
#include "base/durable.hpp"
#include "base/fault_points.hpp"
#include "base/path_text.hpp"
#include "packages/manifest_store.hpp"

#include <algorithm>
#include <string_view>

namespace stationsync::host {
namespace {
constexpr std::string_view magic = "STSYHAV1";
constexpr std::size_t head_bytes = 16;
constexpr std::uint64_t journal_bytes_max =
    head_bytes + 64 + block_count_max * (sizeof(BlockHash) + 1);
} // namespace

IoResult<std::shared_ptr<PartFile>> PartFile::open(const PackageSlot& slot,
                                                   const core::PackageInfo& package,
                                                   const BlockLayout& layout) {
    std::shared_ptr<PartFile> part(new PartFile(slot, layout));
    if (part->resume(package)) {
        return part;
    }
    if (auto begun = part->begin(); !begun) {
        part->file_.close();
        remove_part(slot);
        return begun.error();
    }
    return part;
}

bool PartFile::resume(const core::PackageInfo& package) {
    const auto text = read_whole(slot_.journal(), journal_bytes_max);
    if (!text) {
        return false;
    }
    ByteReader reader(std::as_bytes(std::span(*text)));
    if (!std::ranges::equal(reader.view(magic.size()), std::as_bytes(std::span(magic)))) {
        return false;
    }
    const std::uint64_t manifest_bytes = reader.u64();
    if (!reader.ok() || manifest_bytes > text->size()) {
        return false;
    }
    auto manifest = decode_manifest(reader.view(static_cast<std::size_t>(manifest_bytes)));
    if (!manifest || manifest->package != package.digest ||
        manifest->layout.package_bytes != package.bytes) {
        return false;
    }
    const auto bits = reader.view((layout_.count + 7) / 8);
    auto file = File::open_update(slot_.part());
    if (!reader.ok() || !file) {
        return false;
    }
    const auto facts = file->facts();
    auto journal = File::open_update(slot_.journal());
    if (!facts || facts->bytes != package.bytes || !journal) {
        return false;
    }
    std::vector<std::uint8_t> bitmap(bits.size());
    std::ranges::copy(bits, std::as_writable_bytes(std::span(bitmap)).begin());
    old_blocks_ = BlockSet::from_bytes(layout_.count, std::move(bitmap));
    old_manifest_ = std::make_shared<const BlockManifest>(std::move(*manifest));
    file_ = std::move(*file);
    journal_ = std::move(*journal);
    bitmap_offset_ = head_bytes + manifest_bytes;
    fresh_ = false;
    return true;
}

IoResult<void> PartFile::begin() {
    static_cast<void>(remove_file(slot_.journal()));
    // Never empties an existing file in place: it could share its inode with another package.
    static_cast<void>(remove_file(slot_.part()));
    auto file = File::create_new(slot_.part());
    if (!file) {
        return file.error();
    }
    file_ = std::move(*file);
    STSYNC_FAULT_POINT("fetch.part_created");
    return file_.allocate(layout_.package_bytes);
}

IoResult<void> PartFile::write(std::uint32_t index, std::span<const std::byte> block,
                               bool is_zero) {
    if (is_zero && fresh_) {
        return {};
    }
    return file_.write_at(block, layout_.offset(index));
}

IoResult<void> PartFile::read(std::uint32_t index, std::span<std::byte> block) const {
    const auto count = file_.read_at(block, layout_.offset(index));
    if (!count) {
        return count.error();
    }
    if (*count != block.size()) {
        return IoError{IoErrorKind::not_found, path_text(slot_.part()) + " became shorter"};
    }
    return {};
}

IoResult<void> PartFile::start_journal(const BlockManifest& manifest) {
    auto journal = File::create(slot_.journal());
    if (!journal) {
        return journal.error();
    }
    const std::vector<std::byte> encoded = encode(manifest);
    ByteWriter writer;
    writer.bytes(std::as_bytes(std::span(magic)));
    writer.u64(encoded.size());
    writer.bytes(encoded);
    bitmap_offset_ = writer.size();
    journal_ = std::move(*journal);
    if (auto written = journal_.write_at(writer.take(), 0); !written) {
        return written;
    }
    return save_journal(BlockSet(layout_.count));
}

IoResult<void> PartFile::save_journal(const BlockSet& blocks) {
    return journal_.write_at(std::as_bytes(std::span(blocks.bytes())), bitmap_offset_);
}

IoResult<void> PartFile::set_modified(std::int64_t modified_100ns) {
    return file_.set_modified(modified_100ns);
}

void remove_part(const PackageSlot& slot) {
    // Nothing depends on them; a sweep removes what stays.
    static_cast<void>(remove_file(slot.part()));
    static_cast<void>(remove_file(slot.journal()));
    std::error_code code;
    if (!std::filesystem::exists(slot.file, code)) {
        static_cast<void>(remove_file(slot.description()));
    }
    std::filesystem::remove(slot.file.parent_path(), code); // when it is empty
}

} // namespace stationsync::host
