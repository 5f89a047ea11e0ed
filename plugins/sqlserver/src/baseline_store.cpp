#include "baseline_store.hpp"

namespace stationsync::sqlserver {

namespace {

// A restart makes the interval of a change at most this much longer than it was.
constexpr stsync_time clean_interval = 15LL * 60 * 1'000'000;

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

std::string lasting_part(Baseline baseline) {
    baseline.clean_at = STSYNC_TIME_NONE;
    return encode(baseline);
}

} // namespace

BaselineStore::Entry& BaselineStore::load(const std::string& key) {
    if (const auto at = entries_.find(key); at != entries_.end())
        return at->second;
    Entry entry;
    if (const auto bytes = host_.kv_get(stored_key(key))) {
        if (auto baseline = decode(*bytes)) {
            entry.stored = lasting_part(*baseline);
            entry.stored_clean_at = baseline->clean_at;
            entry.baseline = *std::move(baseline);
        } else {
            host_.log(STSYNC_LOG_WARNING, "sqlserver.baseline", key,
                      "What was kept about the database " + key +
                          " cannot be read: it is looked at as for the first time, and counts as "
                          "changed when its newest object was.");
        }
    }
    return entries_.emplace(key, std::move(entry)).first->second;
}

Baseline BaselineStore::get(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return load(key).baseline;
}

void BaselineStore::put(const std::string& key, const Baseline& baseline) {
    const std::lock_guard lock(mutex_);
    store(key, baseline);
}

bool BaselineStore::put_if(const std::string& key, const Baseline& baseline,
                           const std::function<bool()>& is_current) {
    const std::lock_guard lock(mutex_);
    if (is_current && !is_current())
        return false;
    store(key, baseline);
    return true;
}

void BaselineStore::store(const std::string& key, const Baseline& baseline) {
    Entry& entry = load(key);
    std::string lasting = lasting_part(baseline);
    const bool is_due =
        baseline.clean_at != STSYNC_TIME_NONE &&
        (entry.stored_clean_at == STSYNC_TIME_NONE || baseline.clean_at < entry.stored_clean_at ||
         baseline.clean_at - entry.stored_clean_at >= clean_interval);
    if (lasting != entry.stored || is_due) {
        host_.kv_put({{stored_key(key), encode(baseline)}});
        entry.stored = std::move(lasting);
        entry.stored_clean_at = baseline.clean_at;
    }
    entry.baseline = baseline;
}

} // namespace stationsync::sqlserver
