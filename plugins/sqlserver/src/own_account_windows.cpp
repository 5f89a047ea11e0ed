#include "own_account.hpp"

namespace stationsync::sqlserver {

// icacls grants to SQL Server only: what it creates inherits the rights of the folder.
std::string own_account() {
    return {};
}

} // namespace stationsync::sqlserver
