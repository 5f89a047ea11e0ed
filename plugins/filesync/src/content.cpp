#include "content.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 18;
// Zeros are left out in pieces of this size, the usual block of a file system.
constexpr std::size_t hole_bytes = 4096;

bool is_zero(const char* bytes, std::size_t count) noexcept {
    return count == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, count - 1) == 0);
}

// Writes the pieces of a block that hold something.
void write_without_holes(File& target, std::uint64_t offset, const char* bytes, std::size_t count) {
    std::size_t begin = 0; // of the run not yet written
    for (std::size_t at = 0; at < count; at += hole_bytes) {
        const std::size_t piece = std::min(hole_bytes, count - at);
        if (!is_zero(bytes + at, piece))
            continue;
        if (at > begin)
            target.write_at(offset + begin, bytes + begin, at - begin);
        begin = at + piece;
    }
    if (count > begin)
        target.write_at(offset + begin, bytes + begin, count - begin);
}

template <class Take>
Content read_blocks(const sdk::Op& op, File& file, Take&& take) {
    // No larger than needed: most files are small, and a large buffer costs its pages.
    const std::uint64_t expected = file.status().evidence.byte_count;
    const std::size_t capacity =
        static_cast<std::size_t>(std::clamp<std::uint64_t>(expected, 1, block_bytes));
    const std::unique_ptr<char[]> buffer(new char[capacity]);
    sdk::Sha256 hash;
    std::uint64_t total = 0;
    // A file that has grown meanwhile is read as far as it was long; its evidence will tell.
    while (total < expected) {
        if (total != 0)
            op.check();
        const std::size_t count = file.read(buffer.get(), capacity);
        if (count == 0)
            break;
        hash.update(buffer.get(), count);
        take(total, buffer.get(), count);
        total += count;
        if (total < expected)
            op.progress(total, expected); // NOLINT(readability-suspicious-call-argument)
    }
    return {hash.finish(), total};
}

} // namespace

Content read_content(const sdk::Op& op, File& file) {
    return read_blocks(op, file, [](std::uint64_t, const char*, std::size_t) {});
}

Content copy_content(const sdk::Op& op, File& source, File& target) {
    if (target.clone_from(source)) {
        target.rewind();
        return read_content(op, target);
    }
    const auto write = [&target](std::uint64_t offset, const char* bytes, std::size_t count) {
        write_without_holes(target, offset, bytes, count);
    };
    const Content content = read_blocks(op, source, write);
    target.set_size(content.byte_count);
    return content;
}

} // namespace filesync
