// Tries ports of this computer. Blocking, at most a second each.
#pragma once

#include "config/endpoint.hpp"

namespace stationsync::host::doctor {

enum class PortState {
    free,
    in_use,
    no_address, // this computer has no such address, or not this family
    denied,     // the system does not allow it to this account
};

// Whether the service could listen there now.
[[nodiscard]] PortState probe_listen(const Endpoint& endpoint);

// Whether a second program could share the UDP port, as listeners of multicast do.
[[nodiscard]] PortState probe_shared_udp(std::uint16_t port);

// Whether something accepts connections there.
[[nodiscard]] bool answers(const Endpoint& endpoint);

} // namespace stationsync::host::doctor
