#include "interfaces_linux.hpp"
#include "network.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket_address.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t batch = 32;
constexpr std::size_t control_bytes = 64;
#ifndef IPV6_MULTICAST_ALL
constexpr int IPV6_MULTICAST_ALL = 29; // of <linux/in6.h>, which cannot stand beside <netinet/in.h>
#endif

class File {
public:
    File() = default;
    explicit File(int number) noexcept : number_(number) {}
    ~File() { reset(); }
    File(File&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    File& operator=(File&& other) noexcept {
        reset();
        number_ = std::exchange(other.number_, -1);
        return *this;
    }
    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
    void reset() noexcept {
        if (number_ >= 0)
            close(number_);
        number_ = -1;
    }

private:
    int number_ = -1;
};

class SocketError : public NetworkError {
public:
    SocketError(const char* step, int cause)
        : NetworkError(std::string(step) + ": " + std::strerror(cause)), code(cause) {}
    const int code;
};

[[noreturn]] void fail(const char* step) {
    throw SocketError(step, errno);
}

void set_option(const File& file, int level, int name, int value) {
    if (setsockopt(file.get(), level, name, &value, sizeof value) != 0)
        fail("socket option");
}

File make_socket(Family family) {
    const int domain = family == Family::v4 ? AF_INET : AF_INET6;
    File file(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!file.is_open())
        fail("socket");
    // Nothing of discovery leaves the link. What we send to the group is heard on this computer,
    // too, for there may be another station on it. Groups that others join are not ours.
    if (family == Family::v4) {
        set_option(file, IPPROTO_IP, IP_TTL, 1);
        set_option(file, IPPROTO_IP, IP_MULTICAST_TTL, 1);
        set_option(file, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
        set_option(file, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        set_option(file, IPPROTO_IP, IP_PKTINFO, 1);
    } else {
        set_option(file, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set_option(file, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1);
        set_option(file, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
        set_option(file, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
        set_option(file, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        // Kernels before 4.20 do not know it; there the check of the interface has to do.
        const int off = 0;
        static_cast<void>(
            setsockopt(file.get(), IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off));
    }
    return file;
}

void bind_to(const File& file, const Endpoint& endpoint, std::uint32_t zone) {
    const SocketAddress address = socket_address(endpoint, zone);
    if (bind(file.get(), address.get(), address.size) != 0)
        fail("bind");
}

// At the group and nothing else: it gets no datagram that was sent to this computer alone, neither
// ours nor those of another program on this port.
File open_at_group(const Channel& channel) {
    File file = make_socket(channel.family);
    set_option(file, SOL_SOCKET, SO_REUSEADDR, 1);
    bind_to(file, {group_of(channel.family), discovery_port}, channel.interface_index);
    const IpAddress& group = group_of(channel.family);
    int result = 0;
    if (channel.family == Family::v4) {
        ip_mreqn request{};
        std::memcpy(&request.imr_multiaddr, group.bytes.data(), 4);
        request.imr_ifindex = static_cast<int>(channel.interface_index);
        result = setsockopt(file.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
    } else {
        ipv6_mreq request{};
        std::memcpy(&request.ipv6mr_multiaddr, group.bytes.data(), 16);
        request.ipv6mr_interface = channel.interface_index;
        result = setsockopt(file.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
    }
    if (result != 0 && errno != EADDRINUSE) // that one says: joined already
        fail("joining the group");
    return file;
}

// Where a datagram came in, and whom it was sent to.
struct Arrival {
    std::uint32_t interface_index = 0;
    IpAddress destination;
};

Arrival arrival_of(msghdr& header) {
    Arrival arrival;
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
         each = CMSG_NXTHDR(&header, each)) {
        if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(each), sizeof info);
            arrival.interface_index = static_cast<std::uint32_t>(info.ipi_ifindex);
            std::memcpy(arrival.destination.bytes.data(), &info.ipi_addr, 4);
        }
        if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(each), sizeof info);
            arrival.interface_index = info.ipi6_ifindex;
            arrival.destination.family = Family::v6;
            std::memcpy(arrival.destination.bytes.data(), &info.ipi6_addr, 16);
        }
    }
    return arrival;
}

} // namespace

struct Network::State {
    struct Open {
        File file;
        Channel channel;
    };

    std::uint16_t question_port = 0;
    std::size_t bytes_max = 0;
    File wake;
    File watch; // closed: there is none, and interfaces are looked at from time to time
    std::map<ChannelId, Open> at_group;
    std::map<Family, File> for_questions;
    std::vector<Channel> channels;
    std::set<std::uint32_t> deleted; // interfaces, since the last open()
    std::vector<std::string> complaints;

    // One batch of datagrams.
    std::vector<char> bytes;
    std::array<std::array<char, control_bytes>, batch> controls{};
    std::array<sockaddr_storage, batch> sources{};
    std::array<iovec, batch> places{};
    std::array<mmsghdr, batch> headers{};

    void open_group_sockets(std::set<ChannelId>& opened);
    void open_question_sockets();
    std::size_t receive(const File& file, bool is_question,
                        const std::function<void(const Received&)>& visit);
    [[nodiscard]] ChannelId channel_of(const Arrival& arrival, const IpAddress& source) const;
};

Network::Network(std::uint16_t question_port, std::size_t bytes_max)
    : state_(std::make_unique<State>()) {
    state_->question_port = question_port;
    state_->bytes_max = bytes_max;
    state_->bytes.resize(batch * (bytes_max + 1));
    state_->wake = File(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!state_->wake.is_open())
        fail("eventfd");
    state_->watch = File(open_interface_watch());
}

Network::~Network() = default;

std::vector<Interface> Network::interfaces() {
    return list_interfaces();
}

std::set<ChannelId> Network::open(const std::vector<Channel>& channels) {
    State& state = *state_;
    state.channels = channels;
    state.complaints.clear();
    std::erase_if(state.at_group, [&](const auto& each) {
        const bool is_wanted =
            std::any_of(channels.begin(), channels.end(),
                        [&](const Channel& wanted) { return wanted.id() == each.first; });
        return !is_wanted || state.deleted.contains(each.second.channel.interface_index);
    });
    state.deleted.clear();
    std::set<ChannelId> opened;
    state.open_group_sockets(opened);
    state.open_question_sockets();
    return opened;
}

void Network::State::open_group_sockets(std::set<ChannelId>& opened) {
    for (const Channel& channel : channels) {
        if (at_group.contains(channel.id()))
            continue;
        try {
            at_group[channel.id()] = {open_at_group(channel), channel};
            opened.insert(channel.id());
        } catch (const SocketError& failure) {
            const bool is_taken = failure.code == EADDRINUSE;
            complaints.push_back(
                "Announcing is off on " + channel.interface_name + ": " +
                (is_taken ? "UDP port 3702 is in use by a program that does not share it; end it, "
                            "or find it with: ss -ulnp sport = 3702."
                          : std::string(failure.what()) + "."));
        }
    }
}

void Network::State::open_question_sockets() {
    for (const Family family : {Family::v4, Family::v6}) {
        const bool is_wanted =
            std::any_of(channels.begin(), channels.end(),
                        [&](const Channel& each) { return each.family == family; });
        if (!is_wanted)
            for_questions.erase(family);
        if (!is_wanted || for_questions.contains(family))
            continue;
        try {
            File file = make_socket(family);
            bind_to(file, {IpAddress{family, {}}, question_port}, 0);
            for_questions[family] = std::move(file);
        } catch (const SocketError& failure) {
            complaints.push_back("Other stations cannot be searched for: UDP port " +
                                 std::to_string(question_port) + ", " + failure.what() +
                                 "; choose another `probe_source_port`.");
        }
    }
}

const std::vector<std::string>& Network::complaints() const {
    return state_->complaints;
}

bool Network::wait(Time at_most, bool for_datagrams) {
    State& state = *state_;
    std::vector<pollfd> files{{state.wake.get(), POLLIN, 0}, {state.watch.get(), POLLIN, 0}};
    if (for_datagrams) {
        for (const auto& [id, open] : state.at_group)
            files.push_back({open.file.get(), POLLIN, 0});
        for (const auto& [family, file] : state.for_questions)
            files.push_back({file.get(), POLLIN, 0});
    }
    const auto milliseconds = std::clamp<Time::rep>(at_most.count(), 0, 3'600'000);
    if (poll(files.data(), files.size(), static_cast<int>(milliseconds)) <= 0)
        return false;
    if (files[0].revents != 0) {
        eventfd_t count = 0;
        static_cast<void>(eventfd_read(state.wake.get(), &count));
    }
    if (files[1].revents == 0)
        return false;
    return read_interface_changes(state.watch.get(), state.deleted);
}

void Network::wake() noexcept {
    static_cast<void>(eventfd_write(state_->wake.get(), 1));
}

std::size_t Network::receive(const std::function<void(const Received&)>& visit) {
    std::size_t count = 0;
    for (const auto& [id, open] : state_->at_group)
        count += state_->receive(open.file, false, visit);
    for (const auto& [family, file] : state_->for_questions)
        count += state_->receive(file, true, visit);
    return count;
}

std::size_t Network::State::receive(const File& file, bool is_question,
                                    const std::function<void(const Received&)>& visit) {
    for (std::size_t i = 0; i < batch; ++i) {
        places[i] = {bytes.data() + i * (bytes_max + 1), bytes_max + 1};
        headers[i] = {};
        headers[i].msg_hdr.msg_name = &sources[i];
        headers[i].msg_hdr.msg_namelen = sizeof sources[i];
        headers[i].msg_hdr.msg_iov = &places[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_control = controls[i].data();
        headers[i].msg_hdr.msg_controllen = control_bytes;
    }
    const int count = recvmmsg(file.get(), headers.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const Arrival arrival = arrival_of(headers[at].msg_hdr);
        Received received;
        received.is_at_question_socket = is_question;
        received.from = endpoint_of(sources[at]);
        received.is_to_group = arrival.destination == group_of(received.from.address.family);
        received.channel = channel_of(arrival, received.from.address);
        received.bytes = {static_cast<const char*>(places[at].iov_base), headers[at].msg_len};
        visit(received);
    }
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

// A datagram that a station on this computer sent to us alone may come in over the loopback
// interface, whatever interface it was sent by.
ChannelId Network::State::channel_of(const Arrival& arrival, const IpAddress& source) const {
    Channel asked;
    asked.interface_index = arrival.interface_index;
    asked.family = source.family;
    for (const Channel& channel : channels)
        if (channel.id() == asked.id())
            return channel.id();
    for (const Channel& channel : channels)
        if (channel.is_own(source))
            return channel.id();
    return asked.id();
}

std::string Network::send(const Channel& channel, bool is_question, const Endpoint& to,
                          const IpAddress& source, std::string_view bytes) {
    State& state = *state_;
    const File* file = nullptr;
    if (is_question) {
        const auto place = state.for_questions.find(channel.family);
        file = place == state.for_questions.end() ? nullptr : &place->second;
    } else {
        const auto place = state.at_group.find(channel.id());
        file = place == state.at_group.end() ? nullptr : &place->second.file;
    }
    if (file == nullptr)
        return {};
    const SocketAddress target =
        socket_address(to.port != 0 ? to : Endpoint{group_of(channel.family), discovery_port},
                       channel.interface_index);
    // By this interface and with this source, whatever the routes say.
    alignas(cmsghdr) std::array<char, control_bytes> control{};
    msghdr header{};
    iovec place{const_cast<char*>(bytes.data()), bytes.size()};
    header.msg_name = const_cast<sockaddr*>(target.get());
    header.msg_namelen = target.size;
    header.msg_iov = &place;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const info = CMSG_FIRSTHDR(&header);
    if (channel.family == Family::v4) {
        in_pktinfo by{};
        by.ipi_ifindex = static_cast<int>(channel.interface_index);
        std::memcpy(&by.ipi_spec_dst, source.bytes.data(), 4);
        info->cmsg_level = IPPROTO_IP;
        info->cmsg_type = IP_PKTINFO;
        info->cmsg_len = CMSG_LEN(sizeof by);
        std::memcpy(CMSG_DATA(info), &by, sizeof by);
        header.msg_controllen = CMSG_SPACE(sizeof by);
    } else {
        in6_pktinfo by{};
        by.ipi6_ifindex = channel.interface_index;
        std::memcpy(&by.ipi6_addr, source.bytes.data(), 16);
        info->cmsg_level = IPPROTO_IPV6;
        info->cmsg_type = IPV6_PKTINFO;
        info->cmsg_len = CMSG_LEN(sizeof by);
        std::memcpy(CMSG_DATA(info), &by, sizeof by);
        header.msg_controllen = CMSG_SPACE(sizeof by);
    }
    if (sendmsg(file->get(), &header, 0) >= 0)
        return {};
    return channel.interface_name + ", " + to_text(source) + ": " + std::strerror(errno);
}

} // namespace stationsync::discovery_wsd
