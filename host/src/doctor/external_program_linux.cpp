#include "doctor/external_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>

namespace stationsync::host::doctor {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t output_max = std::size_t{4} << 20;

// A service's or a person's PATH often lacks the folders of nft and its like.
std::string path_of_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
    }
    const auto* const given = std::getenv("PATH");
    std::istringstream folders(std::string(given == nullptr ? "" : given) +
                               ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        auto path = folder + "/" + name;
        if (folder.starts_with('/') && ::access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return {};
}

// What is parsed must not depend on the language of who asks.
std::vector<std::string> english_environment() {
    std::vector<std::string> variables;
    for (char** at = environ; *at != nullptr; ++at) {
        const std::string_view variable(*at);
        if (!variable.starts_with("LC_") && !variable.starts_with("LANG")) {
            variables.emplace_back(variable);
        }
    }
    variables.emplace_back("LC_ALL=C.UTF-8");
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

int start(const std::string& path, std::vector<std::string> command, const Pipe& out,
          const Pipe& err, pid_t& child) {
    auto variables = english_environment();
    const auto arguments = pointers_to(command);
    const auto environment = pointers_to(variables);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP); // its children end with it
    ::posix_spawnattr_setpgroup(&attributes, 0);
    const int failed = ::posix_spawn(&child, path.c_str(), &actions, &attributes, arguments.data(),
                                     environment.data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    return failed;
}

// False at the end of the stream.
bool read_some(int descriptor, std::string& text) {
    std::array<char, 16384> buffer;
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0 && text.size() < output_max) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return count > 0 || (count < 0 && errno == EINTR);
}

// False when the time is over first.
bool read_all(Pipe& out, Pipe& err, ProgramRun& run, Clock::time_point deadline) {
    while (out.is_open() || err.is_open()) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) {
            return false;
        }
        // A negative descriptor is passed over.
        std::array<pollfd, 2> waiting{pollfd{out.ends[0], POLLIN, 0},
                                      pollfd{err.ends[0], POLLIN, 0}};
        if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
            return false;
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

} // namespace

ProgramRun run_external(const std::vector<std::string>& command,
                        std::chrono::milliseconds time_max) {
    ProgramRun run;
    const auto path = command.empty() ? std::string() : path_of_program(command.front());
    if (path.empty()) {
        run.end = ProgramRun::End::not_found;
        return run;
    }
    const auto deadline = Clock::now() + time_max;
    Pipe out;
    Pipe err;
    pid_t child = 0;
    if (!out.is_open() || !err.is_open() || start(path, command, out, err, child) != 0) {
        return run;
    }
    out.close(1);
    err.close(1);
    const bool in_time = read_all(out, err, run, deadline);
    if (!in_time) {
        ::kill(-child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) {
        run.end = ProgramRun::End::timed_out;
    } else if (WIFEXITED(status)) {
        run.end = ProgramRun::End::ended;
        run.code = WEXITSTATUS(status);
    }
    return run;
}

} // namespace stationsync::host::doctor
