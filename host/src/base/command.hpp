// Runs a command line of the configuration: what an engineer would type into a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace stationsync::host {

inline constexpr std::size_t command_output_bytes_max = 65536;

struct CommandResult {
    std::optional<int> exit_status; // nothing: it did not end by itself, `trouble` says why
    std::string output;             // standard output, at most command_output_bytes_max of it
    std::string trouble;            // e.g. "takes longer than 10 s"; empty when it ended
};

// Through the system's shell, without input, its error output dropped. With `time_max` over, it is
// ended with everything that it has started. Blocks: on a worker thread only.
[[nodiscard]] CommandResult run_command_line(const std::string& line,
                                             std::chrono::milliseconds time_max);

} // namespace stationsync::host
