// Runs another program for what it prints and how it ends. Blocks: on a worker thread, or in a
// command of a person.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace stationsync::host {

inline constexpr std::size_t program_output_bytes_max = std::size_t{4} << 20;

struct ProgramRun {
    enum class End { ended, not_found, timed_out, failed };
    End end = End::failed;
    int code = -1;       // exit code, when it ended by itself
    std::string out;     // standard output and error output, each up to the limit above
    std::string err;     //
    std::string trouble; // why it did not end by itself, e.g. "takes longer than 10 s"; else empty

    [[nodiscard]] bool succeeded() const { return end == End::ended && code == 0; }
};

// `command`: the program (a name is looked for in PATH and where the system keeps programs of
// administrators) and its arguments. It reads nothing, speaks English, and is ended with all that
// it started when `time_max` is over.
[[nodiscard]] ProgramRun run_external(const std::vector<std::string>& command,
                                      std::chrono::milliseconds time_max);

// A command line of the configuration, through the system's shell: what an engineer would type into
// a terminal, in the language that is set there. Its error output is dropped. Once `given_up` is
// true, any thread having set it, the command is ended as if its time were over.
[[nodiscard]] ProgramRun run_command_line(const std::string& line,
                                          std::chrono::milliseconds time_max,
                                          const std::atomic<bool>* given_up = nullptr);

} // namespace stationsync::host
