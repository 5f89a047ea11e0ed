// Failures inside a plugin. They are thrown in plugin code and become a status and a sentence at
// the edge of the ABI; none leaves the plugin.
#pragma once

#include "types.h"

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>

namespace stationsync::sdk {

// A failure with its status, and one sentence for the operator: cause and remedy, no secret.
class Error : public std::runtime_error {
public:
    Error(stsync_status status, const std::string& text, std::uint64_t retry_after_ms = 0)
        : std::runtime_error(text), status_(status), retry_after_ms_(retry_after_ms) {}

    stsync_status status() const noexcept { return status_; }
    // 0 = the host decides.
    std::uint64_t retry_after_ms() const noexcept { return retry_after_ms_; }

private:
    stsync_status status_;
    std::uint64_t retry_after_ms_;
};

// The host asked the call to end, or its deadline passed. Not a std::exception, so that handlers
// for real failures do not swallow it.
class Cancelled {
public:
    explicit Cancelled(stsync_status status) noexcept : status_(status) {}
    stsync_status status() const noexcept { return status_; }

private:
    stsync_status status_;
};

// A sink of the host wants no more. Not a std::exception for the same reason.
class StoppedBySink {};

// The status that fits a failure of the operating system.
inline stsync_status status_of(const std::error_code& code) noexcept {
#if defined(EDQUOT)
    if (code == std::error_code(EDQUOT, std::generic_category()) ||
        code == std::error_code(EDQUOT, std::system_category()))
        return STSYNC_NO_SPACE;
#endif
    if (code == std::errc::no_space_on_device || code == std::errc::file_too_large)
        return STSYNC_NO_SPACE;
    if (code == std::errc::permission_denied || code == std::errc::operation_not_permitted ||
        code == std::errc::read_only_file_system)
        return STSYNC_DENIED;
    if (code == std::errc::no_such_file_or_directory)
        return STSYNC_NOT_FOUND;
    if (code == std::errc::device_or_resource_busy || code == std::errc::text_file_busy ||
        code == std::errc::resource_unavailable_try_again)
        return STSYNC_BUSY;
    return STSYNC_INTERNAL;
}

} // namespace stationsync::sdk
