// The only source of chance in a run. Same seed, same numbers, on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stationsync::simulation {

// SplitMix64, as the whole state is one word that is easy to print and to fork.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x2545f4914f6cdd1dull + 1) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    std::int64_t between(std::int64_t low, std::int64_t high) { // both included
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <class T>
    T const& pick(const std::vector<T>& from) {
        return from[below(from.size())];
    }

private:
    std::uint64_t state_;
};

// Time in this simulation is a count of microseconds.
inline constexpr std::int64_t millisecond = 1'000;
inline constexpr std::int64_t second = 1'000'000;
inline constexpr std::int64_t minute = 60 * second;
inline constexpr std::int64_t hour = 60 * minute;
inline constexpr std::int64_t day = 24 * hour;

} // namespace stationsync::simulation
