#include "plugins/load_mode.hpp"

namespace stationsync::host {

boost::dll::load_mode::type plugin_load_mode() {
    return boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local;
}

} // namespace stationsync::host
