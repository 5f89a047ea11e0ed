#pragma once
// Whole command lines run inside the test, on roots of their own.

#include "cli/commands.hpp"

#include <sstream>
#include <string>
#include <vector>

namespace stationsync::test {

struct Outcome {
    int code = 0;
    std::string out, err;
};

// Runs `stationsync --root ROOT ARGUMENTS…` with `given` as standard input.
inline Outcome run_command(const std::filesystem::path& root, std::vector<std::string> arguments,
                           const std::string& given = {}) {
    arguments.insert(arguments.begin(), {"--root", root.string()});
    std::istringstream in(given);
    std::ostringstream out;
    std::ostringstream err;
    host::cli::Environment environment{in, out, err, "/opt/stationsync/stationsync",
                                       [](const host::RunOptions&) { return 42; }};
    Outcome outcome;
    outcome.code = host::cli::run_program(arguments, environment);
    outcome.out = out.str();
    outcome.err = err.str();
    return outcome;
}

} // namespace stationsync::test
