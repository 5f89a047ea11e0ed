#pragma once
// Where the libraries of the plugins lie.

#include "cli/command_line.hpp"
#include "cli/environment.hpp"

#include <filesystem>

namespace stationsync::host::cli {

// --plugins, else the folder in STATIONSYNC_PLUGINS, else `plugins` beside the program.
std::filesystem::path plugin_folder(const Invocation& call, const Environment& environment);

} // namespace stationsync::host::cli
