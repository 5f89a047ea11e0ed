// A service that ends because the computer does was not stopped by a person.
#pragma once

namespace stationsync::host {

// Whether the computer is shutting down or starting anew, as far as the system tells; false where
// it does not. Blocks for a second at most.
[[nodiscard]] bool computer_is_ending();

} // namespace stationsync::host
