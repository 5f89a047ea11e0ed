"""WS-Discovery on Windows, beside the listeners of the system. Runs on Windows only, by hand or on a build machine:

    set STATIONSYNC_BIN=...\\stationsync.exe
    set STATIONSYNC_TEST_WSD_ADDRESS=192.168.1.21    own address in a network with multicast
    set STATIONSYNC_TEST_WSD_PEER=Filling 2          optional: name of a station of project Plant on another computer,
                                                     under Linux, which `stationsync discover` is to show here
    python -m unittest test_wsd_windows              with tests\\support in PYTHONPATH, as administrator

By hand, before and after: the list "Network" of the Explorer shows the same computers.
"""

import os
import socket
import struct
import subprocess
import unittest

import wsd
from stations import Plant, wait_until
from wsd import field

ADDRESS = os.environ.get("STATIONSYNC_TEST_WSD_ADDRESS", "")
PEER = os.environ.get("STATIONSYNC_TEST_WSD_PEER", "")
GROUP = ("239.255.255.250", 3702)


def owners_of_the_port():
    """The process ids that hold UDP 3702, as Windows tells them."""
    text = subprocess.run(["powershell", "-NoProfile", "-Command",
                           "(Get-NetUDPEndpoint -LocalPort 3702).OwningProcess"],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    return {int(line) for line in text.split()}


def process_of_service(name):
    text = subprocess.run(["powershell", "-NoProfile", "-Command",
                           f"(Get-CimInstance Win32_Service -Filter \"Name='{name}'\").ProcessId"],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    return int(text)


class Ear:
    """A socket of its own in the group, beside all others."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((ADDRESS, GROUP[1]))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton(GROUP[0]) + socket.inet_aton(ADDRESS))
        self.socket.settimeout(0.2)

    def next(self):
        try:
            return self.socket.recvfrom(65536)[0]
        except TimeoutError:
            return b""


class WsdWindows(unittest.TestCase):
    def setUp(self):
        if os.name != "nt":
            self.skipTest("needs Windows: how it shares UDP 3702 with the system's listeners")
        if not ADDRESS:
            self.skipTest("STATIONSYNC_TEST_WSD_ADDRESS names no address of this computer")

    def plant(self, count):
        addresses = [ADDRESS, ADDRESS + ":8983"][:count]
        plant = Plant("AB"[:count], addresses=addresses)
        self.addCleanup(plant.close)
        return wsd.join(plant)

    def test_it_shares_the_port_with_the_publication_service(self):
        system = process_of_service("FDResPub")
        self.assertNotEqual(system, 0, "start the service \"Function Discovery Resource Publication\" first")
        (station,) = self.plant(1)
        station.start()
        wait_until(lambda: {system, station.process.pid} <= owners_of_the_port(), "both hold UDP 3702")
        self.assertEqual([m for m in station.messages() if m["id"] == "discovery"], [])
        station.stop()
        self.assertIn(system, owners_of_the_port())

    def test_a_question_to_the_group_is_answered_from_its_port(self):
        (station,) = self.plant(1)
        station.start()
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(asking.close)
        asking.bind((ADDRESS, 0))
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ADDRESS))
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, struct.pack("i", 1))
        asking.settimeout(2)
        question = wsd.probe()

        def answered():
            asking.sendto(question, GROUP)
            payload, sender = asking.recvfrom(65536)
            return field(payload, "XAddrs") and sender
        self.assertEqual(wait_until(answered, "an answer with an address"), (ADDRESS, GROUP[1]))

    def test_two_stations_of_this_computer_find_each_other(self):
        plant = self.plant(2)
        plant.start_all().wait_connected()

    def test_a_station_that_ends_takes_its_leave(self):
        (station,) = self.plant(1)
        ear = Ear()
        self.addCleanup(ear.socket.close)
        station.start()
        wait_until(lambda: b"/Hello<" in ear.next(), "Hello of the station")
        station.cli("stop")
        wait_until(lambda: b"/Bye<" in ear.next(), "Bye of the station")

    @unittest.skipUnless(PEER, "STATIONSYNC_TEST_WSD_PEER names no station")
    def test_a_station_under_another_system_is_found(self):
        (station,) = self.plant(1)
        station.start()
        wait_until(lambda: any(s.get("name") == PEER for s in station.cli_json("discover")["stations"]),
                   f"discover shows {PEER}")


if __name__ == "__main__":
    unittest.main()
