#pragma once

#include "config/root_paths.hpp"

#include <nlohmann/json_fwd.hpp>

namespace stationsync::host {

// All projects of a root from its files, as `GET /v1/projects` and `project list --json` show them.
// Blocking.
nlohmann::json project_listing(const RootPaths& paths);

} // namespace stationsync::host
