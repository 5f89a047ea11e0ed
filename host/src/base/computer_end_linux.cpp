#include "base/command.hpp"
#include "base/computer_end.hpp"

namespace stationsync::host {

// A systemd unit gets the same signal from `systemctl stop` and at the end of the computer; only
// the manager knows which. Other init systems have no systemctl.
bool computer_is_ending() {
    const CommandResult answer =
        run_command_line("exec systemctl is-system-running", std::chrono::seconds(1));
    return answer.output.starts_with("stopping");
}

} // namespace stationsync::host
