#include "net/connect_limiter.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

constexpr core::Duration tidy_interval = std::chrono::seconds(1);

} // namespace

ConnectLimiter::Bucket ConnectLimiter::refilled(Bucket bucket, core::Instant now) const {
    const double seconds = std::chrono::duration<double>(now - bucket.at).count();
    return {std::min(burst_, bucket.tokens + seconds * per_second_), now};
}

ConnectLimiter::Bucket& ConnectLimiter::bucket_of(std::string_view host, core::Instant now) {
    if (const auto found = buckets_.find(host); found != buckets_.end()) {
        return found->second;
    }
    if (buckets_.size() >= hosts_max && now >= next_tidy_) {
        next_tidy_ = now + tidy_interval; // a flood of hosts must not cost a search for each
        // A full bucket says nothing that a new one would not say.
        std::erase_if(buckets_, [&](const auto& entry) {
            return refilled(entry.second, now).tokens >= burst_;
        });
    }
    constexpr std::string_view others; // no host has this name
    const std::string_view name = buckets_.size() < hosts_max ? host : others;
    return buckets_.try_emplace(std::string(name), Bucket{burst_, now}).first->second;
}

bool ConnectLimiter::admit(std::string_view host, core::Instant now) {
    Bucket& bucket = bucket_of(host, now);
    bucket = refilled(bucket, now);
    if (bucket.tokens < 1) {
        return false;
    }
    bucket.tokens -= 1;
    return true;
}

} // namespace stationsync::host
