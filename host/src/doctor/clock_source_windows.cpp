#include "base/program.hpp"
#include "doctor/clock_source.hpp"

#include <windows.h>

namespace stationsync::host::doctor {
namespace {

bool time_service_runs() {
    const SC_HANDLE manager = OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT);
    if (manager == nullptr) {
        return false;
    }
    const SC_HANDLE service = OpenServiceW(manager, L"w32time", SERVICE_QUERY_STATUS);
    SERVICE_STATUS status{};
    const bool runs = service != nullptr && QueryServiceStatus(service, &status) &&
                      status.dwCurrentState == SERVICE_RUNNING;
    if (service != nullptr) {
        CloseServiceHandle(service);
    }
    CloseServiceHandle(manager);
    return runs;
}

} // namespace

ClockSource read_clock_source() {
    constexpr std::chrono::seconds patience{5};
    ClockSource source;
    if (!time_service_runs()) {
        source.synchronized = false;
        source.remedy = "sc config w32time start= auto && net start w32time && w32tm /config "
                        "/manualpeerlist:TIMESERVER /syncfromflags:manual /update";
        return source;
    }
    source.service = "Windows Time";
    const auto asked = run_external({"w32tm", "/query", "/source"}, patience);
    if (asked.succeeded()) {
        source.server = w32tm_server(asked.out);
        source.synchronized = !source.server.empty();
    }
    source.remedy = "w32tm /config /manualpeerlist:TIMESERVER /syncfromflags:manual /update && "
                    "w32tm /resync";
    return source;
}

} // namespace stationsync::host::doctor
