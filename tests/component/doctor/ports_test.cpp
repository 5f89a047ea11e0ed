#include "doctor/bound_sockets.hpp"
#include "doctor/port_probe.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stationsync::host::doctor {
namespace {

// A socket of this process on a port of 127.0.0.1 that the system chooses.
class Holder {
public:
    explicit Holder(int type, bool shares = false) : socket_(::socket(AF_INET, type, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(type == SOCK_STREAM ? INADDR_LOOPBACK : INADDR_ANY);
        const int on = shares ? 1 : 0;
        ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        socklen_t size = sizeof address;
        good_ = ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                (type != SOCK_STREAM || ::listen(socket_, 1) == 0) &&
                ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
        port_ = ntohs(address.sin_port);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    ~Holder() { ::close(socket_); }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int socket_;
    bool good_ = false;
    std::uint16_t port_ = 0;
};

TEST(Ports, AHeldPortIsInUseAndNamesItsHolder) {
    const Holder holder(SOCK_STREAM);
    ASSERT_TRUE(holder.good());
    EXPECT_EQ(probe_listen({"127.0.0.1", holder.port()}), PortState::in_use);
    const auto sockets = sockets_on(Transport::tcp, holder.port());
    ASSERT_EQ(sockets.size(), 1u);
    EXPECT_EQ(sockets[0].address, "127.0.0.1");
    EXPECT_TRUE(is_held_by(sockets, ::getpid()));
    EXPECT_NE(holders_text(sockets).find("component_docto"), std::string::npos);
    EXPECT_TRUE(answers({"127.0.0.1", holder.port()}));
}

TEST(Ports, AFreePortIsFreeAndDoesNotAnswer) {
    std::uint16_t port = 0;
    {
        const Holder holder(SOCK_STREAM);
        ASSERT_TRUE(holder.good());
        port = holder.port();
    }
    EXPECT_EQ(probe_listen({"127.0.0.1", port}), PortState::free);
    EXPECT_FALSE(answers({"127.0.0.1", port}));
    EXPECT_TRUE(sockets_on(Transport::tcp, port).empty());
}

TEST(Ports, AnAddressOfNoInterfaceIsToldApart) {
    EXPECT_EQ(probe_listen({"192.0.2.1", 8883}), PortState::no_address);
}

TEST(Ports, ASharedUdpPortIsToldApartFromATakenOne) {
    const Holder sharing(SOCK_DGRAM, true);
    const Holder taking(SOCK_DGRAM, false);
    ASSERT_TRUE(sharing.good());
    ASSERT_TRUE(taking.good());
    EXPECT_EQ(probe_shared_udp(sharing.port()), PortState::free);
    EXPECT_EQ(probe_shared_udp(taking.port()), PortState::in_use);
    EXPECT_TRUE(is_held_by(sockets_on(Transport::udp, taking.port()), ::getpid()));
}

} // namespace
} // namespace stationsync::host::doctor
