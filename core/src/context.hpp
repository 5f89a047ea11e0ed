// What the parts of one engine share: configuration, time of the present call, own counters, random
// numbers from the seed, and the outbox.
#pragma once

#include "mutants.hpp"
#include "outbox.hpp"
#include "stationsync/core/engine.hpp"

namespace stationsync::core {

// SplitMix64: small, seedable, good enough for jitter and ids (Steele, Lea, Flood 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    // A duration in [d * 3/4, d * 5/4).
    Duration jittered(Duration d) {
        const auto half = static_cast<std::uint64_t>(d.count() / 2);
        return Duration{d.count() * 3 / 4 + static_cast<std::int64_t>(below(half + 1))};
    }

private:
    std::uint64_t state_;
};

struct Context {
    EngineConfig config;
    MetaRecord meta;
    Now now;
    Random random;
    Outbox out;
    std::uint64_t last_job = 0;

    // Between this call and the last the wall clock went its own way. The host notices it, too, and
    // makes a new engine, but perhaps only after this call.
    bool clock_stepped = false;

    void begin_call(Now next) {
        constexpr Duration noticed = std::chrono::seconds(2);
        const Duration apart = (next.wall - now.wall) - Duration{next.instant.us - now.instant.us};
        clock_stepped = clock_stepped || apart > noticed || apart < -noticed;
        now = next;
    }
    AuthorId author() const { return {config.self, meta.incarnation}; }
    JobId new_job() { return JobId{++last_job}; }
    void store_meta() { out.mutate(PutMeta{meta}); }
    WallTime wall() const { return now.wall; }
    Instant instant() const { return now.instant; }
};

} // namespace stationsync::core
