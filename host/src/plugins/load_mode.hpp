// How libraries are loaded on this system.
#pragma once

#include <boost/dll/shared_library_load_mode.hpp>

namespace stationsync::host {

// Linux: everything resolved at once, nothing visible to other libraries. Windows: dependencies
// come from the library's own folder and the system's, never from the search path.
boost::dll::load_mode::type plugin_load_mode();

} // namespace stationsync::host
