#include "base/path_text.hpp"

#include <cerrno>

namespace stationsync::host {

std::error_code last_system_error() noexcept {
    return {errno, std::generic_category()};
}
bool is_quota_error(const std::error_code& code) noexcept {
    return code.value() == EDQUOT;
}
bool is_sharing_error(const std::error_code& code) noexcept {
    return code.value() == EAGAIN;
}

} // namespace stationsync::host
