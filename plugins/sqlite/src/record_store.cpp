#include "record_store.hpp"

namespace stationsync::sqlite {

namespace {

// A restart makes the interval of a change at most this much longer than it was.
constexpr stsync_time unchanged_interval = 15LL * 60 * 1'000'000;

// The host's keys are shorter than those of objects.
std::string stored_key(const std::string& key) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string text = "database:";
    for (const std::uint8_t byte : sdk::sha256(key)) {
        text += hex[byte >> 4];
        text += hex[byte & 15u];
    }
    return text;
}

std::string lasting_part(Record record) {
    record.unchanged_at = STSYNC_TIME_NONE;
    return encode(record);
}

} // namespace

RecordStore::Entry& RecordStore::load(const std::string& key) {
    if (const auto at = entries_.find(key); at != entries_.end())
        return at->second;
    Entry entry;
    if (const auto bytes = host_.kv_get(stored_key(key))) {
        if (auto record = decode(*bytes)) {
            entry.stored = lasting_part(*record);
            entry.record = *std::move(record);
        }
    }
    return entries_.emplace(key, std::move(entry)).first->second;
}

Record RecordStore::get(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return load(key).record;
}

void RecordStore::put(const std::string& key, const Record& record) {
    const std::lock_guard lock(mutex_);
    Entry& entry = load(key);
    const stsync_time stored_at = entry.record.stored_unchanged_at;
    entry.record = record;
    std::string lasting = lasting_part(record);
    const bool is_due = record.unchanged_at != STSYNC_TIME_NONE &&
                        (stored_at == STSYNC_TIME_NONE || record.unchanged_at < stored_at ||
                         record.unchanged_at - stored_at >= unchanged_interval);
    entry.record.stored_unchanged_at = stored_at;
    if (lasting == entry.stored && !is_due)
        return;
    host_.kv_put({{stored_key(key), encode(record)}});
    entry.stored = std::move(lasting);
    entry.record.stored_unchanged_at = record.unchanged_at;
}

} // namespace stationsync::sqlite
