#include "interfaces_linux.hpp"

#include "network.hpp"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t buffer_bytes = 32768; // what the kernel puts into one answer at most

class File {
public:
    explicit File(int number) noexcept : number_(number) {}
    ~File() {
        if (number_ >= 0)
            close(number_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_;
};

using Buffer = std::array<char, buffer_bytes>;
using Visit = std::function<void(const nlmsghdr&)>;

// True when the end of an answer was among them.
bool each_message(Buffer& buffer, std::size_t count, const Visit& visit) {
    auto left = static_cast<unsigned>(count);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
        if (header->nlmsg_type == NLMSG_DONE)
            return true;
        if (header->nlmsg_type == NLMSG_ERROR)
            throw NetworkError("The kernel does not tell the network interfaces.");
        visit(*header);
    }
    return false;
}

void ask(std::uint16_t type, Buffer& buffer, const Visit& visit) {
    const File socket_file(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    struct {
        nlmsghdr header;
        rtgenmsg body;
    } request{};
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.body);
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.rtgen_family = AF_UNSPEC;
    const timeval patience{2, 0};
    const bool is_sent =
        socket_file.get() >= 0 &&
        setsockopt(socket_file.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        send(socket_file.get(), &request, request.header.nlmsg_len, 0) >= 0;
    while (is_sent) {
        const ssize_t count = recv(socket_file.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        if (each_message(buffer, static_cast<std::size_t>(count), visit))
            return;
    }
    throw NetworkError(std::string("The network interfaces cannot be listed: ") +
                       std::strerror(errno) + '.');
}

void each_attribute(const rtattr* first, unsigned bytes,
                    const std::function<void(const rtattr&)>& visit) {
    unsigned left = bytes;
    for (const rtattr* each = first; RTA_OK(each, left); each = RTA_NEXT(each, left))
        visit(*each);
}

void take_link(const nlmsghdr& header, std::map<std::uint32_t, Interface>& found) {
    const auto* info = static_cast<const ifinfomsg*>(NLMSG_DATA(&header));
    Interface& interface = found[static_cast<std::uint32_t>(info->ifi_index)];
    interface.index = static_cast<std::uint32_t>(info->ifi_index);
    interface.is_up = (info->ifi_flags & IFF_UP) != 0 && (info->ifi_flags & IFF_RUNNING) != 0;
    interface.is_loopback = (info->ifi_flags & IFF_LOOPBACK) != 0;
    interface.is_point_to_point = (info->ifi_flags & IFF_POINTOPOINT) != 0;
    interface.has_multicast = (info->ifi_flags & IFF_MULTICAST) != 0;
    each_attribute(IFLA_RTA(info), static_cast<unsigned>(IFLA_PAYLOAD(&header)),
                   [&](const rtattr& attribute) {
                       if (attribute.rta_type == IFLA_IFNAME)
                           interface.name = static_cast<const char*>(RTA_DATA(&attribute));
                   });
}

void take_address(const nlmsghdr& header, std::map<std::uint32_t, Interface>& found) {
    const auto* info = static_cast<const ifaddrmsg*>(NLMSG_DATA(&header));
    const auto place = found.find(info->ifa_index);
    if (place == found.end() || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
        return;
    const bool is_v4 = info->ifa_family == AF_INET;
    const std::size_t size = is_v4 ? 4 : 16;
    std::uint32_t flags = info->ifa_flags;
    InterfaceAddress address;
    bool has_address = false;
    each_attribute(
        IFA_RTA(info), static_cast<unsigned>(IFA_PAYLOAD(&header)), [&](const rtattr& attribute) {
            // Of a connection between two points IFA_ADDRESS is the other end's.
            const bool is_own = attribute.rta_type == (is_v4 ? IFA_LOCAL : IFA_ADDRESS);
            if (is_own && RTA_PAYLOAD(&attribute) == size) {
                std::memcpy(address.network.address.bytes.data(), RTA_DATA(&attribute), size);
                has_address = true;
            }
            if (attribute.rta_type == IFA_FLAGS && RTA_PAYLOAD(&attribute) == sizeof flags)
                std::memcpy(&flags, RTA_DATA(&attribute), sizeof flags);
        });
    address.network.address.family = is_v4 ? Family::v4 : Family::v6;
    address.network.bits = info->ifa_prefixlen;
    address.is_ready = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0;
    address.is_preferred = (flags & (IFA_F_SECONDARY | IFA_F_TEMPORARY | IFA_F_DEPRECATED)) == 0;
    if (has_address)
        place->second.addresses.push_back(address);
}

} // namespace

int open_interface_watch() noexcept {
    const int watch = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (watch < 0)
        return -1;
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (bind(watch, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return watch;
    const int cause = errno;
    close(watch);
    errno = cause;
    return -1;
}

bool read_interface_changes(int watch, std::set<std::uint32_t>& deleted) {
    const auto buffer = std::make_unique<Buffer>();
    bool has_changed = false;
    while (true) {
        const ssize_t count = recv(watch, buffer->data(), buffer->size(), 0);
        if (count < 0 && (errno == EINTR || errno == ENOBUFS)) {
            has_changed = true; // some were lost: all the more reason to look
            continue;
        }
        if (count <= 0)
            return has_changed;
        has_changed = true;
        each_message(*buffer, static_cast<std::size_t>(count), [&](const nlmsghdr& header) {
            if (header.nlmsg_type == RTM_DELLINK)
                deleted.insert(static_cast<std::uint32_t>(
                    static_cast<const ifinfomsg*>(NLMSG_DATA(&header))->ifi_index));
        });
    }
}

std::vector<Interface> list_interfaces() {
    const auto buffer = std::make_unique<Buffer>();
    std::map<std::uint32_t, Interface> found;
    ask(RTM_GETLINK, *buffer, [&](const nlmsghdr& header) {
        if (header.nlmsg_type == RTM_NEWLINK)
            take_link(header, found);
    });
    ask(RTM_GETADDR, *buffer, [&](const nlmsghdr& header) {
        if (header.nlmsg_type == RTM_NEWADDR)
            take_address(header, found);
    });
    std::vector<Interface> interfaces;
    interfaces.reserve(found.size());
    for (auto& [index, interface] : found)
        interfaces.push_back(std::move(interface));
    return interfaces;
}

} // namespace stationsync::discovery_wsd
