#include "cli/system.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace stationsync::host::cli {

std::vector<std::string> program_arguments(int count, char** arguments) {
    return {arguments + (count > 0 ? 1 : 0), arguments + count};
}

std::filesystem::path program_path() {
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

std::vector<std::string> local_addresses() {
    std::vector<std::string> v4;
    std::vector<std::string> v6;
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) {
        return {};
    }
    for (const auto* at = all; at != nullptr; at = at->ifa_next) {
        if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_LOOPBACK) != 0 ||
            (at->ifa_flags & IFF_UP) == 0) {
            continue;
        }
        char text[INET6_ADDRSTRLEN]{};
        if (at->ifa_addr->sa_family == AF_INET) {
            const auto* const address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
            if (::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text) != nullptr) {
                v4.emplace_back(text);
            }
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            const auto* const address = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
            if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr) == 0 &&
                ::inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text) != nullptr) {
                v6.emplace_back(text);
            }
        }
    }
    ::freeifaddrs(all);
    v4.insert(v4.end(), v6.begin(), v6.end());
    return v4;
}

} // namespace stationsync::host::cli
