// The two numbers of ours that must never go back, also not over a restart or a clock put back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stationsync::discovery_wsd {

// InstanceId of a start. stored: that of the start before, as text.
std::uint32_t next_instance_id(const std::optional<std::string>& stored, std::int64_t utc_seconds);

// MetadataVersion with what it stands for.
struct Metadata {
    std::uint32_t version = 0;
    std::string description;
};
// The same version for the same description, otherwise a greater one.
Metadata next_metadata(const std::optional<Metadata>& stored, std::string description,
                       std::int64_t utc_seconds);

std::string encode(const Metadata& metadata);
std::optional<Metadata> decode_metadata(std::string_view text);

} // namespace stationsync::discovery_wsd
