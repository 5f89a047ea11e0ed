// Runs another program for what it prints. Blocking.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace stationsync::host::doctor {

struct ProgramRun {
    enum class End { ended, not_found, timed_out, failed };
    End end = End::failed;
    int code = -1; // exit code when it ended by itself
    std::string out;
    std::string err;

    [[nodiscard]] bool succeeded() const { return end == End::ended && code == 0; }
};

// `command`: the program (a name is looked for in PATH and where the system keeps programs of
// administrators) and its arguments. It reads nothing, speaks English, and is ended with all that
// it started when `time_max` is over. Of its output at most 4 MiB are kept.
[[nodiscard]] ProgramRun run_external(const std::vector<std::string>& command,
                                      std::chrono::milliseconds time_max);

} // namespace stationsync::host::doctor
