// Marks: what a provider returns to name the present state of an object.
//
// The same mark must mean the same content, and an unchanged object must keep its mark. A hash of
// the content fulfils both; size and modification time do not (two edits within one tick of a
// coarse file system, a touched file), and are good as a cache key at most.
#pragma once

#include "error.hpp"
#include "paths.hpp"
#include "sha256.hpp"
#include "types.h"

#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

namespace stationsync::sdk {

class Mark {
public:
    // The empty mark: absent.
    Mark() noexcept : raw_{} {}
    explicit Mark(const stsync_mark& raw) noexcept : raw_(raw) {}
    // 1..63 bytes; throws Error for more.
    explicit Mark(std::string_view bytes) : raw_{} {
        if (bytes.size() > STSYNC_MARK_MAX)
            throw Error(STSYNC_INTERNAL, "A mark is longer than 63 bytes.");
        raw_.len = static_cast<std::uint8_t>(bytes.size());
        if (!bytes.empty())
            std::memcpy(raw_.bytes, bytes.data(), bytes.size());
    }

    bool is_absent() const noexcept { return raw_.len == 0; }
    const stsync_mark& raw() const noexcept { return raw_; }

    friend bool operator==(const Mark& a, const Mark& b) noexcept {
        return a.raw_.len == b.raw_.len && std::memcmp(a.raw_.bytes, b.raw_.bytes, a.raw_.len) == 0;
    }
    friend bool operator!=(const Mark& a, const Mark& b) noexcept { return !(a == b); }

private:
    stsync_mark raw_;
};

inline Mark mark_of_digest(const Digest& digest) {
    return Mark(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

inline Mark mark_of_bytes(std::string_view bytes) {
    return mark_of_digest(sha256(bytes));
}

inline stsync_digest to_abi(const std::optional<Digest>& digest) noexcept {
    stsync_digest raw{};
    if (digest) {
        raw.len = static_cast<std::uint32_t>(digest->size());
        std::memcpy(raw.bytes, digest->data(), digest->size());
    }
    return raw;
}

// SHA-256 of a file's bytes. Throws Error: NOT_FOUND when there is no such file.
inline Digest digest_of_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::error_code ignored;
        const bool exists = std::filesystem::exists(path, ignored);
        throw Error(exists ? STSYNC_DENIED : STSYNC_NOT_FOUND,
                    "Cannot read " + utf8_from_path(path) + ".");
    }
    Sha256 hash;
    std::vector<char> buffer(std::size_t{1} << 17);
    while (file) {
        file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        hash.update(buffer.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad())
        throw Error(STSYNC_INTERNAL, "Reading " + utf8_from_path(path) + " failed.");
    return hash.finish();
}

// Mark of a file's content; the empty mark when there is no such file.
inline Mark mark_of_file(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored))
        return {};
    return mark_of_digest(digest_of_file(path));
}

} // namespace stationsync::sdk
