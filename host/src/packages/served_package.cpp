#include "packages/served_package.hpp"

#include "base/path_text.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {

// After so many blocks that did not become a tenth shorter only every sixteenth is tried.
constexpr std::uint32_t useless_max = 8;
constexpr std::uint32_t retry_interval = 16;

Answer refuse(ChannelId channel, CannotReason reason, std::string text) {
    Answer answer;
    answer.cannot = CannotMessage{channel, reason, std::move(text)};
    return answer;
}

void add_block(Answer& answer, ChannelId channel, std::uint32_t index, EncodedBlock&& encoded) {
    if (answer.frames.empty() || answer.frames.back().size() >= frame_bytes_target) {
        answer.frames.emplace_back();
    }
    append(answer.frames.back(),
           BlockMessage{channel, index, encoded.encoding, std::move(encoded.payload)});
}

} // namespace

IoResult<ServedFilePtr> ServedFile::open(const LocatedPackage& located, const PackageRef& package) {
    std::shared_ptr<ServedFile> served(new ServedFile());
    served->located_ = located;
    auto file = File::open_read(located.file);
    if (!file) {
        return file.error();
    }
    const auto facts = file->facts();
    if (!facts) {
        return facts.error();
    }
    const auto layout = layout_of(package.bytes);
    if (facts->bytes != package.bytes || !layout) {
        return IoError{IoErrorKind::not_found,
                       path_text(located.file) + " no longer has the size of its package"};
    }
    served->file_ = std::move(*file);
    served->layout_ = *layout;
    return served;
}

ServedFile::ServedFile(std::shared_ptr<const PartFile> part)
    : layout_(part->layout()), part_(std::move(part)) {}

std::vector<std::byte> ServedFile::read(std::uint32_t index) const {
    std::vector<std::byte> block(layout_.size(index));
    if (part_) {
        return part_->read(index, block) ? block : std::vector<std::byte>{};
    }
    const auto count = file_.read_at(block, layout_.offset(index));
    return count && *count == block.size() ? block : std::vector<std::byte>{};
}

bool ServedFile::compression_pays() noexcept {
    const std::uint32_t useless = useless_.load(std::memory_order_relaxed);
    if (useless < useless_max) {
        return true;
    }
    return (useless_.fetch_add(1, std::memory_order_relaxed) % retry_interval) == 0;
}

void ServedFile::learn(std::size_t bytes, std::size_t compressed_bytes) noexcept {
    if (compressed_bytes > bytes - bytes / 10) {
        useless_.fetch_add(1, std::memory_order_relaxed);
    } else {
        useless_.store(0, std::memory_order_relaxed);
    }
}

Answer read_blocks(ServedFile& file, const std::vector<ServedFilePtr>& bases, ChannelId channel,
                   const std::vector<BlockWish>& wishes) {
    Answer answer;
    for (const BlockWish& wish : wishes) {
        const std::vector<std::byte> block = file.read(wish.index);
        if (block.empty()) {
            return refuse(channel, CannotReason::failed, "the source cannot read its package");
        }
        const bool compresses = file.compression_pays();
        EncodedBlock encoded;
        if (!wish.old_pages.empty()) {
            encoded = encode_changed_pages(block, wish.old_pages, compresses);
        } else if (wish.base < bases.size() && bases[wish.base] &&
                   wish.index < bases[wish.base]->layout().count) {
            encoded = encode_block_against(block, bases[wish.base]->read(wish.index));
        } else {
            encoded = encode_block(block, compresses);
            if (compresses && encoded.encoding != BlockEncoding::zeros) {
                file.learn(block.size(), encoded.payload.size());
            }
        }
        add_block(answer, channel, wish.index, std::move(encoded));
    }
    return answer;
}

Answer read_small(ServedFile& file, ChannelId channel, const PackageRef& package) {
    const std::vector<std::byte> block = file.read(0);
    if (block.size() != package.bytes || to_digest(sha256(block)) != package.digest) {
        return refuse(channel, CannotReason::changed,
                      "the content at the source has changed since it was announced");
    }
    // Below this size the head of a frame of zstd eats what it saves.
    constexpr std::size_t worth_compressing = 256;
    Answer answer;
    add_block(answer, channel, 0, encode_block(block, block.size() >= worth_compressing));
    return answer;
}

ManifestMessage list_range(const BlockManifest& manifest, const BlockManifest* base,
                           ChannelId channel, const BlockRun& range) {
    ManifestMessage message{channel, range, {}, {}};
    const auto begin = manifest.hashes.begin() + range.first;
    if (base == nullptr) {
        message.hashes.assign(begin, begin + range.count);
        return message;
    }
    message.same_as_base.resize(range.count);
    for (std::uint32_t offset = 0; offset < range.count; ++offset) {
        const std::uint32_t index = range.first + offset;
        const bool same =
            index < base->hashes.size() && base->hashes[index] == manifest.hashes[index];
        message.same_as_base[offset] = same ? 1 : 0;
        if (!same) {
            message.hashes.push_back(manifest.hashes[index]);
        }
    }
    return message;
}

} // namespace stationsync::host
