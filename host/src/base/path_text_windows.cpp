#include "base/path_text.hpp"

#include <windows.h>

namespace stationsync::host {

namespace {

// ERROR_DISK_QUOTA_EXCEEDED, which not every winerror.h has.
constexpr int disk_quota_exceeded = 1295;

} // namespace

std::error_code last_system_error() noexcept {
    return {static_cast<int>(GetLastError()), std::system_category()};
}
bool is_quota_error(const std::error_code& code) noexcept {
    return code.value() == disk_quota_exceeded || code.value() == ERROR_DISK_FULL;
}
bool is_sharing_error(const std::error_code& code) noexcept {
    return code.value() == ERROR_SHARING_VIOLATION || code.value() == ERROR_LOCK_VIOLATION;
}

} // namespace stationsync::host
