// Interfaces and their changes, from the kernel over netlink.
#pragma once

#include "channel.hpp"

#include <set>
#include <vector>

namespace stationsync::discovery_wsd {

// A socket that becomes readable when interfaces or addresses change; -1 with errno when there is
// none to be had.
int open_interface_watch() noexcept;
// Empties it. True when something changed; `deleted` gets the numbers of interfaces that went away,
// which may be in use again already.
bool read_interface_changes(int watch, std::set<std::uint32_t>& deleted);
// Throws NetworkError.
std::vector<Interface> list_interfaces();

} // namespace stationsync::discovery_wsd
