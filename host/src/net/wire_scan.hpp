// Looks through a message before protobuf builds it: many tiny elements would make it allocate a
// multiple of the message's size.
#pragma once

#include <cstddef>
#include <span>

namespace stationsync::host {

enum class WireKind { engine_message, revision };

// False when the bytes are no protobuf message, or have more elements than any honest message of
// that size (one for each 12 bytes, and 4096). Unknown fields are stepped over.
[[nodiscard]] bool may_be_parsed(std::span<const std::byte> bytes, WireKind kind);

} // namespace stationsync::host
