// Names that differ only in case, which systems like Windows cannot hold beside each other.
#pragma once

#include <cstdint>
#include <string_view>

namespace filesync {

// Equal for names that differ only in the case of Latin, Greek or Cyrillic letters. The host folds
// keys with the complete Unicode tables; this finds the usual twins before anything is announced.
std::uint64_t folded_hash(std::string_view name) noexcept;

} // namespace filesync
