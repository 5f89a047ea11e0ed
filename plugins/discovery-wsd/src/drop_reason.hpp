// Why a datagram was not acted upon; counted, and told in the log once a minute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stationsync::discovery_wsd {

enum class DropReason : std::uint8_t {
    oversize,
    not_to_group,
    bad_source,
    bad_source_port,
    off_link,
    source_rate,
    total_rate,
    not_utf8,
    not_well_formed,
    forbidden_xml,
    xml_limit,
    not_discovery,
    incomplete,
    not_understood,
    repeated,
    own,
    no_match,
    not_asked,
    foreign_device,
    bad_record,
    other_project,
    unusable_address,
    low_link_port,
    stale,
    unknown_bye,
    answer_rate,
    answer_size,
    resolve_rate,
    find_rate,
    finds_of_source,
    table_full,
    count_,
};
inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(DropReason::count_);

// A phrase, "larger than allowed".
std::string_view to_text(DropReason reason) noexcept;
// Belongs to the ordinary traffic of a network, so that it is not worth a warning.
bool is_ordinary(DropReason reason) noexcept;

} // namespace stationsync::discovery_wsd
