#pragma once
// What the command line needs from the system.

#include <filesystem>
#include <string>
#include <vector>

namespace stationsync::host::cli {

// The arguments without the program's name, as UTF-8; sets up the terminal for UTF-8 output.
std::vector<std::string> program_arguments(int count, char** arguments);

// The running executable, absolute; empty when the system does not tell.
std::filesystem::path program_path();

// Numeric addresses of this computer's interfaces that others can use: no loopback, no link-local
// ones. IPv4 first.
std::vector<std::string> local_addresses();

} // namespace stationsync::host::cli
