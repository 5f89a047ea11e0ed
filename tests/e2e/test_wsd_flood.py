"""Ten thousand datagrams a second to the group, from one computer: what it costs, and who is still answered."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

import wsd
from lan import Lan
from stations import IS_RELEASE, Plant, files_provider, need_root, wait_until
from wsd import configure, field

GROUP = ("239.255.255.250", 3702)
SECONDS = 30 if IS_RELEASE else 5
RATE = 10_000

FLOOD = """
import socket, struct, sys, time, uuid
payload, rate, seconds = bytes.fromhex(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.3"))
made.bind(("10.77.0.3", 41000))
made.setblocking(False)
answers = 0
def listen():
    global answers
    try:
        while made.recv(65536):
            answers += 1
    except BlockingIOError:
        pass
head, tail = payload.split(b"@ID@")
begin, sent = time.monotonic(), 0
while (now := time.monotonic()) < begin + seconds:
    if sent >= (now - begin) * rate:
        time.sleep(0.001)
        continue
    made.sendto(head + b"%032x" % sent + tail, ("239.255.255.250", 3702))
    sent += 1
    if sent % 1000 == 0:
        listen()
listen()
print(sent, answers)
"""


def processor_seconds(pid):
    values = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


class WsdFlood(unittest.TestCase):
    def setUp(self):
        need_root("making network namespaces")

    @staticmethod
    def is_answered(asker):
        """One question, repeated as an asker does; true when its answer comes within 3 s."""
        question = wsd.new_id()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            asker.sendto(wsd.probe(message_id=question), GROUP)
            try:
                if field(asker.recv(65536), "RelatesTo") == question:
                    return True
            except TimeoutError:
                continue
        return False

    def test_a_flood_is_cheap_and_keeps_nobody_else_from_being_found(self):
        lan = Lan(self, "ABX")
        for number, name in enumerate("ABX"):
            lan.attach(name, f"10.77.0.{number + 1}/24")
        with Plant("A", addresses=["10.77.0.1"]) as plant:
            station = plant[0]
            station.namespace = lan.namespaces["A"]
            configure(station.init(), files_provider(station)).start()
            asker = lan.udp("B", "10.77.0.2", 40000)

            wait_until(lambda: self.is_answered(asker), "the station answers")

            payload = wsd.probe(message_id="urn:uuid:@ID@")
            flood = subprocess.Popen(
                ["ip", "netns", "exec", lan.namespaces["X"], sys.executable, "-c", FLOOD, payload.hex(), str(RATE),
                 str(SECONDS)], stdout=subprocess.PIPE, text=True)
            memory = station.resident_bytes()
            begin, used = time.monotonic(), processor_seconds(station.pid())
            good = asked = 0
            while flood.poll() is None:
                asked += 1
                good += 1 if self.is_answered(asker) else 0
            elapsed, used = time.monotonic() - begin, processor_seconds(station.pid()) - used
            sent, answers = (int(number) for number in flood.communicate()[0].split())
            share = 100 * used / elapsed
            print(f"{sent} datagrams in {elapsed:.1f} s: {share:.1f} % of a core, {answers} answers to it, {good} of {asked} "
                  f"honest questions answered, {(station.resident_bytes() - memory) / 1024:.0f} KiB more memory", file=sys.stderr)
            self.assertGreaterEqual(good, max(1, asked * 9 // 10))
            self.assertLessEqual(answers, 5 * (elapsed + 2))
            self.assertLess(station.resident_bytes() - memory, 8 << 20)
            if IS_RELEASE:
                self.assertGreater(sent, RATE * SECONDS * 0.8, "this machine is too busy for such a flood")
                self.assertLess(share, 10)


if __name__ == "__main__":
    unittest.main()
