#pragma once

#include "base/clock.hpp"

#include <string>

namespace stationsync::host {

// RFC 3339 with microseconds, "2026-03-01T08:15:00.123456Z": how times appear in JSON.
[[nodiscard]] std::string utc_text(WallTime at_us);

} // namespace stationsync::host
