#include "options.hpp"

#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace stationsync::simulation {

namespace {

constexpr const char* usage_text =
    "stationsync-sim [--seeds A..B | --seed A | --count N] [--profile NAME] [--jobs N]\n"
    "                [--trace] [--repeat] [--mutant NAME|all] [--list] [--quiet] [--allow-zero]\n";

[[noreturn]] void refuse(const std::string& why) {
    std::cerr << why << '\n' << usage_text;
    std::exit(2);
}

std::uint64_t number(const std::string& text) {
    try {
        std::size_t used = 0;
        std::uint64_t const value = std::stoull(text, &used);
        if (used == text.size()) {
            return value;
        }
    } catch (const std::logic_error&) {
        // told below
    }
    refuse("'" + text + "' is not a number");
}

void read_range(ProgramOptions& options, const std::string& text) {
    const auto dots = text.find("..");
    if (dots == std::string::npos) {
        refuse("--seeds needs a range such as 1..2000");
    }
    options.first = number(text.substr(0, dots));
    std::uint64_t const last = number(text.substr(dots + 2));
    if (last < options.first) {
        refuse("the range '" + text + "' is empty");
    }
    options.count = last - options.first + 1;
}

} // namespace

ProgramOptions read_options(int argc, char** argv) {
    ProgramOptions options;
    for (int i = 1; i < argc; ++i) {
        std::string const argument = argv[i];
        auto value = [&]() -> std::string {
            if (i + 1 >= argc) {
                refuse(argument + " needs a value");
            }
            return argv[++i];
        };
        if (argument == "--seeds") {
            read_range(options, value());
        } else if (argument == "--seed") {
            options.first = number(value());
            options.count = 1;
        } else if (argument == "--count") {
            options.count = number(value());
        } else if (argument == "--profile") {
            options.profile = value();
        } else if (argument == "--mutant") {
            options.mutant = value();
        } else if (argument == "--jobs") {
            options.jobs = static_cast<unsigned>(number(value()));
        } else if (argument == "--trace") {
            options.trace = true;
        } else if (argument == "--repeat") {
            options.check_repeat = true;
        } else if (argument == "--list") {
            options.list = true;
        } else if (argument == "--quiet") {
            options.quiet = true;
        } else if (argument == "--allow-zero") {
            options.zeros_allowed = true;
        } else {
            refuse("unknown option " + argument);
        }
    }
    return options;
}

} // namespace stationsync::simulation
