#include "own_account.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace stationsync::sqlserver {

std::string own_account() {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr)
        return {};
    return found->pw_name;
}

} // namespace stationsync::sqlserver
