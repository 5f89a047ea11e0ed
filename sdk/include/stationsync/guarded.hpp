// Turns exceptions into status and text at the edge of the ABI.
#pragma once

#include "error.hpp"
#include "op.h"
#include "text.hpp"

#include <exception>
#include <new>
#include <utility>

namespace stationsync::sdk {

// Runs `body`; on failure gives (status, text, retry_after_ms) to `report` and returns the status.
// report must not throw.
template <class Body, class Report>
stsync_status guarded_by(Report&& report, Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
        return STSYNC_OK;
    } catch (const Cancelled& cancelled) {
        return cancelled.status();
    } catch (const StoppedBySink&) {
        return STSYNC_STOPPED_BY_SINK;
    } catch (const Error& error) {
        report(error.status(), std::string_view(error.what()), error.retry_after_ms());
        return error.status();
    } catch (const std::bad_alloc&) {
        report(STSYNC_INTERNAL, std::string_view("The plugin ran out of memory."),
               std::uint64_t{0});
        return STSYNC_INTERNAL;
    } catch (const std::system_error& error) {
        const stsync_status status = status_of(error.code());
        report(status, std::string_view(error.what()), std::uint64_t{0});
        return status;
    } catch (const std::exception& error) {
        report(STSYNC_INTERNAL, std::string_view(error.what()), std::uint64_t{0});
        return STSYNC_INTERNAL;
    } catch (...) {
        report(STSYNC_INTERNAL, std::string_view("The plugin failed without saying why."),
               std::uint64_t{0});
        return STSYNC_INTERNAL;
    }
}

// The same for a call that has an op: failures are told by stsync_op.fail.
template <class Body>
stsync_status guarded(const stsync_op* op, Body&& body) noexcept {
    const auto report = [op](stsync_status status, std::string_view text,
                             std::uint64_t retry_after_ms) noexcept {
        op->fail(op, status, retry_after_ms, to_abi(text));
    };
    return guarded_by(report, std::forward<Body>(body));
}

} // namespace stationsync::sdk
