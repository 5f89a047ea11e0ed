#include "provider.hpp"

namespace stationsync::simulation {

void SimProvider::write(const std::string& key, Content content, std::int64_t changed_at_us) {
    objects_[key] = {content, new_mark(), changed_at_us, std::nullopt, false};
}

void SimProvider::touch(const std::string& key, std::int64_t changed_at_us) {
    if (auto found = objects_.find(key); found != objects_.end()) {
        found->second.mark = new_mark();
        found->second.changed_at_us = changed_at_us;
    }
}

core::ApplyFinished SimProvider::apply(const core::StartApply& order, Content content) {
    if (auto done = applied_.find(order.apply); done != applied_.end()) {
        return done->second;
    }
    core::ApplyFinished answer;
    answer.apply = order.apply;
    if (!mounted || mark(order.object.key) != order.expected) {
        answer.status = mounted ? core::JobStatus::changed : core::JobStatus::failed;
        answer.text = mounted ? "the live state is another one" : "the root is not there";
        return answer;
    }
    // Files carry their modification time with them; a database says when its content changed.
    std::int64_t const time =
        spec_.reproducible ? order.package.modified_100ns / 10 : order.revision->changed_at.us;
    write(order.object.key, content, time);
    answer.mark = mark(order.object.key);
    if (spec_.tells_times) {
        answer.changed_at = core::WallTime{time};
    }
    applied_[order.apply] = answer;
    return answer;
}

core::ObservedObject SimProvider::observe(const std::string& key, const LiveObject& live) const {
    core::ObservedObject seen;
    seen.key = key;
    seen.folded_key = spec_.reproducible ? key : std::string{};
    seen.mark = live.mark;
    seen.bytes = bytes_of(live.content);
    if (spec_.tells_times) {
        seen.changed_at = core::WallTime{live.changed_at_us};
    }
    if (live.changed_not_before_us) {
        seen.changed_not_before = core::WallTime{*live.changed_not_before_us};
    }
    seen.restored = live.restored;
    return seen;
}

} // namespace stationsync::simulation
