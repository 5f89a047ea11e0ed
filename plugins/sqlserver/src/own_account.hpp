// The account that this process runs as.
#pragma once

#include <string>

namespace stationsync::sqlserver {

// For setfacl; empty where it is not needed or not known.
std::string own_account();

} // namespace stationsync::sqlserver
