#pragma once

#include "net/project_key.hpp"

#include <nlohmann/json_fwd.hpp>

namespace stationsync::host {

// The accepted keys of a project, as `GET /v1/keys` and `key list --json` show them: fingerprints
// only.
nlohmann::json key_listing(const KeyRing& keys, core::WallTime now);

} // namespace stationsync::host
