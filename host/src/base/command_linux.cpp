#include "base/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace stationsync::host {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return descriptor_; }
    void close() {
        if (descriptor_ >= 0) {
            ::close(std::exchange(descriptor_, -1));
        }
    }

private:
    int descriptor_;
};

// In a process group of its own, so that all of it can be ended; with the signals as a fresh
// process has them. Answers an errno.
int start_shell(const std::string& line, int output, pid_t& child) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
    std::string shell = "/bin/sh";
    std::string option = "-c";
    std::string command = line;
    char* arguments[] = {shell.data(), option.data(), command.data(), nullptr};
    const int failed =
        ::posix_spawn(&child, shell.c_str(), &actions, &attributes, arguments, environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int rest_ms(Clock::time_point end) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(rest, 0, 1000));
}

// Until the command and what it has started close it. False: the time is over.
bool read_until(int descriptor, Clock::time_point end, std::string& output) {
    char buffer[4096];
    while (true) {
        pollfd waiting{descriptor, POLLIN, 0};
        if (::poll(&waiting, 1, rest_ms(end)) <= 0) {
            if (Clock::now() >= end) {
                return false;
            }
            continue;
        }
        const ssize_t count = ::read(descriptor, buffer, sizeof buffer);
        if (count <= 0) {
            return true;
        }
        const std::size_t room = command_output_bytes_max - output.size();
        output.append(buffer, std::min(static_cast<std::size_t>(count), room));
    }
}

// A command may close its output long before it ends. False: the time is over.
bool wait_until(pid_t child, Clock::time_point end, int& status) {
    const pid_t self = child;
    while (true) {
        const pid_t ended = ::waitpid(self, &status, WNOHANG);
        if (ended == self) {
            return true;
        }
        if ((ended < 0 && errno != EINTR) || Clock::now() >= end) {
            return false;
        }
        ::poll(nullptr, 0, std::min(rest_ms(end), 10));
    }
}

} // namespace

CommandResult run_command_line(const std::string& line, std::chrono::milliseconds time_max) {
    const auto end = Clock::now() + time_max;
    CommandResult result;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        result.trouble = std::string("cannot be started: ") + std::strerror(errno);
        return result;
    }
    const Descriptor output(ends[0]);
    Descriptor input(ends[1]);
    pid_t child = 0;
    if (const int failed = start_shell(line, input.get(), child); failed != 0) {
        result.trouble = std::string("cannot be started: ") + std::strerror(failed);
        return result;
    }
    input.close();
    int status = 0;
    const bool ended =
        read_until(output.get(), end, result.output) && wait_until(child, end, status);
    if (!ended) {
        ::kill(-child, SIGKILL);
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        result.trouble = "takes longer than " + std::to_string(time_max.count() / 1000) + " s";
    } else if (WIFEXITED(status)) {
        result.exit_status = WEXITSTATUS(status);
    } else {
        result.trouble = "was ended by signal " + std::to_string(WTERMSIG(status));
    }
    return result;
}

} // namespace stationsync::host
