#include "own_network.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace stationsync::test {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

sockaddr_in address_of(const std::string& text, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1)
        fail("address");
    return address;
}

} // namespace

std::string enter_own_network() {
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return std::string("no network namespace can be made here: ") + std::strerror(errno);
    const int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_UP;
    const int result = ioctl(file, SIOCSIFFLAGS, &request);
    close(file);
    return result == 0 ? "" : std::string("the loopback interface: ") + std::strerror(errno);
}

RawSocket::RawSocket(const std::string& address, std::uint16_t port, bool is_shared)
    : file_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const int on = is_shared ? 1 : 0;
    ip_mreqn by{};
    by.imr_ifindex = static_cast<int>(if_nametoindex("lo"));
    const sockaddr_in own = address_of(address, port);
    if (setsockopt(file_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(file_, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) != 0 ||
        bind(file_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
        fail("socket");
}

RawSocket::~RawSocket() {
    close(file_);
}

void RawSocket::send_to_group(const std::string& bytes) const {
    send_to("239.255.255.250", 3702, bytes);
}

void RawSocket::send_to(const std::string& address, std::uint16_t port,
                        const std::string& bytes) const {
    const sockaddr_in target = address_of(address, port);
    // An answer of "port unreachable" to an earlier one is told here, and is none of ours.
    if (sendto(file_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&target),
               sizeof target) < 0 &&
        errno != ECONNREFUSED)
        fail("sendto");
}

std::optional<RawSocket::Arrived> RawSocket::receive(int milliseconds) const {
    pollfd waiting{file_, POLLIN, 0};
    if (poll(&waiting, 1, milliseconds) <= 0)
        return std::nullopt;
    std::vector<char> buffer(65536);
    sockaddr_in source{};
    socklen_t size = sizeof source;
    const ssize_t count = recvfrom(file_, buffer.data(), buffer.size(), 0,
                                   reinterpret_cast<sockaddr*>(&source), &size);
    if (count < 0)
        return std::nullopt;
    return Arrived{{buffer.data(), static_cast<std::size_t>(count)}, ntohs(source.sin_port)};
}

std::size_t count_open_files() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

} // namespace stationsync::test
