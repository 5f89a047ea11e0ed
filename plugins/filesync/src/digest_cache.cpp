#include "digest_cache.hpp"

#include <stationsync/paths.hpp>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

constexpr std::size_t slots_min = 64;
constexpr std::array<char, 8> file_magic = {'F', 'S', 'D', 'I', 'G', 0, 0, 1};

// Finalizer of MurmurHash3: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t value) noexcept {
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdu;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53u;
    return value ^ (value >> 33);
}

std::uint64_t identity_of(const Evidence& evidence) noexcept {
    return mix(evidence.inode + mix(evidence.device));
}

std::uint64_t fingerprint_of(const Evidence& evidence) noexcept {
    std::uint64_t hash = mix(evidence.byte_count + 1);
    hash = mix(hash ^ static_cast<std::uint64_t>(evidence.modified_ns));
    hash = mix(hash + static_cast<std::uint64_t>(evidence.changed_ns));
    return hash == 0 ? 1 : hash;
}

} // namespace

// A change within the tick in which the file was last changed leaves the same times behind; any
// other moves at least one of them. Times with digits below a millisecond come from a file system
// with a fine clock, whose ticks are at most 10 ms apart; otherwise a tick may take 2 s (FAT).
bool is_settled(const Evidence& evidence, std::int64_t read_at_ns) noexcept {
    const bool is_fine = evidence.changed_ns % 1'000'000 != 0;
    const std::int64_t window_ns = is_fine ? 100'000'000 : 2'100'000'000;
    const auto is_near = [&](std::int64_t time_ns) noexcept {
        return time_ns > read_at_ns - window_ns && time_ns < read_at_ns + window_ns;
    };
    return !is_near(evidence.modified_ns) || !is_near(evidence.changed_ns);
}

std::optional<Digest> DigestCache::find(const Evidence& evidence) const {
    const std::lock_guard lock(mutex_);
    if (records_.empty())
        return std::nullopt;
    const std::uint64_t identity = identity_of(evidence);
    const std::size_t mask = records_.size() - 1;
    for (std::size_t slot = identity & mask;; slot = (slot + 1) & mask) {
        Record& record = records_[slot];
        if (record.fingerprint == 0)
            return std::nullopt;
        if (record.identity != identity)
            continue;
        if (record.fingerprint != fingerprint_of(evidence))
            return std::nullopt;
        record.epoch = epoch_;
        return record.digest;
    }
}

void DigestCache::store(const Evidence& evidence, const Digest& digest, std::int64_t read_at_ns) {
    if (!is_settled(evidence, read_at_ns))
        return;
    const std::lock_guard lock(mutex_);
    if (records_.empty())
        records_.resize(slots_min);
    // At most four fifths full: a search stays short and the table small.
    if ((used_ + 1) * 5 > records_.size() * 4)
        rebuild(records_.size() * 2, 0);
    insert({identity_of(evidence), fingerprint_of(evidence), digest, epoch_});
    is_dirty_ = true;
}

void DigestCache::insert(const Record& record) {
    const std::size_t mask = records_.size() - 1;
    std::size_t slot = record.identity & mask;
    while (records_[slot].fingerprint != 0 && records_[slot].identity != record.identity)
        slot = (slot + 1) & mask;
    if (records_[slot].fingerprint == 0)
        ++used_;
    records_[slot] = record;
}

void DigestCache::rebuild(std::size_t slots, std::uint64_t oldest_epoch) {
    std::vector<Record> before(slots);
    before.swap(records_);
    used_ = 0;
    for (const Record& record : before)
        if (record.fingerprint != 0 && record.epoch >= oldest_epoch)
            insert(record);
}

void DigestCache::begin_scan() {
    const std::lock_guard lock(mutex_);
    ++epoch_;
}

void DigestCache::end_scan() {
    const std::lock_guard lock(mutex_);
    std::size_t current = 0;
    for (const Record& record : records_)
        if (record.fingerprint != 0 && record.epoch == epoch_)
            ++current;
    if (current == used_)
        return;
    std::size_t slots = slots_min;
    while (current * 5 > slots * 4)
        slots *= 2;
    rebuild(slots, epoch_);
    is_dirty_ = true;
}

std::size_t DigestCache::size() const {
    const std::lock_guard lock(mutex_);
    return used_;
}

// The file: magic, then the used records as they lie in memory, then SHA-256 of all before. It
// stays on this machine, so byte order and padding do not matter.
void DigestCache::load(const std::filesystem::path& file) noexcept {
    try {
        std::ifstream stream(file, std::ios::binary);
        if (!stream)
            return;
        const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
        const std::size_t frame = file_magic.size() + std::tuple_size_v<Digest>;
        if (bytes.size() < frame || (bytes.size() - frame) % sizeof(Record) != 0)
            return;
        if (std::memcmp(bytes.data(), file_magic.data(), file_magic.size()) != 0)
            return;
        const std::size_t covered = bytes.size() - std::tuple_size_v<Digest>;
        const Digest digest = sdk::sha256(std::string_view(bytes).substr(0, covered));
        if (std::memcmp(bytes.data() + covered, digest.data(), digest.size()) != 0)
            return;

        const std::lock_guard lock(mutex_);
        const std::size_t count = (bytes.size() - frame) / sizeof(Record);
        std::size_t slots = slots_min;
        while (count * 5 > slots * 4)
            slots *= 2;
        records_.assign(slots, Record{});
        used_ = 0;
        for (std::size_t i = 0; i < count; ++i) {
            Record record;
            std::memcpy(static_cast<void*>(&record),
                        bytes.data() + file_magic.size() + i * sizeof(Record), sizeof(Record));
            record.epoch = epoch_;
            if (record.fingerprint != 0)
                insert(record);
        }
        is_dirty_ = false;
    } catch (const std::exception&) {
        // A cache that cannot be read is an empty one.
    }
}

void DigestCache::save(const std::filesystem::path& file) noexcept {
    try {
        std::filesystem::path temp = file;
        temp += ".new";
        {
            const std::lock_guard lock(mutex_);
            if (!is_dirty_)
                return;
            std::ofstream stream(temp, std::ios::binary | std::ios::trunc);
            sdk::Sha256 hash;
            const auto put = [&](const void* bytes, std::size_t count) {
                hash.update(bytes, count);
                stream.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
            };
            put(file_magic.data(), file_magic.size());
            for (const Record& record : records_)
                if (record.fingerprint != 0)
                    put(&record, sizeof record);
            const Digest digest = hash.finish();
            stream.write(reinterpret_cast<const char*>(digest.data()), digest.size());
            stream.close();
            if (!stream)
                return;
            is_dirty_ = false;
        }
        std::filesystem::rename(temp, file);
    } catch (const std::exception&) {
        // A cache that cannot be written costs reading the files again after a restart.
    }
}

} // namespace filesync
