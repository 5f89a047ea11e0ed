#pragma once

#include "config/value.hpp"

#include <nlohmann/json_fwd.hpp>

namespace stationsync::host {

nlohmann::json to_json(const ConfigValue& value);

} // namespace stationsync::host
