// Tells of a full disk once for each place, from what jobs report, and takes it back once there is
// room.
#pragma once

#include "service/operator_messages.hpp"
#include "stationsync/core/event.hpp"

namespace stationsync::host {

// Looks at the end of a job. Engine thread.
void watch_space(const core::Event& event, OperatorMessages& messages, core::WallTime now);

} // namespace stationsync::host
