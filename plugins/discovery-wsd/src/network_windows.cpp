#include "interfaces_windows.hpp"
#include "network.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <mswsock.h>

#include "socket_address.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <utility>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t batch = 32;
constexpr std::size_t control_bytes = 128;

class SocketError : public NetworkError {
public:
    SocketError(const char* step, int cause)
        : NetworkError(std::string(step) + ": error " + std::to_string(cause)), code(cause) {}
    const int code;
};

[[noreturn]] void fail(const char* step) {
    throw SocketError(step, WSAGetLastError());
}

class Socket {
public:
    Socket() = default;
    explicit Socket(SOCKET handle) noexcept : handle_(handle) {}
    ~Socket() { reset(); }
    Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, INVALID_SOCKET)) {}
    Socket& operator=(Socket&& other) noexcept {
        reset();
        handle_ = std::exchange(other.handle_, INVALID_SOCKET);
        return *this;
    }
    [[nodiscard]] SOCKET get() const noexcept { return handle_; }
    void reset() noexcept {
        if (handle_ != INVALID_SOCKET)
            closesocket(handle_);
        handle_ = INVALID_SOCKET;
    }

private:
    SOCKET handle_ = INVALID_SOCKET;
};

template <class Value>
void set_option(const Socket& socket, int level, int name, const Value& value) {
    if (setsockopt(socket.get(), level, name, reinterpret_cast<const char*>(&value),
                   sizeof value) != 0)
        fail("socket option");
}

Socket make_socket(const Channel& channel) {
    const bool is_v4 = channel.family == Family::v4;
    Socket socket(WSASocketW(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0,
                             WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_OVERLAPPED));
    if (socket.get() == INVALID_SOCKET)
        fail("socket");
    u_long is_nonblocking = 1;
    ioctlsocket(socket.get(), FIONBIO, &is_nonblocking);
    // Otherwise an answer of "port unreachable" to what we sent makes the next receive fail.
    BOOL reports_reset = FALSE;
    DWORD count = 0;
    WSAIoctl(socket.get(), SIO_UDP_CONNRESET, &reports_reset, sizeof reports_reset, nullptr, 0,
             &count, nullptr, nullptr);
    const DWORD one = 1;
    const int level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    // Here it is the receiver who decides about what comes from this computer: set on every socket.
    if (is_v4) {
        set_option(socket, level, IP_TTL, one);
        set_option(socket, level, IP_MULTICAST_TTL, one);
        set_option(socket, level, IP_MULTICAST_LOOP, one);
        set_option(socket, level, IP_PKTINFO, one);
        set_option(socket, level, IP_MULTICAST_IF, DWORD{htonl(channel.interface_index)});
    } else {
        set_option(socket, level, IPV6_V6ONLY, one);
        set_option(socket, level, IPV6_UNICAST_HOPS, one);
        set_option(socket, level, IPV6_MULTICAST_HOPS, one);
        set_option(socket, level, IPV6_MULTICAST_LOOP, one);
        set_option(socket, level, IPV6_PKTINFO, one);
        set_option(socket, level, IPV6_MULTICAST_IF, DWORD{channel.interface_index});
    }
    return socket;
}

void bind_to(const Socket& socket, const Endpoint& endpoint, std::uint32_t zone) {
    const SocketAddress address = socket_address(endpoint, zone);
    if (bind(socket.get(), address.get(), address.size) != 0)
        fail("bind");
}

// The group itself cannot be bound to here, so the socket gets what is sent to this computer alone,
// too: that is told apart by the destination, see is_to_group.
Socket open_at_group(const Channel& channel) {
    Socket socket = make_socket(channel);
    set_option(socket, SOL_SOCKET, SO_REUSEADDR, BOOL{TRUE});
    const IpAddress& group = group_of(channel.family);
    if (channel.family == Family::v4) {
        const IpAddress& own = channel.networks.front().address;
        bind_to(socket, {own, discovery_port}, 0);
        ip_mreq request{};
        std::memcpy(&request.imr_multiaddr, group.bytes.data(), 4);
        std::memcpy(&request.imr_interface, own.bytes.data(), 4);
        set_option(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, request);
    } else {
        bind_to(socket, {IpAddress{Family::v6, {}}, discovery_port}, 0);
        ipv6_mreq request{};
        std::memcpy(&request.ipv6mr_multiaddr, group.bytes.data(), 16);
        request.ipv6mr_interface = channel.interface_index;
        set_option(socket, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request);
    }
    return socket;
}

struct Arrival {
    std::uint32_t interface_index = 0;
    IpAddress destination;
};

Arrival arrival_of(WSAMSG& message) {
    Arrival arrival;
    for (WSACMSGHDR* each = WSA_CMSG_FIRSTHDR(&message); each != nullptr;
         each = WSA_CMSG_NXTHDR(&message, each)) {
        if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
            IN_PKTINFO info{};
            std::memcpy(&info, WSA_CMSG_DATA(each), sizeof info);
            arrival.interface_index = info.ipi_ifindex;
            std::memcpy(arrival.destination.bytes.data(), &info.ipi_addr, 4);
        }
        if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
            IN6_PKTINFO info{};
            std::memcpy(&info, WSA_CMSG_DATA(each), sizeof info);
            arrival.interface_index = info.ipi6_ifindex;
            arrival.destination.family = Family::v6;
            std::memcpy(arrival.destination.bytes.data(), &info.ipi6_addr, 16);
        }
    }
    return arrival;
}

template <class Info>
void put_control(WSACMSGHDR& header, WSAMSG& message, int level, int type, const Info& info) {
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = WSA_CMSG_LEN(sizeof info);
    std::memcpy(WSA_CMSG_DATA(&header), &info, sizeof info);
    message.Control.len = static_cast<ULONG>(WSA_CMSG_SPACE(sizeof info));
}

LPFN_WSARECVMSG receive_function(SOCKET socket) {
    GUID id = WSAID_WSARECVMSG;
    LPFN_WSARECVMSG function = nullptr;
    DWORD count = 0;
    if (WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function,
                 sizeof function, &count, nullptr, nullptr) != 0)
        fail("WSARecvMsg");
    return function;
}

} // namespace

// Sockets are bound to the address of their interface, so there are two for each channel: one at
// the group, one for questions.
struct Network::State {
    struct Open {
        Socket at_group;
        Socket for_questions;
        Channel channel;
    };

    WSADATA library{};
    std::uint16_t question_port = 0;
    std::size_t bytes_max = 0;
    std::unique_ptr<InterfaceWatch> watch;
    std::atomic<bool> has_changed = false;
    WSAEVENT awake = WSA_INVALID_EVENT;   // by wake() and the watch
    WSAEVENT arrived = WSA_INVALID_EVENT; // by all sockets
    std::map<ChannelId, Open> open;
    std::vector<std::string> complaints;
    LPFN_WSARECVMSG receive_message = nullptr;
    std::vector<char> bytes;

    bool open_one(Open& each, std::uint16_t port);
    std::size_t receive(const Socket& socket, const Channel& channel, bool is_question,
                        const std::function<void(const Received&)>& visit);
};

Network::Network(std::uint16_t question_port, std::size_t bytes_max)
    : state_(std::make_unique<State>()) {
    State& state = *state_;
    if (WSAStartup(MAKEWORD(2, 2), &state.library) != 0)
        throw NetworkError("Windows Sockets cannot be started");
    state.question_port = question_port;
    state.bytes_max = bytes_max;
    state.bytes.resize(bytes_max + 1);
    state.awake = WSACreateEvent();
    state.arrived = WSACreateEvent();
    state.watch = std::make_unique<InterfaceWatch>([this] {
        state_->has_changed = true;
        wake();
    });
}

Network::~Network() {
    state_->watch.reset();
    state_->open.clear();
    WSACloseEvent(state_->awake);
    WSACloseEvent(state_->arrived);
    WSACleanup();
}

std::vector<Interface> Network::interfaces() {
    return list_interfaces();
}

std::set<ChannelId> Network::open(const std::vector<Channel>& channels) {
    State& state = *state_;
    state.complaints.clear();
    // Sockets are bound to addresses here: with another address they are made anew.
    std::erase_if(state.open, [&](const auto& each) {
        return std::find(channels.begin(), channels.end(), each.second.channel) == channels.end();
    });
    std::set<ChannelId> opened;
    for (const Channel& channel : channels) {
        State::Open& each = state.open[channel.id()];
        each.channel = channel;
        if (state.open_one(each, state.question_port))
            opened.insert(channel.id());
    }
    return opened;
}

bool Network::State::open_one(Open& each, std::uint16_t port) {
    bool is_new = false;
    const auto attempt = [&](Socket& place, const char* what, auto&& make) {
        if (place.get() != INVALID_SOCKET)
            return false;
        try {
            Socket socket = make();
            if (receive_message == nullptr)
                receive_message = receive_function(socket.get());
            WSAEventSelect(socket.get(), arrived, FD_READ);
            place = std::move(socket);
            return true;
        } catch (const SocketError& failure) {
            const bool is_taken = failure.code == WSAEADDRINUSE || failure.code == WSAEACCES;
            complaints.push_back(std::string(what) + " on " + each.channel.interface_name + ": " +
                                 (is_taken ? "the UDP port is in use by a program that does not "
                                             "share it; find it with: netstat -abn -p UDP."
                                           : std::string(failure.what()) + "."));
            return false;
        }
    };
    is_new =
        attempt(each.at_group, "Announcing is off", [&] { return open_at_group(each.channel); });
    attempt(each.for_questions, "Searching is off", [&] {
        Socket socket = make_socket(each.channel);
        bind_to(socket, {each.channel.networks.front().address, port},
                each.channel.interface_index);
        return socket;
    });
    return is_new;
}

const std::vector<std::string>& Network::complaints() const {
    return state_->complaints;
}

bool Network::wait(Time at_most, bool for_datagrams) {
    State& state = *state_;
    const std::array<WSAEVENT, 2> events{state.awake, state.arrived};
    const auto milliseconds = std::clamp<Time::rep>(at_most.count(), 0, 3'600'000);
    WSAWaitForMultipleEvents(for_datagrams ? 2 : 1, events.data(), FALSE,
                             static_cast<DWORD>(milliseconds), FALSE);
    WSAResetEvent(state.awake);
    return state.has_changed.exchange(false);
}

void Network::wake() noexcept {
    WSASetEvent(state_->awake);
}

std::size_t Network::receive(const std::function<void(const Received&)>& visit) {
    // Before receiving: what comes from now on sets it again.
    WSAResetEvent(state_->arrived);
    std::size_t count = 0;
    for (const auto& [id, each] : state_->open) {
        count += state_->receive(each.at_group, each.channel, false, visit);
        count += state_->receive(each.for_questions, each.channel, true, visit);
    }
    return count;
}

std::size_t Network::State::receive(const Socket& socket, const Channel& channel, bool is_question,
                                    const std::function<void(const Received&)>& visit) {
    std::size_t count = 0;
    while (socket.get() != INVALID_SOCKET && count < batch) {
        sockaddr_storage source{};
        alignas(WSACMSGHDR) std::array<char, control_bytes> control{};
        WSABUF place{static_cast<ULONG>(bytes.size()), bytes.data()};
        WSAMSG message{};
        message.name = reinterpret_cast<sockaddr*>(&source);
        message.namelen = sizeof source;
        message.lpBuffers = &place;
        message.dwBufferCount = 1;
        message.Control = {static_cast<ULONG>(control.size()), control.data()};
        DWORD received_bytes = 0;
        const int result =
            receive_message(socket.get(), &message, &received_bytes, nullptr, nullptr);
        const bool is_cut = result != 0 && WSAGetLastError() == WSAEMSGSIZE;
        if (result != 0 && !is_cut)
            return count;
        ++count;
        const Arrival arrival = arrival_of(message);
        Received received;
        received.from = endpoint_of(source);
        received.is_at_question_socket = is_question;
        received.is_to_group = arrival.destination == group_of(received.from.address.family);
        Channel asked = channel;
        // A v6 socket at the group hears what came in by another interface; the one of that
        // interface hears it, too.
        asked.interface_index = arrival.interface_index;
        const bool is_elsewhere = open.contains(asked.id()) && asked.id() != channel.id();
        received.channel = channel.id();
        received.bytes = {bytes.data(), is_cut ? bytes.size() : received_bytes};
        if (!is_elsewhere)
            visit(received);
    }
    if (count == batch)
        WSASetEvent(arrived); // there may be more
    return count;
}

std::string Network::send(const Channel& channel, bool is_question, const Endpoint& to,
                          const IpAddress& source, std::string_view bytes) {
    const auto place = state_->open.find(channel.id());
    if (place == state_->open.end())
        return {};
    const Socket& socket = is_question ? place->second.for_questions : place->second.at_group;
    if (socket.get() == INVALID_SOCKET)
        return {};
    SocketAddress target =
        socket_address(to.port != 0 ? to : Endpoint{group_of(channel.family), discovery_port},
                       channel.interface_index);
    // With the address that is announced as the source, also where the socket is bound to another.
    alignas(WSACMSGHDR) std::array<char, control_bytes> control{};
    WSABUF place_of_bytes{static_cast<ULONG>(bytes.size()), const_cast<char*>(bytes.data())};
    WSAMSG message{};
    message.name = reinterpret_cast<sockaddr*>(&target.storage);
    message.namelen = target.size;
    message.lpBuffers = &place_of_bytes;
    message.dwBufferCount = 1;
    message.Control = {static_cast<ULONG>(control.size()), control.data()};
    WSACMSGHDR* const info = WSA_CMSG_FIRSTHDR(&message);
    if (channel.family == Family::v4) {
        IN_PKTINFO by{};
        std::memcpy(&by.ipi_addr, source.bytes.data(), 4);
        by.ipi_ifindex = channel.interface_index;
        put_control(*info, message, IPPROTO_IP, IP_PKTINFO, by);
    } else {
        IN6_PKTINFO by{};
        std::memcpy(&by.ipi6_addr, source.bytes.data(), 16);
        by.ipi6_ifindex = channel.interface_index;
        put_control(*info, message, IPPROTO_IPV6, IPV6_PKTINFO, by);
    }
    DWORD sent_bytes = 0;
    const int result = WSASendMsg(socket.get(), &message, 0, &sent_bytes, nullptr, nullptr);
    if (result == 0)
        return {};
    return channel.interface_name + ", " + to_text(source) + ": error " +
           std::to_string(WSAGetLastError());
}

} // namespace stationsync::discovery_wsd
