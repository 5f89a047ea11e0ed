// Random bytes from the system's generator, fit for keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stationsync::host {

// Throws std::runtime_error when the system has no randomness to give: nothing may go on then.
void fill_random(std::span<std::byte> bytes);
[[nodiscard]] std::uint64_t random_u64();

} // namespace stationsync::host
