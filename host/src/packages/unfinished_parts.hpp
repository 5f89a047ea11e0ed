#pragma once
// Which unfinished fetches may stay in the sync directory ([sync] size_max and age_max).

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <vector>

namespace stationsync::host {

struct UnfinishedPart {
    std::filesystem::path file;
    std::uint64_t bytes = 0;
    std::int64_t written_us = 0; // UTC
};

struct UnfinishedLimits {
    std::uint64_t bytes_max = 0;
    std::chrono::seconds age_max{};
};

// Those that go: written to longer than age_max ago, or beyond size_max counted from the newest.
// What stays, a fetch continues when a source is back.
[[nodiscard]] std::set<std::filesystem::path> parts_to_drop(std::vector<UnfinishedPart> parts,
                                                            const UnfinishedLimits& limits,
                                                            std::int64_t now_us);

} // namespace stationsync::host
