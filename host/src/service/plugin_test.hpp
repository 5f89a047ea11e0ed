// Plugins and providers looked at by a process that runs no service.
#pragma once

#include "config/root_paths.hpp"

#include <filesystem>
#include <string>

namespace stationsync::host {

// Loads the plugins of the folder into this process, makes an instance of each enabled provider of
// the selected project and runs its self-test. Returns JSON text as GET /v1/selftest does. Blocking
// for as long as the plugins take; a damaged plugin may end the process. Changes nothing of the
// station: the instances get empty folders and values of their own.
[[nodiscard]] std::string test_plugins(const RootPaths& paths,
                                       const std::filesystem::path& plugins);

} // namespace stationsync::host
