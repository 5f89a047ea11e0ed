// Text form of one change of the durable state.
#pragma once

#include "stationsync/core/records.hpp"

#include <string>

namespace stationsync::core {

std::string to_text(const Mutation& mutation); // one line

} // namespace stationsync::core
