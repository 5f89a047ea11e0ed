// Which version of the protocol this program speaks.
#pragma once

#include "stationsync/core/message.hpp"

namespace stationsync::host {

// That of core. A test build takes another one, "2.0", from the environment variable
// STATIONSYNC_TEST_PROTOCOL, to stand for a later program.
[[nodiscard]] core::ProtocolVersion own_protocol();

} // namespace stationsync::host
