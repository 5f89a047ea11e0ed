#include "plugins/load_mode.hpp"

namespace stationsync::host {

boost::dll::load_mode::type plugin_load_mode() {
    // LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS: Boost.DLL passes the
    // value on.
    return static_cast<boost::dll::load_mode::type>(0x1100);
}

} // namespace stationsync::host
