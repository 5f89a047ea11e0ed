// Which program holds a port of this computer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stationsync::host::doctor {

enum class Transport { tcp, udp };

struct SocketHolder {
    std::int64_t process = 0;
    std::string program; // its short name
    bool operator==(const SocketHolder&) const = default;
};

struct BoundSocket {
    std::string address; // numeric
    std::uint16_t port = 0;
    std::vector<SocketHolder> holders; // empty: the system does not tell this account
};

// TCP sockets that listen on the port, or UDP sockets bound to it, of all accounts. Blocking.
[[nodiscard]] std::vector<BoundSocket> sockets_on(Transport transport, std::uint16_t port);

// "mosquitto (process 812)", "mosquitto (process 812) and stationsync (process 9)", "another
// program".
[[nodiscard]] std::string holders_text(const std::vector<BoundSocket>& sockets);
[[nodiscard]] bool is_held_by(const std::vector<BoundSocket>& sockets, std::int64_t process);

} // namespace stationsync::host::doctor
