#include "packages/package_description.hpp"

#include "base/byte_stream.hpp"
#include "base/path_text.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <string_view>

namespace stationsync::host {
namespace {
constexpr std::string_view magic = "STSYREV1";
constexpr std::size_t check_bytes = 8;
} // namespace

std::vector<std::byte> encode(const PackageDescription& description) {
    ByteWriter writer;
    writer.bytes(std::as_bytes(std::span(magic)));
    writer.bytes(std::as_bytes(std::span(description.package.digest.bytes)));
    writer.u64(description.package.bytes);
    writer.u64(static_cast<std::uint64_t>(description.package.modified_100ns));
    writer.short_text(description.object.provider);
    writer.long_text(description.object.key);
    writer.long_text(description.revision);
    writer.long_text(description.note);
    std::vector<std::byte> bytes = writer.take();
    const Sha256Digest check = sha256(bytes);
    bytes.insert(bytes.end(), check.begin(), check.begin() + check_bytes);
    return bytes;
}

boost::system::result<PackageDescription, std::string>
decode_description(std::span<const std::byte> bytes) {
    if (bytes.size() < magic.size() + check_bytes || bytes.size() > description_bytes_max) {
        return std::string("a package description has an impossible size");
    }
    const auto content = bytes.first(bytes.size() - check_bytes);
    const Sha256Digest check = sha256(content);
    if (!std::equal(check.begin(), check.begin() + check_bytes, bytes.end() - check_bytes)) {
        return std::string("a package description is damaged: its checksum does not match");
    }
    ByteReader reader(content);
    const auto head = reader.view(magic.size());
    if (!std::ranges::equal(head, std::as_bytes(std::span(magic)))) {
        return std::string("a package description is of an unknown format");
    }
    PackageDescription description;
    reader.bytes(std::as_writable_bytes(std::span(description.package.digest.bytes)));
    description.package.bytes = reader.u64();
    description.package.modified_100ns = static_cast<std::int64_t>(reader.u64());
    description.object.provider = reader.short_text();
    description.object.key = reader.long_text(key_bytes_max);
    description.revision = reader.long_text(revision_bytes_max);
    description.note = reader.long_text(note_bytes_max);
    if (!reader.at_end()) {
        return std::string("a package description is cut off or too long");
    }
    if (!is_valid_utf8(description.object.provider) || !is_valid_utf8(description.object.key)) {
        return std::string("a package description names an object that is not valid UTF-8");
    }
    return description;
}

} // namespace stationsync::host
