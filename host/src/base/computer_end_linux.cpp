#include "base/computer_end.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

namespace stationsync::host {
namespace {

constexpr int answer_time_max_ms = 1000;

// What the program prints until it ends or takes too long.
std::string first_output(int descriptor) {
    std::string text;
    char buffer[64];
    pollfd waiting{descriptor, POLLIN, 0};
    while (text.size() < sizeof buffer && ::poll(&waiting, 1, answer_time_max_ms) > 0) {
        const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
        if (count <= 0) {
            break;
        }
        text.append(buffer, static_cast<std::size_t>(count));
        if (text.find('\n') != std::string::npos) {
            break;
        }
    }
    return text;
}

} // namespace

// A systemd unit gets the same signal from `systemctl stop` and at the end of the computer; only
// the manager knows which. Other init systems have no systemctl.
bool computer_is_ending() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    char program[] = "systemctl";
    char question[] = "is-system-running";
    char* arguments[] = {program, question, nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, program, &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::string answer;
    if (failed == 0) {
        answer = first_output(ends[0]);
        ::kill(child, SIGKILL); // it has answered, or takes too long
        while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    ::close(ends[0]);
    return std::string_view(answer).starts_with("stopping");
}

} // namespace stationsync::host
