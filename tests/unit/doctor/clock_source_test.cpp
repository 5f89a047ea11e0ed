#include "doctor/clock_source.hpp"

#include <gtest/gtest.h>

namespace stationsync::host::doctor {
namespace {

TEST(ClockSource, TimedatectlTellsWhetherItIsSynchronized) {
    EXPECT_EQ(
        timedatectl_synchronized("Timezone=Europe/Berlin\nLocalRTC=no\nCanNTP=yes\nNTP=yes\n"
                                 "NTPSynchronized=yes\nTimeUSec=Sun 2026-03-01 08:15:00 UTC\n"),
        true);
    EXPECT_EQ(timedatectl_synchronized("NTP=yes\nNTPSynchronized=no\n"), false);
    EXPECT_EQ(timedatectl_synchronized("Failed to connect to bus: Host is down\n"), std::nullopt);
}

TEST(ClockSource, TimesyncdNamesItsServer) {
    EXPECT_EQ(timesyncd_server("SystemNTPServers=\nFallbackNTPServers=0.debian.pool.ntp.org\n"
                               "ServerName=time.plant.example\nServerAddress=192.168.1.1\n"),
              "time.plant.example");
    EXPECT_EQ(timesyncd_server("ServerName=\nServerAddress=192.168.1.1\n"), "192.168.1.1");
    EXPECT_EQ(timesyncd_server(""), "");
}

TEST(ClockSource, ChronyNamesItsServer) {
    EXPECT_EQ(chrony_server("Reference ID    : C0A80101 (192.168.1.1)\nStratum         : 3\n"
                            "Leap status     : Normal\n"),
              "192.168.1.1");
    EXPECT_EQ(chrony_server("Reference ID    : 00000000 ()\nStratum         : 0\n"
                            "Leap status     : Not synchronised\n"),
              "");
    EXPECT_EQ(chrony_server("506 Cannot talk to daemon\n"), "");
}

TEST(ClockSource, NtpqMarksItsServer) {
    EXPECT_EQ(ntpq_server("     remote           refid      st t when poll reach   delay\n"
                          "==========================================================\n"
                          "+10.0.0.2        .GPS.            1 u   33   64  377    0.1\n"
                          "*192.168.1.1     10.0.0.1         2 u   12   64  377    0.3\n"),
              "192.168.1.1");
    EXPECT_EQ(ntpq_server(" 192.168.1.1     .INIT.          16 u    -   64    0    0.0\n"), "");
}

TEST(ClockSource, AFreeRunningWindowsClockHasNoServer) {
    EXPECT_EQ(w32tm_server("time.windows.com,0x8 \r\n"), "time.windows.com");
    EXPECT_EQ(w32tm_server("Local CMOS Clock\r\n"), "");
    EXPECT_EQ(w32tm_server("Free-running System Clock\r\n"), "");
    EXPECT_EQ(w32tm_server(""), "");
}

} // namespace
} // namespace stationsync::host::doctor
