#include "base/computer_end.hpp"

#include <windows.h>

namespace stationsync::host {

bool computer_is_ending() {
    return GetSystemMetrics(SM_SHUTTINGDOWN) != 0;
}

} // namespace stationsync::host
