// Bytes of a datagram to a Message, by expat under hard limits: no document, no entities, no
// faults.
#pragma once

#include "drop_reason.hpp"
#include "message.hpp"

#include <string_view>
#include <variant>

namespace stationsync::discovery_wsd {

// Limits of what is looked at; the bytes of a datagram are limited before.
inline constexpr std::size_t depth_max = 16;
inline constexpr std::size_t elements_max = 256;
inline constexpr std::size_t attributes_max = 32; // of one element, beside as many declarations
inline constexpr std::size_t item_bytes_max = 512;
inline constexpr std::size_t message_id_bytes_max = 256;
inline constexpr std::size_t list_items_max = 32; // types and scopes
inline constexpr std::size_t addresses_max = 8;
inline constexpr std::size_t matches_max = 16;

// Accepts both versions with either addressing namespace and any prefixes. Never throws but for
// lack of memory.
std::variant<Message, DropReason> parse_message(std::string_view bytes);

} // namespace stationsync::discovery_wsd
