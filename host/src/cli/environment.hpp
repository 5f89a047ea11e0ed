#pragma once
// What a command sees of the world outside: streams, the program's own place, the service.

#include "service/run_service.hpp"

#include <filesystem>
#include <functional>
#include <istream>
#include <ostream>
#include <stdexcept>
#include <string>

namespace stationsync::host::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

struct Environment {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    std::filesystem::path program; // the executable, absolute
    std::function<int(const RunOptions&)> run;
    // The answer of `plugin test` as JSON text (service/plugin_test.hpp).
    std::function<std::string(const RootPaths&, const std::filesystem::path& plugins)>
        test_plugins = {};
};

// Ends a command with exit code 1 and this sentence on standard error.
class CommandFailure : public std::runtime_error {
public:
    explicit CommandFailure(const std::string& text, std::string remedy = {})
        : std::runtime_error(text), remedy_(std::move(remedy)) {}
    const std::string& remedy() const { return remedy_; }

private:
    std::string remedy_;
};

// Ends a command with exit code 2: the command line is wrong.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace stationsync::host::cli
