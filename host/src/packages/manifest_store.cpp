#include "packages/manifest_store.hpp"

#include "base/byte_stream.hpp"
#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "base/random.hpp"
#include "base/text_codes.hpp"

#include <algorithm>
#include <string_view>

namespace stationsync::host {
namespace {
constexpr std::string_view magic = "STSYBLK1";
constexpr std::size_t head_bytes = 8 + 32 + 8;
constexpr std::size_t check_bytes = 8;
constexpr std::size_t manifest_bytes_max =
    head_bytes + static_cast<std::size_t>(block_count_max) * sizeof(BlockHash) + check_bytes;
constexpr std::size_t read_bytes = std::size_t{256} << 10;
} // namespace

std::vector<std::byte> encode(const BlockManifest& manifest) {
    ByteWriter writer;
    writer.bytes(std::as_bytes(std::span(magic)));
    writer.bytes(std::as_bytes(std::span(manifest.package.bytes)));
    writer.u64(manifest.layout.package_bytes);
    writer.bytes(std::as_bytes(std::span(manifest.hashes)));
    std::vector<std::byte> bytes = writer.take();
    const Sha256Digest check = sha256(bytes);
    bytes.insert(bytes.end(), check.begin(), check.begin() + check_bytes);
    return bytes;
}

boost::system::result<BlockManifest, std::string>
decode_manifest(std::span<const std::byte> bytes) {
    if (bytes.size() < head_bytes + check_bytes) {
        return std::string("a manifest is cut off");
    }
    const auto content = bytes.first(bytes.size() - check_bytes);
    const Sha256Digest check = sha256(content);
    if (!std::equal(check.begin(), check.begin() + check_bytes, bytes.end() - check_bytes)) {
        return std::string("a manifest is damaged: its checksum does not match");
    }
    ByteReader reader(content);
    if (!std::ranges::equal(reader.view(magic.size()), std::as_bytes(std::span(magic)))) {
        return std::string("a manifest is of an unknown format");
    }
    BlockManifest manifest;
    reader.bytes(std::as_writable_bytes(std::span(manifest.package.bytes)));
    const auto layout = layout_of(reader.u64());
    if (!layout || content.size() != head_bytes + layout->count * sizeof(BlockHash)) {
        return std::string("a manifest does not have the size that its package needs");
    }
    manifest.layout = *layout;
    manifest.hashes.resize(layout->count);
    reader.bytes(std::as_writable_bytes(std::span(manifest.hashes)));
    return manifest;
}

IoResult<BlockManifest> compute_manifest(const std::filesystem::path& path,
                                         const std::function<bool()>& is_cancelled) {
    auto file = File::open_read(path);
    if (!file) {
        return file.error();
    }
    const auto facts = file->facts();
    if (!facts) {
        return facts.error();
    }
    if (facts->bytes > package_bytes_max) {
        return IoError{IoErrorKind::other,
                       path_text(path) + " is larger than 1 TiB, the largest package there is"};
    }
    ManifestBuilder builder(facts->bytes);
    std::vector<std::byte> buffer(
        static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, facts->bytes)));
    std::uint64_t offset = 0;
    while (offset < facts->bytes) {
        if (is_cancelled && is_cancelled()) {
            return IoError{IoErrorKind::other, "reading " + path_text(path) + " was cancelled"};
        }
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), facts->bytes - offset));
        const auto count = file->read_at(std::span(buffer).first(wanted), offset);
        if (!count) {
            return count.error();
        }
        if (*count == 0) {
            break;
        }
        builder.add(std::span(buffer).first(*count));
        offset += *count;
    }
    auto manifest = builder.finish();
    if (!manifest) {
        return IoError{IoErrorKind::busy, path_text(path) + " changed while it was read"};
    }
    return std::move(*manifest);
}

ManifestStore::ManifestStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::filesystem::path ManifestStore::path_of_manifest(const core::Digest& package) const {
    return folder_ / to_hex(std::as_bytes(std::span(package.bytes)));
}

void ManifestStore::save(const BlockManifest& manifest) const {
    if (manifest.layout.count <= 1) {
        return;
    }
    // Not synced: after a power cut the checksum tells a torn file, and it is computed again. Its
    // own name until it is whole, since another thread may save the same one.
    std::error_code code;
    std::filesystem::create_directories(folder_, code);
    const auto path = path_of_manifest(manifest.package);
    auto part = path;
    part += path_of("." + std::to_string(random_u64()) + ".part");
    auto file = File::create_new(part);
    if (!file) {
        return;
    }
    const bool written = file->write_at(encode(manifest), 0).has_value();
    file->close();
    if (!written || !rename_over(part, path)) {
        static_cast<void>(remove_file(part));
    }
}

BlockManifestPtr ManifestStore::load(const core::PackageInfo& package) const {
    const auto text = read_whole(path_of_manifest(package.digest), manifest_bytes_max);
    if (!text) {
        return nullptr;
    }
    auto manifest = decode_manifest(std::as_bytes(std::span(*text)));
    if (!manifest || manifest->package != package.digest ||
        manifest->layout.package_bytes != package.bytes) {
        return nullptr;
    }
    return std::make_shared<const BlockManifest>(std::move(*manifest));
}

IoResult<BlockManifestPtr> ManifestStore::load_or_compute(const core::PackageInfo& package,
                                                          const std::filesystem::path& file) const {
    if (auto manifest = load(package)) {
        return manifest;
    }
    auto computed = compute_manifest(file);
    if (!computed) {
        return computed.error();
    }
    if (computed->package != package.digest) {
        return IoError{IoErrorKind::not_found,
                       path_text(file) + " no longer has the content of its package"};
    }
    save(*computed);
    return BlockManifestPtr(std::make_shared<const BlockManifest>(std::move(*computed)));
}

void ManifestStore::trim(std::uint64_t bytes_max) const {
    struct Stored {
        std::int64_t modified_100ns;
        std::uint64_t bytes;
        std::filesystem::path path;
    };
    std::vector<Stored> all;
    std::uint64_t bytes = 0;
    std::error_code code;
    for (std::filesystem::directory_iterator entry(folder_, code), end; !code && entry != end;
         entry.increment(code)) {
        if (const auto facts = file_facts(entry->path())) {
            all.push_back({facts->modified_100ns, facts->bytes, entry->path()});
            bytes += facts->bytes;
        }
    }
    std::sort(all.begin(), all.end(), [](const Stored& left, const Stored& right) {
        return left.modified_100ns < right.modified_100ns;
    });
    for (const Stored& stored : all) {
        if (bytes <= bytes_max) {
            return;
        }
        bytes -= stored.bytes;
        static_cast<void>(remove_file(stored.path)); // the next trim tries again
    }
}

void ManifestStore::remove(const core::Digest& package) const {
    static_cast<void>(remove_file(path_of_manifest(package)));
}

} // namespace stationsync::host
