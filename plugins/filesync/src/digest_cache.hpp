// Remembers which content a file had, so that an unchanged file is not read again.
#pragma once

#include "tree.hpp"

#include <stationsync/sha256.hpp>

#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

namespace filesync {

using stationsync::sdk::Digest;

// False when a file read at `read_at_ns` (file clock) had been changed so shortly before that a
// further change within the same tick of the file system's clock would not show in its evidence.
bool is_settled(const Evidence& evidence, std::int64_t read_at_ns) noexcept;

// Keyed by the file's identity, not by its name: a renamed file is still known, and a record takes
// 56 bytes. Safe from several threads.
class DigestCache {
public:
    // Nothing when the file is unknown or its evidence moved.
    std::optional<Digest> find(const Evidence& evidence) const;

    // `read_at_ns`: time by the file clock before the first byte was read. Nothing is kept of a
    // file that was not settled then.
    void store(const Evidence& evidence, const Digest& digest, std::int64_t read_at_ns);

    // A full scan brackets itself: what neither find nor store met in between is forgotten.
    void begin_scan();
    void end_scan();

    // Keeps the records in a file; save writes only when something changed. Failures do no harm but
    // that files are read again.
    void load(const std::filesystem::path& file) noexcept;
    void save(const std::filesystem::path& file) noexcept;

    std::size_t size() const;

private:
    struct Record {
        std::uint64_t identity = 0;    // of device and inode
        std::uint64_t fingerprint = 0; // of size and times; 0 = free slot
        Digest digest{};
        std::uint64_t epoch = 0; // of the last scan that met it
    };

    void insert(const Record& record);
    void rebuild(std::size_t slots, std::uint64_t oldest_epoch);

    mutable std::mutex mutex_;
    mutable std::vector<Record> records_; // open addressing; a power of two of slots
    std::size_t used_ = 0;
    std::uint64_t epoch_ = 1;
    bool is_dirty_ = false;
};

} // namespace filesync
