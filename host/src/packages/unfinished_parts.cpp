#include "packages/unfinished_parts.hpp"

#include <algorithm>

namespace stationsync::host {

std::set<std::filesystem::path> parts_to_drop(std::vector<UnfinishedPart> parts,
                                              const UnfinishedLimits& limits, std::int64_t now_us) {
    std::ranges::sort(parts, std::ranges::greater{}, &UnfinishedPart::written_us);
    const std::int64_t oldest_us =
        now_us - std::chrono::duration_cast<std::chrono::microseconds>(limits.age_max).count();
    std::set<std::filesystem::path> dropped;
    std::uint64_t bytes = 0;
    for (UnfinishedPart& part : parts) {
        if (part.written_us < oldest_us || part.bytes > limits.bytes_max - bytes)
            dropped.insert(std::move(part.file));
        else
            bytes += part.bytes;
    }
    return dropped;
}

} // namespace stationsync::host
