#include "doctor/bound_sockets.hpp"

#include "base/path_text.hpp"

#include <winsock2.h>

#include <iphlpapi.h>
#include <windows.h>
#include <ws2tcpip.h>

namespace stationsync::host::doctor {
namespace {

SocketHolder holder_of(DWORD process) {
    SocketHolder holder{static_cast<std::int64_t>(process), "a program of the system"};
    const HANDLE handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process);
    if (handle == nullptr) {
        return holder;
    }
    wchar_t path[32768];
    DWORD size = 32768;
    if (QueryFullProcessImageNameW(handle, 0, path, &size)) {
        holder.program = path_text(std::filesystem::path(std::wstring(path, size)).filename());
    }
    CloseHandle(handle);
    return holder;
}

std::string address_text(int family, const void* address) {
    char text[INET6_ADDRSTRLEN]{};
    return inet_ntop(family, address, text, sizeof text) == nullptr ? std::string() : text;
}

// The port of a table row stands in network order in the lower half.
std::uint16_t port_of(DWORD raw) {
    return ntohs(static_cast<std::uint16_t>(raw));
}

template <class Read>
std::vector<unsigned char> table_of(const Read& read) {
    DWORD size = 64 * 1024;
    std::vector<unsigned char> table;
    DWORD result = ERROR_INSUFFICIENT_BUFFER;
    for (int attempt = 0; attempt < 4 && result == ERROR_INSUFFICIENT_BUFFER; ++attempt) {
        table.resize(size);
        result = read(table.data(), &size);
    }
    if (result != NO_ERROR) {
        table.clear();
    }
    return table;
}

void add_tcp(std::vector<BoundSocket>& found, std::uint16_t port) {
    const auto v4 = table_of([](void* table, DWORD* size) {
        return GetExtendedTcpTable(table, size, FALSE, AF_INET, TCP_TABLE_OWNER_PID_LISTENER, 0);
    });
    if (!v4.empty()) {
        const auto* const table = reinterpret_cast<const MIB_TCPTABLE_OWNER_PID*>(v4.data());
        for (DWORD i = 0; i < table->dwNumEntries; ++i) {
            const auto& row = table->table[i];
            if (port_of(row.dwLocalPort) == port) {
                found.push_back(
                    {address_text(AF_INET, &row.dwLocalAddr), port, {holder_of(row.dwOwningPid)}});
            }
        }
    }
    const auto v6 = table_of([](void* table, DWORD* size) {
        return GetExtendedTcpTable(table, size, FALSE, AF_INET6, TCP_TABLE_OWNER_PID_LISTENER, 0);
    });
    if (!v6.empty()) {
        const auto* const table = reinterpret_cast<const MIB_TCP6TABLE_OWNER_PID*>(v6.data());
        for (DWORD i = 0; i < table->dwNumEntries; ++i) {
            const auto& row = table->table[i];
            if (port_of(row.dwLocalPort) == port) {
                found.push_back(
                    {address_text(AF_INET6, row.ucLocalAddr), port, {holder_of(row.dwOwningPid)}});
            }
        }
    }
}

void add_udp(std::vector<BoundSocket>& found, std::uint16_t port) {
    const auto v4 = table_of([](void* table, DWORD* size) {
        return GetExtendedUdpTable(table, size, FALSE, AF_INET, UDP_TABLE_OWNER_PID, 0);
    });
    if (!v4.empty()) {
        const auto* const table = reinterpret_cast<const MIB_UDPTABLE_OWNER_PID*>(v4.data());
        for (DWORD i = 0; i < table->dwNumEntries; ++i) {
            const auto& row = table->table[i];
            if (port_of(row.dwLocalPort) == port) {
                found.push_back(
                    {address_text(AF_INET, &row.dwLocalAddr), port, {holder_of(row.dwOwningPid)}});
            }
        }
    }
    const auto v6 = table_of([](void* table, DWORD* size) {
        return GetExtendedUdpTable(table, size, FALSE, AF_INET6, UDP_TABLE_OWNER_PID, 0);
    });
    if (!v6.empty()) {
        const auto* const table = reinterpret_cast<const MIB_UDP6TABLE_OWNER_PID*>(v6.data());
        for (DWORD i = 0; i < table->dwNumEntries; ++i) {
            const auto& row = table->table[i];
            if (port_of(row.dwLocalPort) == port) {
                found.push_back(
                    {address_text(AF_INET6, row.ucLocalAddr), port, {holder_of(row.dwOwningPid)}});
            }
        }
    }
}

} // namespace

std::vector<BoundSocket> sockets_on(Transport transport, std::uint16_t port) {
    std::vector<BoundSocket> found;
    if (transport == Transport::tcp) {
        add_tcp(found, port);
    } else {
        add_udp(found, port);
    }
    return found;
}

} // namespace stationsync::host::doctor
