// The sentences that a person reads when a connection does not come about or ends.
#pragma once

#include "net/links.hpp"

#include <string>
#include <string_view>

namespace stationsync::host {

// Before the connection stood. `address` is "host:port", `reason` the system's words.
[[nodiscard]] std::string dial_text(LinkFailure failure, std::string_view address,
                                    std::string_view reason);
// The handshake failed. `address` belongs to the other side.
[[nodiscard]] std::string handshake_text(LinkFailure failure, bool dialled,
                                         std::string_view address, std::string_view project,
                                         std::string_view reason);
// What a peer says about itself, fit for a log and a screen: valid UTF-8, one line.
[[nodiscard]] std::string clean_peer_text(std::string_view text);

} // namespace stationsync::host
