#include "base/computer_end.hpp"

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

namespace stationsync::host {

bool computer_is_ending() {
    return GetSystemMetrics(SM_SHUTTINGDOWN) != 0;
}

} // namespace stationsync::host
