"""Discovery and the network around it: interfaces that come and go, two networks, IPv6, firewalls, a taken port."""

import os
import socket
import time
import unittest

import wsd
from lan import Ear, Lan, inside
from stations import IS_RELEASE, PATIENCE_S, files_provider, need_root, wait_until
from wsd import configure, field

GROUP = ("239.255.255.250", 3702)


class WsdNetwork(unittest.TestCase):
    def setUp(self):
        need_root("making network namespaces")

    def plant(self, lan, names, addresses, **settings):
        return wsd.join(wsd.plant_on(lan, names, addresses), **settings)

    def test_interfaces_may_come_and_go_and_change(self):
        lan = Lan(self, "AB")
        lan.attach("A", "10.77.0.1/24").attach("B", "10.77.0.2/24")
        with self.plant(lan, "A", ["0.0.0.0"]) as plant, Ear(lan, "B") as ear:
            station = plant[0].start()
            b = lan.udp("B", "10.77.0.2", 40000)
            limit = 5 if IS_RELEASE else PATIENCE_S

            def announced_at(address):
                """Heard of at the address after this moment, and answering there."""
                begin = time.monotonic()
                wait_until(lambda: [p for p in ear.udp(b"/Hello<", source=address) if p.at >= begin
                                    and field(p.payload, "XAddrs") == f"tcp://{address}:8883"],
                           f"announced at {address}", limit)
                self.assertIn("239.255.255.250", lan.groups("A"))

                def answers():
                    question = wsd.new_id()
                    b.sendto(wsd.probe(message_id=question), GROUP)
                    return wait_until(lambda: [p for p in ear.udp(b"/ProbeMatches<", source=address)
                                               if field(p.payload, "RelatesTo") == question], "answer", 2)
                wait_until(lambda: self.tried(answers), f"answers at {address}")

            wait_until(lambda: ear.udp(b"/Hello<", source="10.77.0.1"), "announced at the start")
            descriptors = f"/proc/{station.pid()}/fd"
            before = len(os.listdir(descriptors))
            lan.on("A", "ip", "link", "set", "eth0", "down")
            wait_until(lambda: station.messages("no network interface"), "it is told that there is none")
            lan.on("A", "ip", "link", "set", "eth0", "up")
            announced_at("10.77.0.1")
            lan.on("A", "ip", "address", "del", "10.77.0.1/24", "dev", "eth0")
            lan.on("A", "ip", "address", "add", "10.77.0.50/24", "dev", "eth0")
            announced_at("10.77.0.50")
            lan.detach("A")
            lan.attach("A", "10.77.0.51/24")
            announced_at("10.77.0.51")
            for _ in range(100):
                lan.detach("A")
                lan.attach("A", "10.77.0.52/24")
            announced_at("10.77.0.52")
            wait_until(lambda: len(os.listdir(descriptors)) <= before, "nothing is left open")

    @staticmethod
    def tried(function):
        try:
            return function()
        except AssertionError:
            return None

    def test_each_of_two_networks_is_told_its_own_address_only(self):
        lan = Lan(self, "ALR", bridges=2)
        lan.attach("A", "10.77.0.1/24").attach("A", "10.78.0.1/24", "eth1", bridge=1)
        lan.attach("L", "10.77.0.2/24").attach("R", "10.78.0.2/24", bridge=1)
        with self.plant(lan, "A", ["0.0.0.0"]) as plant, Ear(lan, "L") as left, Ear(lan, "R") as right:
            plant[0].start()
            for name, ear, own in (("L", left, "10.77.0"), ("R", right, "10.78.0")):
                asker = lan.udp(name, f"{own}.2", 40000)

                def answered(ear=ear, asker=asker, own=own):
                    asker.sendto(wsd.probe(), GROUP)
                    return [p for p in ear.udp(b"/ProbeMatches<") if p.source == f"{own}.1"]
                wait_until(answered, f"answer in {own}", every=0.5)
                wait_until(lambda ear=ear: ear.udp(b"/Hello<"), f"Hello in {own}")
            for ear, own in ((left, "10.77.0.1"), (right, "10.78.0.1")):
                told = {field(p.payload, "XAddrs") for p in ear.udp(b"XAddrs>")}
                self.assertEqual(told, {f"tcp://{own}:8883"})
                self.assertEqual({p.source for p in ear.udp(b"stn:Station") if p.source.endswith(".1")}, {own})

    def test_ipv6_alone_suffices(self):
        lan = Lan(self, "AB", ipv6=True)
        lan.attach("A").attach("B")
        for name in "AB":
            wait_until(lambda name=name: lan.link_local(name), "the link-local address is there")
        with self.plant(lan, "AB", ["[::]:8883"] * 2, ipv4=False) as plant, Ear(lan, "B") as ear:
            plant.start_all().wait_connected()
            hello = wait_until(lambda: ear.udp(b"/Hello<", source=lan.link_local("A")), "A says hello")[0]
            self.assertEqual((hello.target, hello.hops), ("ff02::c", 1))
            self.assertEqual(field(hello.payload, "XAddrs"), f"tcp://[{lan.link_local('A')}]:8883")
            self.assertEqual(ear.udp(b"/Hello<", source="10.77.0.1"), [])

    def test_a_firewall_on_the_asker_is_told_and_one_open_port_is_enough(self):
        lan = Lan(self, "AB")
        lan.attach("A", "10.77.0.1/24").attach("B", "10.77.0.2/24")
        lan.on("A", "nft", "add table ip wall; add chain ip wall input { type filter hook input priority 0; "
               "policy drop; }; add rule ip wall input ct state established,related accept; "
               "add rule ip wall input iif lo accept")
        with self.plant(lan, "AB", ["10.77.0.1", "10.77.0.2"]) as plant:
            a, b = plant
            b.start()
            a.start()
            a.wait_message("No station has ever answered")
            self.assertEqual([s for s in a.station_list() if s.get("name") == "B"], [])
            a.stop()
            configure(a, files_provider(a), probe_source_port=37020)
            lan.on("A", "nft", "add rule ip wall input udp dport 37020 accept")
            a.start()
            a.wait_connected(b)
            wait_until(lambda: not a.messages("No station has ever answered"), "the message is gone")

    def test_a_port_that_is_not_shared_is_told_and_taken_when_it_is_free(self):
        lan = Lan(self, "AB")
        lan.attach("A", "10.77.0.1/24").attach("B", "10.77.0.2/24")

        def hold():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.bind(("0.0.0.0", 3702))
            return made
        holder = inside(lan.namespaces["A"], hold)
        with self.plant(lan, "AB", ["10.77.0.1", "10.77.0.2"]) as plant, Ear(lan, "B") as ear:
            a, b = plant
            a.start()
            a.wait_message("Announcing is off on eth0: UDP port 3702 is in use")
            self.assertEqual(ear.udp(b"/Hello<", source="10.77.0.1"), [])
            # It finds others all the same.
            b.start()
            a.wait_connected(b)
            holder.close()
            wait_until(lambda: ear.udp(b"/Hello<", source="10.77.0.1"), "it is announced")
            wait_until(lambda: not a.messages("Announcing is off"), "the message is gone")

    def lan_without_discovery(self, names):
        lan = Lan(self, names)
        for place, name in enumerate(names):
            lan.attach(name, f"10.77.0.{place + 1}/24")
            lan.on(name, "nft", "add table ip wall; add chain ip wall in { type filter hook input priority 0; }; "
                   "add rule ip wall in udp dport 3702 drop; add rule ip wall in udp sport 3702 drop")
        return lan

    def test_without_discovery_who_is_neither_listed_nor_introduced_is_told_so(self):
        lan = self.lan_without_discovery("ABCD")
        addresses = [f"10.77.0.{number}" for number in range(1, 5)]
        with self.plant(lan, "ABCD", addresses) as plant:
            a, b, c, d = plant
            for station in (b, c):
                configure(station, files_provider(station), static=["10.77.0.1:8883"])
            a.start()
            d.start()  # nobody knows it, and it knows nobody
            begin = time.monotonic()
            for station in (b, c):
                station.start()
                station.wait_connected(a)
            c.wait_connected(b)
            self.assertLess(time.monotonic() - begin, 15 if IS_RELEASE else PATIENCE_S, "A introduces them")
            for station in (a, b, c, d):
                station.wait_message("No station has ever answered")
            self.assertEqual([s for s in d.station_list() if s["name"]], [])
            self.assertEqual([s for s in a.station_list() if s["name"] == "D"], [])

    def test_without_discovery_listed_stations_connect(self):
        lan = self.lan_without_discovery("AB")
        with self.plant(lan, "AB", ["10.77.0.1", "10.77.0.2"]) as plant, Ear(lan, "B") as ear:
            a, b = plant
            configure(a, files_provider(a), static=["10.77.0.2:8883"])
            plant.start_all().wait_connected()
            first = min(p.at for p in list(ear._packets) if p.syn and p.source == "10.77.0.1")
            asked = min((p.at for p in ear.udp(b"/Probe<", source="10.77.0.1")), default=first)
            self.assertLess(first, asked + (2 if IS_RELEASE else PATIENCE_S), "discovery delays nothing")


if __name__ == "__main__":
    unittest.main()
