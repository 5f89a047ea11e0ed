#include "base/path_text.hpp"

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

namespace stationsync::host {

std::error_code last_system_error() noexcept {
    return {static_cast<int>(GetLastError()), std::system_category()};
}
bool is_quota_error(const std::error_code& code) noexcept {
    return code.value() == ERROR_DISK_QUOTA_EXCEEDED || code.value() == ERROR_DISK_FULL;
}
bool is_sharing_error(const std::error_code& code) noexcept {
    return code.value() == ERROR_SHARING_VIOLATION || code.value() == ERROR_LOCK_VIOLATION;
}

} // namespace stationsync::host
