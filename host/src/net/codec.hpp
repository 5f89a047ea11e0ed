// Messages between stations to bytes and back, and the durable form of a revision. Everything that
// is decoded is foreign: sizes, counts, ranges and UTF-8 are checked, the error is one sentence.
// Pure functions, any thread. Schema: messages.proto.
#pragma once

#include "net/checked.hpp"
#include "net/frames.hpp"
#include "net/project_key.hpp"
#include "stationsync/core/message.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stationsync::host {

namespace wire_limits {
inline constexpr std::size_t key_bytes = 4096;
inline constexpr std::size_t text_bytes = 2048; // sentences, versions
inline constexpr std::size_t token_name_bytes = 128;
inline constexpr std::size_t token_value_bytes = 1024;
inline constexpr int tokens = 64;
inline constexpr int providers = 256;
inline constexpr int addresses = 16;
inline constexpr int authors = 4096;  // in a version vector
inline constexpr int known = 1024;    // incarnations in a greeting
inline constexpr int entries = 4096;  // in an index batch
inline constexpr int set = 256;       // maximal revisions of an object
inline constexpr int packages = 256;  // of an object
inline constexpr int stations = 1024; // in introductions
inline constexpr int blocked = 4096;
inline constexpr int different = 100; // keys in a verify report
} // namespace wire_limits

// Payloads of frames of type `engine`, to be sent in this order: one, or several for an index batch
// that would not fit into a frame. An error means that even a part does not fit.
[[nodiscard]] Checked<std::vector<Bytes>> encode_message(const core::Message& message);
// Nothing for a message of a later minor version that this one does not know: ignore it.
[[nodiscard]] Checked<std::optional<core::Message>>
decode_message(std::span<const std::byte> payload);

// Between hosts, beside the engines. A secret inside: never log it.
using HostMessage = std::variant<KeyUpdate>;
[[nodiscard]] Bytes encode_host_message(const HostMessage& message);
[[nodiscard]] Checked<std::optional<HostMessage>>
decode_host_message(std::span<const std::byte> payload);

// The same bytes on every station and for ever.
[[nodiscard]] std::string encode_revision(const core::Revision& revision);
[[nodiscard]] Checked<core::Revision> decode_revision(std::string_view bytes);

} // namespace stationsync::host
