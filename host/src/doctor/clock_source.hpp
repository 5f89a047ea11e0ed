// Whether something keeps the clock of this computer right, and what.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stationsync::host::doctor {

struct ClockSource {
    std::optional<bool> synchronized; // nothing: the system does not tell
    std::string service;              // "chrony"; empty: none runs
    std::string server;               // from which it takes the time; empty: not known
    std::string remedy;               // for a clock that is not synchronized
};

// Asks the system. Blocking, a few seconds at most.
[[nodiscard]] ClockSource read_clock_source();

// `timedatectl show`: NTPSynchronized; nothing when it does not say.
[[nodiscard]] std::optional<bool> timedatectl_synchronized(std::string_view output);
// `timedatectl show-timesync`: the server in use.
[[nodiscard]] std::string timesyncd_server(std::string_view output);
// `chronyc -n tracking`: the server in use; empty when there is none.
[[nodiscard]] std::string chrony_server(std::string_view output);
// `ntpq -pn`: the server in use; empty when there is none.
[[nodiscard]] std::string ntpq_server(std::string_view output);
// `w32tm /query /source`: the server in use; empty when the clock runs free.
[[nodiscard]] std::string w32tm_server(std::string_view output);

} // namespace stationsync::host::doctor
