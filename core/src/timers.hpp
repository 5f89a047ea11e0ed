// Deadlines by key: set, moved, cancelled, and taken out in the order of their time.
#pragma once

#include "stationsync/core/time.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace stationsync::core {

template <typename Key>
class Timers {
public:
    // Replaces an earlier deadline of the same key.
    void set(const Key& key, Instant at) {
        cancel(key);
        at_.emplace(key, at);
        queue_.emplace(at, key);
    }
    void set_if_none(const Key& key, Instant at) {
        if (!at_.contains(key))
            set(key, at);
    }
    void cancel(const Key& key) {
        const auto place = at_.find(key);
        if (place == at_.end())
            return;
        queue_.erase({place->second, key});
        at_.erase(place);
    }
    std::optional<Instant> next() const {
        return queue_.empty() ? std::nullopt : std::optional(queue_.begin()->first);
    }
    // The first key whose time has come, removed; nothing when none is due.
    std::optional<Key> take_due(Instant now) {
        if (queue_.empty() || queue_.begin()->first > now)
            return std::nullopt;
        Key key = queue_.begin()->second;
        cancel(key);
        return key;
    }

private:
    std::map<Key, Instant> at_;
    std::set<std::pair<Instant, Key>> queue_;
};

} // namespace stationsync::core
