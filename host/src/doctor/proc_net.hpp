// The tables /proc/net/tcp, tcp6, udp and udp6 of Linux.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::doctor {

struct ProcNetSocket {
    std::string address; // numeric
    std::uint16_t port = 0;
    bool listens = false;  // TCP
    bool has_peer = false; // connected
    std::uint64_t inode = 0;
};

// Lines that are none are passed over: kernels append columns.
[[nodiscard]] std::vector<ProcNetSocket> parse_proc_net(std::string_view table);

} // namespace stationsync::host::doctor
