#pragma once
// The service of one root, until it is told to end.

#include "config/root_paths.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host {

struct RunOptions {
    RootPaths paths;
    // ADDR[:PORT] each, checked already; they win over station.toml for this run.
    std::vector<std::string> listen;
    std::optional<std::string> api;
    std::filesystem::path plugins; // folder of plugin libraries, absolute
    bool foreground = true;        // also write the log to standard error
};

// Returns the exit code of the program: 0 after SIGTERM, SIGINT or a service stop, 1 when the
// service could not run (second instance on the root, configuration, API address in use …) after
// saying why on standard error.
int run_service(const RunOptions& options);

} // namespace stationsync::host
