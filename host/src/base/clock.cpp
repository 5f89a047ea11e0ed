#include "base/clock.hpp"

#include "base/clock_system.hpp"

#ifdef STATIONSYNC_TEST_CLOCK
#include <charconv>
#include <cstdio>
#include <cstdlib>
#endif

namespace stationsync::host {

#ifdef STATIONSYNC_TEST_CLOCK
namespace {
std::int64_t test_offset_us() noexcept {
    // The environment does not change while the process runs; the file does.
    static const char* const path = std::getenv("STATIONSYNC_TEST_CLOCK");
    if (path == nullptr) {
        return 0;
    }
    // Reading beats a look at size and modification time: two writes within one tick of the file
    // system's clock look the same, and an absent file costs one system call either way.
    std::FILE* const file = std::fopen(path, "rb");
    if (file == nullptr) {
        return 0;
    }
    char text[32] = {};
    const std::size_t length = std::fread(text, 1, sizeof text - 1, file);
    static_cast<void>(std::fclose(file)); // only read
    std::int64_t offset = 0;
    std::from_chars(text, text + length, offset); // stays 0 when there is no number
    return offset;
}
} // namespace

WallTime wall_now_us() noexcept {
    return system_wall_us() + test_offset_us();
}
#else
WallTime wall_now_us() noexcept {
    return system_wall_us();
}
#endif

} // namespace stationsync::host
