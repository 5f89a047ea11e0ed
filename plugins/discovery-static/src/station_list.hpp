// The stations that are known now, and what becomes of them when the list is read again.
#pragma once

#include "address.hpp"
#include "station_source.hpp"

#include <stationsync/discovery.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>

namespace stationsync::discovery_static {

// Ourselves, as the service announced it.
struct Self {
    std::string name;
    std::vector<Address> addresses;
};

// Turns rows into stations. A row that cannot be used is told to `complain`, with its number and
// the remedy, and left out; so is the row of `self`, without a word.
std::map<std::string, sdk::Peer>
stations_of_rows(const std::vector<Row>& rows, const Self& self,
                 const std::function<void(const std::string&)>& complain);

// The stations of the configuration. Throws sdk::Error(INVALID_ARG).
std::vector<Address> parse_stations(const std::vector<std::string>& elements);
std::map<std::string, sdk::Peer> stations_of_addresses(const std::vector<Address>& addresses,
                                                       const Self& self);

// Tells the sink how `before` became `now`.
void tell_changes(const std::map<std::string, sdk::Peer>& before,
                  const std::map<std::string, sdk::Peer>& now, const sdk::DiscoverySink& sink);

// Rows as kept in the host's durable values: at most `bytes_max`, rows beyond are left out.
std::string encode_rows(const std::vector<Row>& rows, std::size_t bytes_max);
std::vector<Row> decode_rows(std::string_view bytes);

} // namespace stationsync::discovery_static
