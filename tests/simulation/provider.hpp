// A simulated provider instance: live data that users and the engine change, with marks, times,
// faults. It outlives the engine's process, as the plant's data does.
#pragma once

#include "content.hpp"
#include "stationsync/core/action.hpp"

#include <map>
#include <optional>
#include <string>

namespace stationsync::simulation {

// What kind of data it is; the same on all stations of a run.
struct ProviderSpec {
    std::string name;
    bool reproducible = true; // as files; else every export differs in bytes, as databases
    bool has_digest = true;   // else only marks tell whether content differs
    bool evidence_of_restore = false;
    bool tells_times = true; // else changed_at is never told
    std::uint64_t live_above = 0;
    std::int64_t settle_us = 0;
    std::int64_t settle_max_us = 0;
    std::int64_t scan_interval_us = 0;
};

struct LiveObject {
    Content content = absent;
    core::Mark mark;
    std::int64_t changed_at_us = 0; // as the provider reports it: local wall time
    std::optional<std::int64_t> changed_not_before_us;
    bool restored = false; // the provider has evidence of a restore
};

class SimProvider {
public:
    explicit SimProvider(ProviderSpec spec) : spec_(std::move(spec)) {}

    const ProviderSpec& spec() const { return spec_; }
    const LiveObject* find(const std::string& key) const {
        auto found = objects_.find(key);
        return found == objects_.end() ? nullptr : &found->second;
    }
    Content content(const std::string& key) const {
        const auto* live = find(key);
        return live ? live->content : absent;
    }
    core::Mark mark(const std::string& key) const {
        const auto* live = find(key);
        return live ? live->mark : core::Mark{};
    }
    const std::map<std::string, LiveObject>& objects() const { return objects_; }

    // A user, or a program of the plant, saves. Every write has a mark of its own.
    void write(const std::string& key, Content content, std::int64_t changed_at_us);
    void set_restored(const std::string& key) { objects_[key].restored = true; }
    void set_not_before(const std::string& key, std::int64_t us) {
        objects_[key].changed_not_before_us = us;
    }
    void remove(const std::string& key) { objects_.erase(key); }
    void touch(const std::string& key, std::int64_t changed_at_us); // new mark, same content

    // Compare-and-swap; the same id has one effect whatever happened to the data since.
    core::ApplyFinished apply(const core::StartApply& order, Content content);
    bool was_applied(const core::ApplyId& id) const { return applied_.contains(id); }

    core::ObservedObject observe(const std::string& key, const LiveObject& live) const;

    std::string root = "root-1"; // what it looks at
    bool mounted = true;
    bool enabled = true;
    std::string backend_version = "1";
    bool backend_known = true;
    bool apply_when = false; // asked before each apply
    // Until these true times the provider answers so.
    std::int64_t busy_until = 0;
    std::int64_t failing_until = 0;
    std::int64_t no_space_until = 0;
    std::int64_t slow_until = 0;
    // Of `apply_when`: closed from the first to the second true time.
    std::int64_t closed_since = 0;
    std::int64_t closed_until = 0;
    bool closed_at(std::int64_t now) const { return apply_when && now < closed_until; }

    void replace_all(std::map<std::string, LiveObject> objects) { objects_ = std::move(objects); }

private:
    core::Mark new_mark() { return "m" + std::to_string(++marks_); }

    ProviderSpec spec_;
    std::map<std::string, LiveObject> objects_;
    std::map<core::ApplyId, core::ApplyFinished> applied_;
    std::uint64_t marks_ = 0;
};

} // namespace stationsync::simulation
