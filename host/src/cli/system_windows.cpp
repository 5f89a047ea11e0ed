#include "cli/system.hpp"

#include "base/path_text.hpp"

#include <winsock2.h>

#include <iphlpapi.h>
#include <windows.h>
#include <ws2tcpip.h>

#include <shellapi.h>

namespace stationsync::host::cli {

std::vector<std::string> program_arguments(int, char**) {
    SetConsoleOutputCP(CP_UTF8);
    int count = 0;
    auto* const wide = CommandLineToArgvW(GetCommandLineW(), &count);
    std::vector<std::string> arguments;
    for (int i = 1; wide != nullptr && i < count; ++i) {
        arguments.push_back(path_text(std::filesystem::path(wide[i])));
    }
    LocalFree(wide);
    return arguments;
}

std::filesystem::path program_path() {
    std::vector<wchar_t> path(32768);
    const auto size = GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
    return std::filesystem::path(std::wstring(path.data(), size));
}

std::vector<std::string> local_addresses() {
    std::vector<std::string> v4;
    std::vector<std::string> v6;
    ULONG size = 64 * 1024;
    std::vector<unsigned char> buffer(size);
    auto* const first = reinterpret_cast<IP_ADAPTER_ADDRESSES*>(buffer.data());
    constexpr ULONG flags =
        GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    if (GetAdaptersAddresses(AF_UNSPEC, flags, nullptr, first, &size) != NO_ERROR) {
        return {};
    }
    for (const auto* adapter = first; adapter != nullptr; adapter = adapter->Next) {
        if (adapter->IfType == IF_TYPE_SOFTWARE_LOOPBACK || adapter->OperStatus != IfOperStatusUp) {
            continue;
        }
        for (const auto* at = adapter->FirstUnicastAddress; at != nullptr; at = at->Next) {
            char text[INET6_ADDRSTRLEN]{};
            const auto* const address = at->Address.lpSockaddr;
            if (address->sa_family == AF_INET) {
                const auto* const ip = reinterpret_cast<const sockaddr_in*>(address);
                if (inet_ntop(AF_INET, &ip->sin_addr, text, sizeof text) != nullptr) {
                    v4.emplace_back(text);
                }
            } else if (address->sa_family == AF_INET6) {
                const auto* const ip = reinterpret_cast<const sockaddr_in6*>(address);
                if (!IN6_IS_ADDR_LINKLOCAL(&ip->sin6_addr) &&
                    inet_ntop(AF_INET6, &ip->sin6_addr, text, sizeof text) != nullptr) {
                    v6.emplace_back(text);
                }
            }
        }
    }
    v4.insert(v4.end(), v6.begin(), v6.end());
    return v4;
}

} // namespace stationsync::host::cli
