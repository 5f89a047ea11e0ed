// How often one remote host may connect: a token bucket per host, in bounded memory.
#pragma once

#include "stationsync/core/time.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace stationsync::host {

class ConnectLimiter {
public:
    static constexpr std::size_t hosts_max = 1024;

    ConnectLimiter(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

    // False: too often, close at once. When more hosts than hosts_max connect at the same time,
    // the further ones share one bucket.
    [[nodiscard]] bool admit(std::string_view host, core::Instant now);

private:
    struct Bucket {
        double tokens = 0;
        core::Instant at;
    };
    [[nodiscard]] Bucket refilled(Bucket bucket, core::Instant now) const;
    Bucket& bucket_of(std::string_view host, core::Instant now);

    double per_second_;
    double burst_;
    core::Instant next_tidy_;
    std::map<std::string, Bucket, std::less<>> buckets_;
};

} // namespace stationsync::host
