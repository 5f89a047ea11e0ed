#include "station_list.hpp"

#include <algorithm>

namespace stationsync::discovery_static {

namespace {

constexpr std::size_t name_bytes_max = 48;

bool is_same_place(const Address& listed, const Address& own) noexcept {
    return listed.host == own.host &&
           (listed.port == own.port || listed.port == 0 || own.port == 0);
}

bool is_self(const Self& self, const std::string& name, const Address& address) {
    if (!self.name.empty() && name == self.name)
        return true;
    return std::any_of(self.addresses.begin(), self.addresses.end(),
                       [&](const Address& own) { return is_same_place(address, own); });
}

bool is_printable_name(std::string_view name) {
    return name.size() <= name_bytes_max && sdk::is_valid_utf8(name) &&
           std::none_of(name.begin(), name.end(), [](char byte) {
               return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
           });
}

bool is_equal(const sdk::Peer& a, const sdk::Peer& b) {
    return a.name == b.name && a.project == b.project && a.endpoints == b.endpoints;
}

// Several rows of one name are several addresses of one station.
void add_station(std::map<std::string, sdk::Peer>& stations, const std::string& id,
                 const std::string& name, const Address& address) {
    sdk::Peer& peer = stations[id];
    peer.id = id;
    peer.name = name;
    const std::string endpoint = to_text(address);
    if (std::find(peer.endpoints.begin(), peer.endpoints.end(), endpoint) == peer.endpoints.end())
        peer.endpoints.push_back(endpoint);
}

} // namespace

std::map<std::string, sdk::Peer>
stations_of_rows(const std::vector<Row>& rows, const Self& self,
                 const std::function<void(const std::string&)>& complain) {
    std::map<std::string, sdk::Peer> stations;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        const bool has_name = is_printable_name(row.name);
        const std::string where = "Row " + std::to_string(i + 1) + " of the station list (" +
                                  (has_name && !row.name.empty() ? row.name : "no name") +
                                  ") is left out: ";
        if (!has_name) {
            complain(where + "the name has more than 48 bytes, control characters or invalid "
                             "UTF-8: correct it.");
            continue;
        }
        const auto parsed = parse_address(row.address);
        if (const auto* problem = std::get_if<std::string>(&parsed)) {
            const bool can_show = sdk::is_valid_utf8(row.address) && row.address.size() <= 256;
            complain(where + *problem + " (\"" + (can_show ? row.address : "…") + "\").");
            continue;
        }
        const Address& address = std::get<Address>(parsed);
        if (is_self(self, row.name, address))
            continue;
        add_station(stations, "row:" + (row.name.empty() ? to_text(address) : row.name), row.name,
                    address);
    }
    return stations;
}

std::vector<Address> parse_stations(const std::vector<std::string>& elements) {
    std::vector<Address> addresses;
    for (const std::string& element : elements) {
        const auto parsed = parse_address(element);
        if (const auto* problem = std::get_if<std::string>(&parsed))
            throw sdk::Error(STSYNC_INVALID_ARG,
                             "The element \"" + element + "\" of `stations` cannot be used: " +
                                 *problem + "; right would be \"station-b:8883\".");
        addresses.push_back(std::get<Address>(parsed));
    }
    return addresses;
}

std::map<std::string, sdk::Peer> stations_of_addresses(const std::vector<Address>& addresses,
                                                       const Self& self) {
    std::map<std::string, sdk::Peer> stations;
    for (const Address& address : addresses)
        if (!is_self(self, "", address))
            add_station(stations, "configured:" + to_text(address), "", address);
    return stations;
}

void tell_changes(const std::map<std::string, sdk::Peer>& before,
                  const std::map<std::string, sdk::Peer>& now, const sdk::DiscoverySink& sink) {
    for (const auto& [id, peer] : before)
        if (!now.contains(id))
            sink.lost(id);
    for (const auto& [id, peer] : now) {
        const auto known = before.find(id);
        if (known == before.end())
            sink.found(peer);
        else if (!is_equal(known->second, peer))
            sink.updated(peer);
    }
}

std::string encode_rows(const std::vector<Row>& rows, std::size_t bytes_max) {
    std::string bytes;
    for (const Row& row : rows) {
        // A zero byte cannot stand in a usable name or address: such a row would be left out.
        if ((row.name + row.address).find('\0') != std::string::npos)
            continue;
        if (bytes.size() + row.name.size() + row.address.size() + 2 > bytes_max)
            break;
        bytes += row.name;
        bytes += '\0';
        bytes += row.address;
        bytes += '\0';
    }
    return bytes;
}

std::vector<Row> decode_rows(std::string_view bytes) {
    std::vector<Row> rows;
    while (true) {
        const std::size_t name_end = bytes.find('\0');
        if (name_end == std::string_view::npos)
            return rows;
        const std::size_t address_end = bytes.find('\0', name_end + 1);
        if (address_end == std::string_view::npos)
            return rows;
        rows.push_back({std::string(bytes.substr(0, name_end)),
                        std::string(bytes.substr(name_end + 1, address_end - name_end - 1))});
        bytes.remove_prefix(address_end + 1);
    }
}

} // namespace stationsync::discovery_static
