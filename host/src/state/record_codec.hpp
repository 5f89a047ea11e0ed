// Encodes the engine's records for the state database, and back. Pure functions, any thread.
#pragma once

#include "stationsync/core/records.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace stationsync::host {

[[nodiscard]] std::string encode_record(const core::MetaRecord& record);
[[nodiscard]] std::string encode_record(const core::ProviderRecord& record);
[[nodiscard]] std::string encode_record(const core::StationRecord& record);
[[nodiscard]] std::string encode_record(const core::ObjectRecord& record);

// Nothing when the bytes are damaged. The key fields come from the row, not from the bytes.
[[nodiscard]] std::optional<core::MetaRecord> decode_meta(std::string_view bytes);
[[nodiscard]] std::optional<core::ProviderRecord> decode_provider(std::string provider,
                                                                  std::string_view bytes);
[[nodiscard]] std::optional<core::StationRecord> decode_station(const core::StationId& id,
                                                                std::string_view bytes);
[[nodiscard]] std::optional<core::ObjectRecord> decode_object(core::ObjectId id,
                                                              std::string_view bytes);

} // namespace stationsync::host
