#include "base/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>

namespace stationsync::host {
namespace {

using Clock = std::chrono::steady_clock;
using End = ProgramRun::End;

struct Order {
    std::string path;
    std::vector<std::string> arguments; // the first is its name
    std::vector<std::string> environment;
    bool wants_errors = true;
};

// A service's or a person's PATH often lacks the folders of nft and its like.
std::string path_of_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
    }
    const auto* const given = std::getenv("PATH");
    std::istringstream folders(std::string(given == nullptr ? "" : given) +
                               ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (std::string path; std::getline(folders, path, ':');) {
        path.append("/").append(name);
        if (path.starts_with('/') && ::access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return {};
}

// What is parsed must not depend on the language of who asks.
std::vector<std::string> environment_of_this(bool in_english) {
    std::vector<std::string> variables;
    for (char** at = environ; *at != nullptr; ++at) {
        const std::string_view variable(*at);
        if (!in_english || (!variable.starts_with("LC_") && !variable.starts_with("LANG"))) {
            variables.emplace_back(variable);
        }
    }
    if (in_english) {
        variables.emplace_back("LC_ALL=C.UTF-8");
    }
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (auto& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

struct Pipe {
    std::array<int, 2> ends{-1, -1};
    Pipe() {
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            ends = {-1, -1};
        }
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close(0);
        close(1);
    }
    void close(std::size_t end) {
        if (ends[end] >= 0) {
            ::close(ends[end]);
        }
        ends[end] = -1;
    }
    [[nodiscard]] bool is_open() const { return ends[0] >= 0; }
};

// In a process group of its own, so that all of it can be ended; with the signals as a fresh
// process has them. Answers an errno.
int start(Order& order, const Pipe& out, const Pipe& err, pid_t& child) {
    const auto arguments = pointers_to(order.arguments);
    const auto environment = pointers_to(order.environment);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
    if (order.wants_errors) {
        ::posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
    } else {
        ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
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
    const int failed = ::posix_spawn(&child, order.path.c_str(), &actions, &attributes,
                                     arguments.data(), environment.data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    return failed;
}

struct Patience {
    Clock::time_point end;
    const std::atomic<bool>* given_up = nullptr;

    [[nodiscard]] bool is_over() const {
        return Clock::now() >= end || (given_up != nullptr && *given_up);
    }
    // Until it is worth a look at all this again.
    [[nodiscard]] int rest_ms() const {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(rest, 0, given_up == nullptr ? 1000 : 50));
    }
};

// False at the end of the stream.
bool read_some(int descriptor, std::string& text) {
    std::array<char, 16384> buffer;
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0) {
        text.append(buffer.data(), std::min(static_cast<std::size_t>(count),
                                            program_output_bytes_max - text.size()));
    }
    return count > 0 || (count < 0 && errno == EINTR);
}

// Until the program and what it has started close both. False: the time is over.
bool read_all(Pipe& out, Pipe& err, ProgramRun& run, const Patience& patience) {
    while (out.is_open() || err.is_open()) {
        // A negative descriptor is passed over.
        std::array<pollfd, 2> waiting{pollfd{out.ends[0], POLLIN, 0},
                                      pollfd{err.ends[0], POLLIN, 0}};
        if (::poll(waiting.data(), waiting.size(), patience.rest_ms()) <= 0) {
            if (patience.is_over()) {
                return false;
            }
            continue;
        }
        if (waiting[0].revents != 0 && !read_some(out.ends[0], run.out)) {
            out.close(0);
        }
        if (waiting[1].revents != 0 && !read_some(err.ends[0], run.err)) {
            err.close(0);
        }
    }
    return true;
}

// A program may close its output long before it ends. False: the time is over.
bool wait_until(pid_t child, const Patience& patience, int& status) {
    while (true) {
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) {
            return true;
        }
        if ((ended < 0 && errno != EINTR) || patience.is_over()) {
            return false;
        }
        ::poll(nullptr, 0, std::min(patience.rest_ms(), 10));
    }
}

ProgramRun not_started(const char* why) {
    ProgramRun run;
    run.trouble = std::string("cannot be started: ") + why;
    return run;
}

ProgramRun carry_out(Order order, std::chrono::milliseconds time_max,
                     const std::atomic<bool>* given_up = nullptr) {
    const Patience patience{Clock::now() + time_max, given_up};
    Pipe out;
    Pipe err;
    if (!out.is_open() || !err.is_open()) {
        return not_started(std::strerror(errno));
    }
    pid_t child = 0;
    if (const int failed = start(order, out, err, child); failed != 0) {
        return not_started(std::strerror(failed));
    }
    out.close(1);
    err.close(1);
    ProgramRun run;
    int status = 0;
    if (!read_all(out, err, run, patience) || !wait_until(child, patience, status)) {
        ::kill(-child, SIGKILL);
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        run.end = End::timed_out;
        run.trouble = "takes longer than " + std::to_string(time_max.count() / 1000) + " s";
    } else if (WIFEXITED(status)) {
        run.end = End::ended;
        run.code = WEXITSTATUS(status);
    } else {
        run.trouble = "was ended by signal " + std::to_string(WTERMSIG(status));
    }
    return run;
}

} // namespace

ProgramRun run_external(const std::vector<std::string>& command,
                        std::chrono::milliseconds time_max) {
    const auto path = command.empty() ? std::string() : path_of_program(command.front());
    if (path.empty()) {
        ProgramRun run;
        run.end = End::not_found;
        run.trouble = "is not there";
        return run;
    }
    return carry_out({path, command, environment_of_this(true), true}, time_max);
}

ProgramRun run_command_line(const std::string& line, std::chrono::milliseconds time_max,
                            const std::atomic<bool>* given_up) {
    return carry_out({"/bin/sh", {"/bin/sh", "-c", line}, environment_of_this(false), false},
                     time_max, given_up);
}

} // namespace stationsync::host
