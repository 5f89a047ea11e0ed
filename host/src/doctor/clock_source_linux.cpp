#include "base/program.hpp"
#include "doctor/clock_source.hpp"

#include <sys/timex.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace stationsync::host::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds patience{3};

struct Daemon {
    const char* process; // the kernel keeps 15 bytes of a name
    const char* name;
};
constexpr std::array daemons{Daemon{"chronyd", "chrony"},
                             Daemon{"systemd-timesyn", "systemd-timesyncd"},
                             Daemon{"ntpd", "ntpd"},
                             Daemon{"ntpsec", "ntpsec"},
                             Daemon{"openntpd", "OpenNTPD"},
                             Daemon{"phc2sys", "phc2sys (PTP)"},
                             Daemon{"ptp4l", "ptp4l (PTP)"},
                             Daemon{"VBoxService", "VirtualBox guest service"},
                             Daemon{"vmtoolsd", "VMware Tools"}};

std::string running_daemon() {
    std::array<bool, daemons.size()> runs{};
    std::error_code error;
    for (fs::directory_iterator process("/proc", error), end; !error && process != end;
         process.increment(error)) {
        std::string name;
        std::ifstream in(process->path() / "comm");
        std::getline(in, name);
        for (std::size_t i = 0; i < daemons.size(); ++i) {
            runs[i] = runs[i] || name == daemons[i].process;
        }
    }
    const auto first = std::ranges::find(runs, true) - runs.begin();
    return first == static_cast<std::ptrdiff_t>(runs.size())
               ? std::string()
               : daemons[static_cast<std::size_t>(first)].name;
}

std::string server_of(const std::string& service) {
    if (service == "chrony") {
        return chrony_server(run_external({"chronyc", "-n", "tracking"}, patience).out);
    }
    if (service == "systemd-timesyncd") {
        return timesyncd_server(run_external({"timedatectl", "show-timesync"}, patience).out);
    }
    if (service == "ntpd" || service == "ntpsec") {
        return ntpq_server(run_external({"ntpq", "-pn"}, patience).out);
    }
    return {};
}

} // namespace

ClockSource read_clock_source() {
    ClockSource source;
    timex state{};
    const int answer = ::adjtimex(&state);
    if (answer >= 0) {
        source.synchronized = answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    } else {
        source.synchronized =
            timedatectl_synchronized(run_external({"timedatectl", "show"}, patience).out);
    }
    source.service = running_daemon();
    source.server = server_of(source.service);
    if (source.service.empty()) {
        source.remedy = "timedatectl set-ntp true   (or install chrony, and name the plant's time "
                        "server in /etc/chrony/chrony.conf)";
    } else if (source.service == "systemd-timesyncd") {
        source.remedy = "Name a time server that this computer reaches: NTP= in "
                        "/etc/systemd/timesyncd.conf, then: systemctl restart systemd-timesyncd";
    } else if (source.service == "chrony") {
        source.remedy = "Name a time server that this computer reaches in /etc/chrony/chrony.conf, "
                        "then: systemctl restart chrony";
    } else {
        source.remedy = "Name a time server that this computer reaches in the settings of " +
                        source.service + ", then restart it.";
    }
    return source;
}

} // namespace stationsync::host::doctor
