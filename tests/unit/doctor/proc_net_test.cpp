#include "doctor/proc_net.hpp"

#include <gtest/gtest.h>

namespace stationsync::host::doctor {
namespace {

TEST(ProcNet, ListenersAndTheirInodesAreRead) {
    const auto sockets = parse_proc_net("  sl  local_address rem_address   st tx_queue rx_queue tr "
                                        "tm->when retrnsmt   uid  timeout "
                                        "inode\n"
                                        "   0: 0100007F:22B3 00000000:0000 0A 00000000:00000000 "
                                        "00:00000000 00000000     0        0 "
                                        "34567 1 0000000000000000 100 0 0 10 0\n"
                                        "   1: 0B01A8C0:22B3 0C01A8C0:D431 01 00000000:00000000 "
                                        "02:000AF6B5 00000000   998        0 "
                                        "34570 2 0000000000000000 20 4 30 10 -1\n");
    ASSERT_EQ(sockets.size(), 2u);
    EXPECT_EQ(sockets[0].address, "127.0.0.1");
    EXPECT_EQ(sockets[0].port, 8883);
    EXPECT_TRUE(sockets[0].listens);
    EXPECT_FALSE(sockets[0].has_peer);
    EXPECT_EQ(sockets[0].inode, 34567u);
    EXPECT_EQ(sockets[1].address, "192.168.1.11");
    EXPECT_FALSE(sockets[1].listens);
    EXPECT_TRUE(sockets[1].has_peer);
}

TEST(ProcNet, AddressesOfIPv6AreRead) {
    const auto sockets = parse_proc_net(
        "   0: 00000000000000000000000000000000:0E76 00000000000000000000000000000000:0000 07 "
        "00000000:00000000 00:00000000 00000000     0        0 111 2 0 0\n"
        "   1: 00000000000000000000000001000000:0E76 00000000000000000000000000000000:0000 07 "
        "00000000:00000000 00:00000000 00000000     0        0 112 2 0 0\n"
        "   2: B80D0120000000000000000005000000:0E76 00000000000000000000000000000000:0000 07 "
        "00000000:00000000 00:00000000 00000000     0        0 113 2 0 0\n");
    ASSERT_EQ(sockets.size(), 3u);
    EXPECT_EQ(sockets[0].address, "::");
    EXPECT_EQ(sockets[0].port, 3702);
    EXPECT_EQ(sockets[1].address, "::1");
    EXPECT_EQ(sockets[2].address, "2001:db8:0:0:0:0:0:5");
}

TEST(ProcNet, OtherLinesArePassedOver) {
    EXPECT_TRUE(parse_proc_net("").empty());
    EXPECT_TRUE(parse_proc_net("   0: 0100007F 00000000:0000 0A 0 0 0 0 0 1\n"
                               "   0: XX00007F:22B3 00000000:0000 0A 0 0 0 0 0 1\n")
                    .empty());
}

} // namespace
} // namespace stationsync::host::doctor
