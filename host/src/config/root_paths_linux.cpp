#include "config/root_paths.hpp"

namespace stationsync::host {

RootPaths system_paths() {
    RootPaths paths;
    paths.configuration = "/etc/stationsync";
    paths.state = "/var/lib/stationsync/state";
    paths.sync = "/var/lib/stationsync/sync";
    paths.history = "/var/lib/stationsync/history";
    paths.log = "/var/log/stationsync";
    return paths;
}

ExamplePaths example_paths() {
    return {"/srv/plant/recipes", "/srv/plant/batch.db"};
}

} // namespace stationsync::host
