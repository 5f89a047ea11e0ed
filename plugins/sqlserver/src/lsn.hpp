// Positions in the transaction log: views of the server write them in hexadecimal, headers of
// backups as one decimal number.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stationsync::sqlserver {

struct Lsn {
    std::uint32_t file = 0;  // sequence number of the virtual log file
    std::uint32_t block = 0; // offset of the log block
    std::uint16_t slot = 0;

    friend constexpr auto operator<=>(const Lsn&, const Lsn&) = default;
};

// "0000002d:000000a6:00be" or "45000000016600190" (file * 10^15 + block * 10^5 + slot). Nothing for
// anything else.
std::optional<Lsn> parse_lsn(std::string_view text);

// The decimal form, and the hexadecimal one.
std::string to_number(const Lsn& lsn);
std::string to_hex(const Lsn& lsn);

} // namespace stationsync::sqlserver
