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

// Reads a table of a size that is known only afterwards; empty when it cannot be read.
template <class Read>
std::vector<unsigned char> table_of(const Read& read, ULONG family) {
    DWORD size = 64 * 1024;
    std::vector<unsigned char> table;
    DWORD result = ERROR_INSUFFICIENT_BUFFER;
    for (int attempt = 0; attempt < 4 && result == ERROR_INSUFFICIENT_BUFFER; ++attempt) {
        table.resize(size);
        result = read(table.data(), &size, family);
    }
    if (result != NO_ERROR) {
        table.clear();
    }
    return table;
}

template <class Row>
const void* local_address_in(const Row& row) {
    if constexpr (requires { row.ucLocalAddr; }) {
        return row.ucLocalAddr;
    } else {
        return &row.dwLocalAddr;
    }
}

template <class Table, class Read>
void add(std::vector<BoundSocket>& found, std::uint16_t port, ULONG family, const Read& read) {
    const auto bytes = table_of(read, family);
    if (bytes.empty()) {
        return;
    }
    const auto* const table = reinterpret_cast<const Table*>(bytes.data());
    for (DWORD i = 0; i < table->dwNumEntries; ++i) {
        const auto& row = table->table[i];
        if (port_of(row.dwLocalPort) == port) {
            found.push_back({address_text(static_cast<int>(family), local_address_in(row)),
                             port,
                             {holder_of(row.dwOwningPid)}});
        }
    }
}

DWORD read_tcp(void* table, DWORD* size, ULONG family) {
    return GetExtendedTcpTable(table, size, FALSE, family, TCP_TABLE_OWNER_PID_LISTENER, 0);
}

DWORD read_udp(void* table, DWORD* size, ULONG family) {
    return GetExtendedUdpTable(table, size, FALSE, family, UDP_TABLE_OWNER_PID, 0);
}

} // namespace

std::vector<BoundSocket> sockets_on(Transport transport, std::uint16_t port) {
    std::vector<BoundSocket> found;
    if (transport == Transport::tcp) {
        add<MIB_TCPTABLE_OWNER_PID>(found, port, AF_INET, read_tcp);
        add<MIB_TCP6TABLE_OWNER_PID>(found, port, AF_INET6, read_tcp);
    } else {
        add<MIB_UDPTABLE_OWNER_PID>(found, port, AF_INET, read_udp);
        add<MIB_UDP6TABLE_OWNER_PID>(found, port, AF_INET6, read_udp);
    }
    return found;
}

} // namespace stationsync::host::doctor
