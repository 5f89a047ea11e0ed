// The command line of the simulation programs.
#pragma once

#include <cstdint>
#include <string>

namespace stationsync::simulation {

struct ProgramOptions {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;
    std::string profile; // empty: chosen by each seed
    std::string mutant;  // empty: the right engine; "all": each of them in turn
    unsigned jobs = 2;
    bool trace = false; // print all that happens; for one seed
    bool list = false;
    bool quiet = false;         // no table of what occurred
    bool zeros_allowed = false; // few seeds cannot see everything
    bool check_repeat = false;  // run each seed twice and compare the traces
};

// Exits with 2 and a sentence when the arguments do not fit.
ProgramOptions read_options(int argc, char** argv);

} // namespace stationsync::simulation
