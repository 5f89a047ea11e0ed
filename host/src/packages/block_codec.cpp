#include "packages/block_codec.hpp"

#include "base/sha256.hpp"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>

namespace stationsync::host {
namespace {

// Level 1 keeps up with a fast link on one core; the old block as prefix does the rest.
constexpr int level_plain = 1;
constexpr int level_difference = 3;
// Window of 2 MiB: block and prefix of the largest blocks. Bounds what a frame may make us
// allocate.
constexpr int window_log_max = 21;

struct FreeCompressor {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx& compressor() {
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
    if (!context) {
        throw std::bad_alloc();
    }
    ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
    return *context;
}

ZSTD_DCtx& decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
    if (!context) {
        throw std::bad_alloc();
    }
    ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window_log_max);
    return *context;
}

// Nothing when the result would not be shorter than `bytes_max`.
std::optional<std::vector<std::byte>> compress(std::span<const std::byte> bytes,
                                               std::span<const std::byte> prefix,
                                               std::size_t bytes_max, int level) {
    ZSTD_CCtx& context = compressor();
    ZSTD_CCtx_setParameter(&context, ZSTD_c_compressionLevel, level);
    if (!prefix.empty()) {
        const std::size_t reach = bytes.size() + prefix.size();
        const int window_log =
            std::clamp(static_cast<int>(std::bit_width(reach)), 10, window_log_max);
        ZSTD_CCtx_setParameter(&context, ZSTD_c_windowLog, window_log);
        ZSTD_CCtx_refPrefix(&context, prefix.data(), prefix.size());
    }
    std::vector<std::byte> out(std::max<std::size_t>(bytes_max, 1));
    const std::size_t count =
        ZSTD_compress2(&context, out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(count) || count >= bytes_max) {
        return std::nullopt;
    }
    out.resize(count);
    out.shrink_to_fit();
    return out;
}

bool decompress(std::span<const std::byte> payload, std::span<const std::byte> prefix,
                std::span<std::byte> to) {
    ZSTD_DCtx& context = decompressor();
    if (!prefix.empty()) {
        ZSTD_DCtx_refPrefix(&context, prefix.data(), prefix.size());
    }
    const std::size_t count =
        ZSTD_decompressDCtx(&context, to.data(), to.size(), payload.data(), payload.size());
    return !ZSTD_isError(count) && count == to.size();
}

bool is_zero(std::span<const std::byte> bytes) noexcept {
    // Comparing with itself one byte further is the library's fastest loop.
    return bytes.empty() || (bytes.front() == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

PageHash hash_page(std::span<const std::byte> page) {
    const Sha256Digest digest = sha256(page);
    PageHash hash;
    std::copy_n(digest.begin(), hash.size(), hash.begin());
    return hash;
}

std::size_t page_count(std::size_t bytes) noexcept {
    return (bytes + page_bytes - 1) / page_bytes;
}

template <class Byte>
std::span<Byte> page_of(std::span<Byte> block, std::size_t index) {
    const std::size_t start = index * page_bytes;
    return block.subspan(start, std::min(page_bytes, block.size() - start));
}

} // namespace

std::vector<PageHash> hash_pages(std::span<const std::byte> block) {
    std::vector<PageHash> hashes(page_count(block.size()));
    for (std::size_t index = 0; index < hashes.size(); ++index) {
        hashes[index] = hash_page(page_of(block, index));
    }
    return hashes;
}

EncodedBlock encode_block(std::span<const std::byte> block, bool compresses) {
    if (is_zero(block)) {
        return {BlockEncoding::zeros, {}};
    }
    if (compresses) {
        if (auto packed = compress(block, {}, block.size(), level_plain)) {
            return {BlockEncoding::zstd, std::move(*packed)};
        }
    }
    return {BlockEncoding::raw, {block.begin(), block.end()}};
}

EncodedBlock encode_block_against(std::span<const std::byte> block,
                                  std::span<const std::byte> old_block) {
    if (old_block.empty() || is_zero(block)) {
        return encode_block(block, true);
    }
    if (auto packed = compress(block, old_block, block.size(), level_difference)) {
        return {BlockEncoding::zstd_old, std::move(*packed)};
    }
    return {BlockEncoding::raw, {block.begin(), block.end()}};
}

EncodedBlock encode_changed_pages(std::span<const std::byte> block,
                                  std::span<const PageHash> old_pages, bool compresses) {
    const std::size_t count = page_count(block.size());
    std::vector<std::byte> bitmap((count + 7) / 8);
    std::vector<std::byte> changed;
    for (std::size_t index = 0; index < count; ++index) {
        const auto page = page_of(block, index);
        if (index < old_pages.size() && hash_page(page) == old_pages[index]) {
            continue;
        }
        bitmap[index / 8] |= std::byte{1} << (index % 8);
        changed.insert(changed.end(), page.begin(), page.end());
    }
    if (changed.size() + bitmap.size() >= block.size()) {
        return encode_block(block, compresses);
    }
    EncodedBlock encoded{BlockEncoding::pages, std::move(bitmap)};
    if (compresses && !changed.empty()) {
        if (auto packed = compress(changed, {}, changed.size(), level_difference)) {
            encoded.encoding = BlockEncoding::pages_zstd;
            changed = std::move(*packed);
        }
    }
    encoded.payload.insert(encoded.payload.end(), changed.begin(), changed.end());
    return encoded;
}

namespace {
bool decode_pages(bool compressed, std::span<const std::byte> payload,
                  std::span<const std::byte> old_block, std::span<std::byte> block) {
    const std::size_t count = page_count(block.size());
    const std::size_t bitmap_bytes = (count + 7) / 8;
    if (payload.size() < bitmap_bytes) {
        return false;
    }
    const auto bitmap = payload.first(bitmap_bytes);
    payload = payload.subspan(bitmap_bytes);
    const auto is_changed = [&](std::size_t index) {
        return (bitmap[index / 8] & (std::byte{1} << (index % 8))) != std::byte{0};
    };
    std::size_t changed_bytes = 0;
    for (std::size_t index = 0; index < count; ++index) {
        if (is_changed(index)) {
            changed_bytes += page_of(block, index).size();
        }
    }
    std::vector<std::byte> unpacked;
    if (compressed) {
        unpacked.resize(changed_bytes);
        if (!decompress(payload, {}, unpacked)) {
            return false;
        }
        payload = unpacked;
    }
    if (payload.size() != changed_bytes) {
        return false;
    }
    for (std::size_t index = 0; index < count; ++index) {
        const auto page = page_of(block, index);
        const std::size_t start = index * page_bytes;
        if (is_changed(index)) {
            std::copy_n(payload.begin(), page.size(), page.begin());
            payload = payload.subspan(page.size());
        } else if (start + page.size() <= old_block.size()) {
            std::copy_n(old_block.begin() + static_cast<std::ptrdiff_t>(start), page.size(),
                        page.begin());
        } else {
            return false;
        }
    }
    return true;
}
} // namespace

bool decode_block(BlockEncoding encoding, std::span<const std::byte> payload,
                  std::span<const std::byte> old_block, std::span<std::byte> block) {
    switch (encoding) {
    case BlockEncoding::raw:
        if (payload.size() != block.size()) {
            return false;
        }
        std::copy(payload.begin(), payload.end(), block.begin());
        return true;
    case BlockEncoding::zstd:
        return decompress(payload, {}, block);
    case BlockEncoding::zstd_old:
        return !old_block.empty() && decompress(payload, old_block, block);
    case BlockEncoding::pages:
        return decode_pages(false, payload, old_block, block);
    case BlockEncoding::pages_zstd:
        return decode_pages(true, payload, old_block, block);
    case BlockEncoding::zeros:
        std::fill(block.begin(), block.end(), std::byte{0});
        return payload.empty();
    }
    return false;
}

} // namespace stationsync::host
