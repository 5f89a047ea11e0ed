"""Beside other programs of WS-Discovery: wsdd and wsdd2 of Debian, the client ws-discovery of npm."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import wsd
from lan import Ear, Lan
from stations import Plant, files_provider, need_root, wait_until
from wsd import configure, field

GROUP = ("239.255.255.250", 3702)
_folder = None


def scratch():
    """A folder for what is fetched, gone at the end of this program."""
    global _folder
    if _folder is None:
        _folder = tempfile.TemporaryDirectory(prefix="stationsync-others-")
        unittest.addModuleCleanup(_folder.cleanup)
    return pathlib.Path(_folder.name)


def debian_program(package, path):
    """The program of a Debian package. Unpacked, not installed: installing would start a service here."""
    if found := shutil.which(package):
        return found
    target = scratch() / package
    if not (target / path).exists():
        for command in (["apt-get", "download", package], ["sh", "-c", f"dpkg -x {package}_*.deb {package}"]):
            done = subprocess.run(command, cwd=scratch(), capture_output=True, text=True, check=False, timeout=120)
            if done.returncode != 0:
                raise unittest.SkipTest(f"{package} is not to be had here: {done.stderr.strip()[-200:]}")
    return str(target / path)


def npm_client():
    """The folder of node_modules that has ws-discovery."""
    if not (shutil.which("npm") and shutil.which("node")):
        raise unittest.SkipTest("npm is not installed here")
    folder = scratch() / "npm"
    if not (folder / "node_modules" / "ws-discovery").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text("{}")
        try:
            done = subprocess.run(["npm", "install", "--prefer-offline", "--no-audit", "--no-fund",
                                   "--ignore-scripts", "ws-discovery@0.0.2"], cwd=folder, capture_output=True,
                                  text=True, check=False, timeout=240)
        except subprocess.TimeoutExpired as error:
            raise unittest.SkipTest("npm takes too long here to install ws-discovery") from error
        if done.returncode != 0:
            raise unittest.SkipTest("npm cannot install ws-discovery here")
    return folder


ASK = """
const Discovery = require('ws-discovery')
const client = new Discovery({version: process.argv[1], maxDelay: 50})
client.on('device', device => console.log(JSON.stringify(device)))
client.probe({timeout: 3000}, () => client.close())
"""


class WsdOthers(unittest.TestCase):
    def setUp(self):
        need_root("making network namespaces")
        self.lan = Lan(self, "AB")
        self.lan.attach("A", "10.77.0.1/24").attach("B", "10.77.0.2/24")

    def station(self, plant):
        station = plant[0]
        station.namespace = self.lan.namespaces["A"]
        return configure(station.init(), files_provider(station))

    def program(self, computer, *command):
        """Starts a program on a computer; what it says goes to a file."""
        output = scratch() / f"{pathlib.Path(command[0]).name}-{computer}-{os.getpid()}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(["ip", "netns", "exec", self.lan.namespaces[computer], *command],
                                       stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

        def end():
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.addCleanup(end)
        return output

    def wsdd(self, computer, *options):
        return self.program(computer, "python3", debian_program("wsdd", "usr/sbin/wsdd"), "-i", "eth0", "-4",
                            "-n", "OTHER", "-vvv", *options)

    def wsdd2(self, computer):
        return self.program(computer, debian_program("wsdd2", "usr/sbin/wsdd2"), "-4", "-w", "-i", "eth0",
                            "-N", "OTHER", "-G", "GROUP", "-W", "-W", "-W")

    def answer(self, ear, types, part, source="10.77.0.1"):
        """Asks from B until the answer that holds `part` has come."""
        asker = self.lan.udp("B", "10.77.0.2")
        port = asker.getsockname()[1]

        def heard():
            asker.sendto(wsd.probe(types), GROUP)
            return [p for p in ear.udp(b"/ProbeMatches<", source=source)
                    if part in p.payload and p.target_port == port]
        return wait_until(heard, f"an answer with {part}", every=0.5)[0]

    def both_answer_beside(self, start_other, station_first, answers_alone=False):
        with Plant("A", addresses=["10.77.0.1"]) as plant, Ear(self.lan, "B") as ear:
            station = self.station(plant)
            if station_first:
                station.start()
                self.answer(ear, "stn:Station", b"stn:Station")
            start_other("A")
            self.answer(ear, "wsdp:Device", b"wsdp:Device")
            if not station_first:
                station.start()
            ours = self.answer(ear, "stn:Station", b"stn:Station")
            self.assertEqual(field(ours.payload, "XAddrs"), "tcp://10.77.0.1:8883")
            self.answer(ear, "wsdp:Device", b"wsdp:Device")
            sockets = self.lan.on("A", "ss", "-Hulnp", "sport = 3702")
            programs = set(re.findall(r'\("([^"]+)"', sockets))
            self.assertIn("stationsync", programs)
            self.assertGreaterEqual(len(programs), 2, sockets)
            if not answers_alone:
                return
            # What is sent to this computer alone is still the other program's.
            alone = self.lan.udp("B", "10.77.0.2")
            question = wsd.new_id()

            def answered():
                alone.sendto(wsd.probe("wsdp:Device", message_id=question), ("10.77.0.1", 3702))
                return [p for p in ear.udp(b"/ProbeMatches<") if field(p.payload, "RelatesTo") == question]
            wait_until(answered, "the other program is asked alone", every=0.5)

    def test_beside_wsdd_that_was_first(self):
        self.both_answer_beside(self.wsdd, station_first=False)

    def test_beside_wsdd_that_came_later(self):
        self.both_answer_beside(self.wsdd, station_first=True)

    def test_beside_wsdd2_that_was_first(self):
        self.both_answer_beside(self.wsdd2, station_first=False, answers_alone=True)

    def test_beside_wsdd2_that_came_later(self):
        self.both_answer_beside(self.wsdd2, station_first=True, answers_alone=True)

    def foreign_devices_are_ignored(self, start_other):
        with Plant("A", addresses=["10.77.0.1"]) as plant, Ear(self.lan, "B") as ear:
            start_other("B")
            station = self.station(plant).start()
            asker = self.lan.udp("A", "10.77.0.1")

            def is_there():
                asker.sendto(wsd.probe("wsdp:Device"), GROUP)
                return ear.udp(b"/ProbeMatches<", source="10.77.0.2")
            wait_until(is_there, "the other program answers", every=0.5)
            wait_until(lambda: "foreign device ignored" in station.log_text(), "it is in the log")
            self.assertEqual([s for s in station.station_list() if s.get("name") != "A"], [])
            self.assertEqual(ear.connects("10.77.0.1"), set())

    def test_a_device_of_wsdd_is_ignored(self):
        # It answers no question of ours, but says Hello when it comes.
        with Plant("A", addresses=["10.77.0.1"]) as plant, Ear(self.lan, "B") as ear:
            station = self.station(plant).start()
            wait_until(lambda: ear.udp(b"/Hello<", source="10.77.0.1"), "the station is there")
            self.wsdd("B")
            wait_until(lambda: "foreign device ignored" in station.log_text(), "it is in the log")
            self.assertEqual([s for s in station.station_list() if s.get("name") != "A"], [])
            self.assertEqual(ear.connects("10.77.0.1"), set())

    def test_the_client_of_wsdd_hears_us_and_is_not_confused(self):
        with Plant("A", addresses=["10.77.0.1"]) as plant, Ear(self.lan, "B") as ear:
            station = self.station(plant)
            log = self.wsdd("B", "--discovery", "--no-host")
            wait_until(lambda: ear.udp(b"/Probe<", source="10.77.0.2"), "the client asks")
            station.start()
            identity = station.status()["station"]["id"]
            wait_until(lambda: identity in log.read_text(errors="replace"), "it has heard of the station")
            # Its questions are for printers and the like.
            self.answer(ear, "stn:Station", b"stn:Station")
            port = ear.udp(b"/Probe<", source="10.77.0.2")[0].source_port
            self.assertEqual([p for p in ear.udp(b"/ProbeMatches<", source="10.77.0.1")
                              if p.target_port == port], [])
            self.assertNotIn("Traceback", log.read_text(errors="replace"))

    def test_wsdd2_that_answers_everything_is_ignored(self):
        self.foreign_devices_are_ignored(self.wsdd2)

    def npm_finds(self, version, names):
        folder = npm_client()
        self.lan.on("B", "ip", "route", "add", "239.0.0.0/8", "dev", "eth0")
        with Plant("A", addresses=["10.77.0.1"]) as plant, Ear(self.lan, "B") as ear:
            station = self.station(plant).start()
            wait_until(lambda: ear.udp(b"/Hello<", source="10.77.0.1"), "the station is there")

            def found():
                done = subprocess.run(["ip", "netns", "exec", self.lan.namespaces["B"], "node", "--no-warnings",
                                       "-e", ASK, "--", version], cwd=folder, capture_output=True, text=True,
                                      check=False, timeout=60)
                return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            device = wait_until(found, "npm's client finds the station")[0]
            self.assertEqual(device["address"], f"urn:uuid:{station.status()['station']['id']}")
            self.assertEqual(device["types"], "stn:Station")
            self.assertEqual(device["xaddrs"], "tcp://10.77.0.1:8883")
            answers = [p for p in ear.udp(b"/ProbeMatches<", source="10.77.0.1")]
            other = next(n for n in wsd.VERSIONS.values() if n is not names)
            for packet in answers:
                self.assertIn(names["wsd"].encode(), packet.payload)
                self.assertNotIn(other["wsd"].encode(), packet.payload)
                self.assertNotIn(other["wsa"].encode(), packet.payload)

    def test_the_client_of_npm_finds_a_station_by_the_version_of_2005(self):
        self.npm_finds("2006", wsd.VERSIONS["2005/04"])

    def test_the_client_of_npm_finds_a_station_by_the_version_of_2009(self):
        self.npm_finds("1.1", wsd.VERSIONS["2009/01"])


if __name__ == "__main__":
    unittest.main()
