#include "base/computer_end.hpp"
#include "base/program.hpp"

namespace stationsync::host {

// A systemd unit gets the same signal from `systemctl stop` and at the end of the computer; only
// the manager knows which. Other init systems have no systemctl.
bool computer_is_ending() {
    const ProgramRun answer =
        run_command_line("exec systemctl is-system-running", std::chrono::seconds(1));
    return answer.out.starts_with("stopping");
}

} // namespace stationsync::host
