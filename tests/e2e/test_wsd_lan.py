"""Stations that nobody has listed find each other in a network: what is sent, who is found, what ends it."""

import re
import time
import unittest
import uuid

import wsd
from lan import Ear, Lan
from stations import IS_RELEASE, PATIENCE_S, Plant, files_provider, need_root, put, wait_until
from wsd import attribute, configure, field


class WsdLan(unittest.TestCase):
    def setUp(self):
        need_root("making network namespaces")

    def network(self, names):
        lan = Lan(self, names)
        for number, name in enumerate(names):
            lan.attach(name, f"10.77.0.{number + 1}/24")
        return lan

    def plant(self, lan, names):
        return wsd.plant_on(lan, names, [f"10.77.0.{number + 1}" for number in range(len(names))])

    def listed(self, station, name):
        return wait_until(lambda: station.peer(name), f"{station.name} lists {name}")

    def test_a_new_station_is_found_and_in_step_without_a_change_anywhere(self):
        lan = self.network("ABC")
        with self.plant(lan, "ABC") as plant:
            wsd.join(plant)
            a, b, c = plant
            a.start()
            b.start()
            a.wait_connected(b)
            b.wait_connected(a)
            put(a.data / "recipes" / "x.txt", b"one")
            b.wait_file("recipes/x.txt", b"one")
            c.start()
            c.wait_file("recipes/x.txt", b"one")
            plant.wait_connected()

    def test_a_fourth_station_with_a_fresh_configuration_is_found_while_its_inviter_is_off(self):
        lan = self.network("ABCD")
        with self.plant(lan, "ABCD") as plant:
            a, b, c, d = plant
            code = a.init().invite()
            for station in (b, c):
                station.join(code)
            for station in (a, b, c):
                configure(station, files_provider(station)).start()
            put(a.data / "recipes" / "x.txt", b"one")
            for station in (b, c):
                station.wait_file("recipes/x.txt", b"one")
            a.stop()
            d.join(code)
            # What the plant's data are has to be said; who is there, and where, has not.
            file = d.project_file()
            file.write_text(re.sub(r'(?s)^product_version = "".*?(?=^# Stations of the same network)',
                                   lambda _: 'product_version = "1.0"\n\n' + files_provider(d),
                                   file.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE), encoding="utf-8")
            self.assertNotIn("enabled = false", file.read_text(encoding="utf-8"))
            d.start()
            d.wait_file("recipes/x.txt", b"one")
            d.wait_connected(b, c)
            a.start()
            plant.wait_connected()

    def test_hello_is_sent_thrice_in_both_versions_and_no_further_than_the_link(self):
        lan = self.network("AB")
        with self.plant(lan, "A") as plant, Ear(lan, "B") as ear:
            station = configure(plant[0].init(), files_provider(plant[0])).start()

            def heard():
                hellos = [p for p in ear.udp(b"/Hello<") if p.target == "239.255.255.250"]
                return hellos if len(hellos) >= 6 else None
            hellos = wait_until(heard, "six Hellos are heard")
            for names in wsd.VERSIONS.values():
                of_version = [p for p in hellos if names["wsd"].encode() in p.payload][:3]
                self.assertEqual(len({p.payload for p in of_version}), 1)
                gaps = [b.at - a.at for a, b in zip(of_version, of_version[1:])]
                # A busy machine delays, it never hurries.
                self.assertGreaterEqual(gaps[0], 0.045)
                if IS_RELEASE:
                    self.assertLessEqual(gaps[0], 0.3)
                    self.assertLessEqual(gaps[1], 0.6)
            for packet in hellos:
                self.assertEqual(packet.hops, 1)
                self.assertEqual((packet.source, packet.source_port), ("10.77.0.1", 3702))
                self.assertEqual(field(packet.payload, "XAddrs"), "tcp://10.77.0.1:8883")
                self.assertLessEqual(len(packet.payload), 1400)
            self.assertTrue(station.is_running())

    def test_two_stations_on_one_computer_and_one_on_another_see_each_other(self):
        lan = self.network("XY")
        with Plant("ABC", addresses=["10.77.0.1", "10.77.0.1:8983", "10.77.0.2"]) as plant:
            for station, computer in zip(plant, "XXY"):
                station.namespace = lan.namespaces[computer]
            wsd.join(plant)
            for number, station in enumerate(plant):
                station.station_setting("net", "dial_ports = [8883, 8983]")
                station.station_setting("net", f'api = "127.0.0.{number + 1}:8884"')
            plant.start_all().wait_connected()

    def test_only_stations_of_one_project_connect(self):
        lan = self.network("ABC")
        with self.plant(lan, "ABC") as plant, Ear(lan, "C") as ear:
            a, b, c = plant
            b.join(a.init().invite())
            c.init(project="Other")
            for station in (a, b):
                configure(station, files_provider(station))
            configure(c, files_provider(c), project="Other")
            plant.start_all()
            a.wait_connected(b)
            # Two rounds of Probes by C later there is still nothing between it and the others.
            before = len({field(p.payload, "MessageID") for p in ear.udp(b"/Probe<", source="10.77.0.3")})
            wait_until(lambda: len({field(p.payload, "MessageID") for p in
                                    ear.udp(b"/Probe<", source="10.77.0.3")}) >= before + 4, "C probes")
            self.assertEqual(ear.connects("10.77.0.3"), set())
            self.assertEqual({t for t in ear.connects("10.77.0.1") if t[0] == "10.77.0.3"}, set())
            self.assertEqual(c.station_list(), [s for s in c.station_list() if s.get("name") not in ("A", "B")])
            # Nobody answers the other project's question.
            answers = [p for p in ear.udp(b"/ProbeMatches<") if p.target == "10.77.0.3"]
            self.assertEqual(answers, [])

    def test_discover_shows_stations_of_any_project_and_those_that_cannot_be_reached(self):
        lan = self.network("ABC")
        with self.plant(lan, "ABC") as plant:
            a, b, c = plant
            b.join(a.init().invite())
            c.init(project="Other")
            for station in (a, b):
                configure(station, files_provider(station))
            configure(c, files_provider(c), project="Other", product_version="7.5")
            # B is heard, and its port stays silent: also for a link that B would dial.
            lan.on("B", "nft", "add table ip wall; add chain ip wall in { type filter hook input priority 0; }; "
                               "add rule ip wall in tcp dport 8883 drop; "
                               "add chain ip wall out { type filter hook output priority 0; }; "
                               "add rule ip wall out tcp dport 8883 drop")
            plant.start_all()

            def shown():
                answer = a.cli_json("discover")
                self.assertTrue(answer["searches"])
                found = {s["name"]: s for s in answer["stations"] if s.get("name")}
                return found if {"B", "C"} <= set(found) and found["B"]["reasons"] else None
            found = wait_until(shown, "A shows both", every=0.5)
            self.assertEqual((found["C"]["project"], found["C"]["product_version"], found["C"]["state"]),
                             ("Other", "7.5", "rejected"))
            self.assertIn("belongs to project", found["C"]["reasons"][0]["text"])
            self.assertEqual(found["C"]["reasons"][0]["remedy"], "", "another plant is no mistake")
            self.assertEqual((found["B"]["project"], found["B"]["found"], found["B"]["found_by"]),
                             ("Plant", False, False))
            self.assertRegex(found["B"]["reasons"][0]["text"], "does not answer.*firewall")
            text = a.cli("discover")
            self.assertIn("Other", text)
            self.assertNotIn("project use", text)

    def test_who_leaves_says_so_and_is_back_with_a_greater_number(self):
        lan = self.network("AB")
        with self.plant(lan, "AB") as plant, Ear(lan, "B") as ear:
            a, b = wsd.join(plant)
            plant.start_all().wait_connected()
            begin = time.monotonic()
            seconds = a.stop()
            self.assertLess(seconds, 2 if IS_RELEASE else PATIENCE_S)
            for names in wsd.VERSIONS.values():
                heard = wait_until(lambda names=names: [p for p in ear.udp(b"/Bye<", source="10.77.0.1")
                                                        if names["wsd"].encode() in p.payload], "Bye is heard")
                self.assertLess(heard[0].at - begin, seconds + 1)
            identity = field(ear.udp(b"/Bye<", source="10.77.0.1")[0].payload, "Address")
            instance = attribute(ear.udp(b"/Bye<", source="10.77.0.1")[0].payload, "InstanceId")

            def hello(after):
                return wait_until(lambda: [p for p in ear.udp(b"/Hello<", source="10.77.0.1")
                                           if (attribute(p.payload, "InstanceId") or 0) > after],
                                  "Hello with a greater number")[0]
            a.start()
            again = hello(instance)
            self.assertEqual(field(again.payload, "Address"), identity)
            b.wait_connected(a)
            a.kill()
            a.start()
            third = hello(attribute(again.payload, "InstanceId"))
            self.assertEqual(field(third.payload, "Address"), identity)
            a.wait_connected(b)
            b.wait_connected(a)

    def test_a_new_name_is_announced_with_a_greater_version_for_good(self):
        lan = self.network("AB")
        with self.plant(lan, "AB") as plant, Ear(lan, "B") as ear:
            a, b = wsd.join(plant)
            plant.start_all().wait_connected()

            def announced(name, instance=0):
                return wait_until(lambda: [p for p in ear.udp(b"/Hello<", source="10.77.0.1")
                                           if f"/name/{name} ".encode() in p.payload
                                           and (attribute(p.payload, "InstanceId") or 0) > instance],
                                  f"{name} is announced")[0].payload
            first = announced("A")
            a.cli("station", "rename", "Press 3")
            second = announced("Press%203")
            self.assertGreater(int(field(second, "MetadataVersion")), int(field(first, "MetadataVersion")))
            wait_until(lambda: b.peer("Press 3"), "B shows the new name")
            a.stop()
            a.start()
            third = announced("Press%203", attribute(second, "InstanceId"))
            self.assertEqual(int(field(third, "MetadataVersion")), int(field(second, "MetadataVersion")))

    def test_a_hello_without_address_is_resolved_and_a_forged_bye_ends_no_link(self):
        lan = self.network("ABX")
        with self.plant(lan, "AB") as plant, Ear(lan, "X") as ear:
            a, b = wsd.join(plant)
            plant.start_all().wait_connected()
            fake = str(uuid.uuid4())
            x = lan.udp("X", "10.77.0.3", 3702)
            x.sendto(wsd.hello(fake, "Plant", "Fake"), ("239.255.255.250", 3702))
            asked = wait_until(lambda: [p for p in ear.udp(b"/Resolve<", source="10.77.0.1")
                                        if fake.encode() in p.payload], "A resolves")[0]
            self.assertEqual(len({field(p.payload, "MessageID") for p in
                                  ear.udp(b"/Resolve<", source="10.77.0.1")}), 1)
            answer = wsd.message("ResolveMatches", "<wsd:ResolveMatch>" + wsd.target(
                fake, "Plant", "Fake", "tcp://10.77.0.3:8883") + "</wsd:ResolveMatch>",
                header=f"<wsa:RelatesTo>{field(asked.payload, 'MessageID')}</wsa:RelatesTo>"
                       + wsd.sequence(1, 2))
            x.sendto(answer, (asked.source, asked.source_port))
            wait_until(lambda: ("10.77.0.3", 8883) in ear.connects("10.77.0.1"), "A tries to connect")
            # What names a third host, this computer, or another port, is tried by nobody.
            lan.on("X", "ip", "address", "add", "10.77.0.99/24", "dev", "eth0")
            for number, address in enumerate(("10.77.0.99:8883", "127.0.0.1:8883", "10.77.0.3:22")):
                x.sendto(wsd.hello(str(uuid.uuid4()), "Plant", f"F{number}", f"tcp://{address}"),
                         ("239.255.255.250", 3702))
            # From another computer than A: without effect. From A's: it ends no link.
            station_id = a.status()["station"]["id"]
            x.sendto(wsd.bye(station_id, 4294967295, 1), ("239.255.255.250", 3702))
            lan.udp("A", "10.77.0.1", 3702, shared=True).sendto(
                wsd.bye(station_id, 4294967295, 1), ("239.255.255.250", 3702))
            x.sendto(wsd.bye(fake), ("239.255.255.250", 3702))
            # What comes after all that is dialled by both.
            lan.on("X", "ip", "address", "add", "10.77.0.4/24", "dev", "eth0")
            lan.udp("X", "10.77.0.4", 40004).sendto(
                wsd.hello(str(uuid.uuid4()), "Plant", "Last", "tcp://10.77.0.4:8883"), ("239.255.255.250", 3702))
            for address in ("10.77.0.1", "10.77.0.2"):
                wait_until(lambda address=address: ("10.77.0.4", 8883) in ear.connects(address), "the last is dialled")
            self.assertEqual(a.peer(b)["state"], "connected")
            self.assertEqual(b.peer(a)["state"], "connected")
            targets = {host for host, _ in ear.connects("10.77.0.1") | ear.connects("10.77.0.2")}
            self.assertLessEqual(targets, {"10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4"})
            self.assertNotIn(("10.77.0.3", 22), ear.connects("10.77.0.1") | ear.connects("10.77.0.2"))

    def test_hostile_and_directed_datagrams_get_no_answer(self):
        lan = self.network("AX")
        with self.plant(lan, "A") as plant, Ear(lan, "X") as ear:
            configure(plant[0].init(), files_provider(plant[0])).start()
            x = lan.udp("X", "10.77.0.2", 40000)
            low = lan.udp("X", "10.77.0.2", 53)
            group = ("239.255.255.250", 3702)
            lan.on("X", "ip", "address", "add", "192.0.2.7/24", "dev", "eth0")
            elsewhere = lan.udp("X", "192.0.2.7", 40001)
            for payload in (b"<:/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a>" * 20000,
                            b"x" * 9000, b"\xff\xfe<\0a\0", wsd.probe().replace(b"MessageID", b"Other"),
                            wsd.probe() + b"<b/>", b"<a" + b" b=''" * 6000 + b"/>"):
                x.sendto(payload, group)
            x.sendto(wsd.probe(), ("10.77.0.1", 3702))
            low.sendto(wsd.probe(), group)
            elsewhere.sendto(wsd.probe(), group)
            good = wsd.new_id()

            def answered():
                x.sendto(wsd.probe(message_id=good, header="<wsa:ReplyTo><wsa:Address>http://10.77.0.99/"
                                   "</wsa:Address></wsa:ReplyTo>"), group)
                return [p for p in ear.udp(port=40000) if p.source == "10.77.0.1"]
            wait_until(answered, "an honest question is answered", every=0.5)
            answers = [p for p in ear.udp() if p.source == "10.77.0.1" and p.target.startswith(("10.", "192."))]
            self.assertEqual({field(p.payload, "RelatesTo") for p in answers}, {good})
            self.assertEqual({(p.target, p.target_port) for p in answers}, {("10.77.0.2", 40000)})
            self.assertEqual(len(answers), 1)


if __name__ == "__main__":
    unittest.main()
