// Named points at which a test build kills its own process, as a power cut would. C++17, header
// only, shared by plugins and service. Nothing of it is left unless STATIONSYNC_FAULT_POINTS is
// defined.
//
//   STSYNC_FAULT_POINT("filesync.apply.before_rename");
//
// STATIONSYNC_FAULT_POINT=name[:count]  the process kills itself when `name` is reached for the
//                                       count-th time (1 when not given)
// STATIONSYNC_FAULT_TRACE=file          every name is appended to the file, one a line, when it is
//                                       first reached in this process
#pragma once

#if defined(STATIONSYNC_FAULT_POINTS)

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace stationsync::testing {

// State of one point in the source; static at the place where the macro stands.
class FaultPoint {
public:
    explicit FaultPoint(const char* name) noexcept : name_(name) {}

    // Safe from any thread.
    void reach() noexcept {
        const unsigned long reached = ++reached_;
        if (reached == 1)
            trace();
        const char* wanted = std::getenv("STATIONSYNC_FAULT_POINT");
        if (wanted != nullptr && is_due(wanted, reached))
            die();
    }

private:
    bool is_due(std::string_view wanted, unsigned long reached) const noexcept {
        const auto colon = wanted.find(':');
        if (wanted.substr(0, colon) != name_)
            return false;
        if (colon == std::string_view::npos)
            return reached == 1;
        // The view ends where the environment's zero-terminated string ends.
        return reached == std::strtoul(wanted.data() + colon + 1, nullptr, 10);
    }

    void trace() const noexcept {
        const char* path = std::getenv("STATIONSYNC_FAULT_TRACE");
        if (path == nullptr)
            return;
        // Appending one short line in one write keeps lines of several processes whole.
        if (std::FILE* file = std::fopen(path, "ab")) {
            std::fprintf(file, "%s\n", name_);
            std::fclose(file);
        }
    }

    [[noreturn]] static void die() noexcept {
#if defined(SIGKILL)
        std::raise(SIGKILL);
#endif
        std::_Exit(137);
    }

    const char* name_;
    std::atomic<unsigned long> reached_{0};
};

} // namespace stationsync::testing

#define STSYNC_FAULT_POINT(name)                                                                   \
    do {                                                                                           \
        static ::stationsync::testing::FaultPoint stsync_fault_point_here{name};                   \
        stsync_fault_point_here.reach();                                                           \
    } while (false)

#else

#define STSYNC_FAULT_POINT(name) static_cast<void>(0)

#endif
