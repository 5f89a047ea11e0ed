"""A plant's network out of namespaces: bridges with computers on them, raw sockets and ears. Needs root."""

import ctypes
import os
import socket
import struct
import subprocess
import threading
import time
import unittest

from namespaces import run

NEW_NETWORK = 0x40000000
GROUPS = {4: "239.255.255.250", 6: "ff02::c"}
PORT = 3702


def inside(namespace, function):
    """What `function` returns, called in a network namespace by a thread of its own."""
    result = []

    def enter():
        try:
            with open(f"/run/netns/{namespace}") as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), NEW_NETWORK) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append((function(), None))
        except Exception as error:  # handed on below
            result.append((None, error))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    value, error = result[0]
    if error is not None:
        raise error
    return value


class Lan:
    """Computers `names` (namespaces), each with lo and the interfaces that `attach` gives it."""

    _made = 0

    def __init__(self, test, names, bridges=1, ipv6=False):
        Lan._made += 1
        self._test = test
        self._tag = f"{os.getpid()}-{Lan._made}"
        self._ipv6 = ipv6
        self.hub = f"stsync-{self._tag}-hub"
        self.namespaces = {name: f"stsync-{self._tag}-{name}" for name in names}
        self._ports = 0
        try:
            for namespace in (self.hub, *self.namespaces.values()):
                run("ip", "netns", "add", namespace)
                test.addCleanup(subprocess.run, ["ip", "netns", "del", namespace], check=False,
                                capture_output=True)
                for which in ("all", "default"):
                    self.run_in(namespace, "sysctl", "-qw", f"net.ipv6.conf.{which}.accept_dad=0")
                    if not ipv6:
                        self.run_in(namespace, "sysctl", "-qw", f"net.ipv6.conf.{which}.disable_ipv6=1")
                run("ip", "-n", namespace, "link", "set", "lo", "up")
            for number in range(bridges):
                run("ip", "-n", self.hub, "link", "add", f"lan{number}", "type", "bridge", "mcast_snooping", "0")
                run("ip", "-n", self.hub, "link", "set", f"lan{number}", "up")
        except (RuntimeError, FileNotFoundError) as error:
            raise unittest.SkipTest(f"no network namespaces here: {error}") from error

    @staticmethod
    def run_in(namespace, *command):
        return run("ip", "netns", "exec", namespace, *command)

    def on(self, name, *command):
        """Runs a command on the computer; its output."""
        return self.run_in(self.namespaces[name], *command)

    def attach(self, name, address=None, interface="eth0", bridge=0):
        """A cable from the computer's new interface to a bridge; `address` with the length of its prefix."""
        self._ports += 1
        port = f"port{self._ports}"
        run("ip", "link", "add", interface, "netns", self.namespaces[name], "type", "veth",
            "peer", "name", port, "netns", self.hub)
        run("ip", "-n", self.hub, "link", "set", port, "master", f"lan{bridge}", "up")
        if address:
            run("ip", "-n", self.namespaces[name], "address", "add", address, "dev", interface)
        run("ip", "-n", self.namespaces[name], "link", "set", interface, "up")
        return self

    def detach(self, name, interface="eth0"):
        run("ip", "-n", self.namespaces[name], "link", "del", interface)

    def link_local(self, name, interface="eth0"):
        text = self.on(name, "ip", "-6", "-o", "address", "show", "dev", interface, "scope", "link")
        return text.split("inet6 ")[1].split("/")[0] if "inet6 " in text else None

    def udp(self, name, address, port=0, shared=False, interface="eth0"):
        """A UDP socket of the computer that sends to the group by `interface`."""
        def make():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            if shared:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            index = socket.if_nametoindex(interface)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                            struct.pack("@4s4si", bytes(4), bytes(4), index))
            made.bind((address, port))
            made.settimeout(0.5)
            return made
        made = inside(self.namespaces[name], make)
        self._test.addCleanup(made.close)
        return made

    def groups(self, name, interface="eth0"):
        return self.on(name, "ip", "maddress", "show", "dev", interface)


class Packet:
    """A captured UDP datagram or TCP segment."""

    def __init__(self, at, family, hops, source, target, source_port, target_port, payload, syn):
        self.at, self.family, self.hops = at, family, hops
        self.source, self.target = source, target
        self.source_port, self.target_port = source_port, target_port
        self.payload, self.syn = payload, syn


def _read(at, frame):
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800:
        start = 14 + (frame[14] & 15) * 4
        family, hops, protocol = 4, frame[22], frame[23]
        source, target = (socket.inet_ntop(socket.AF_INET, frame[n:n + 4]) for n in (26, 30))
        if struct.unpack_from("!H", frame, 20)[0] & 0x1FFF:
            return None  # a later piece of a datagram
    elif kind == 0x86DD:
        start, family, hops, protocol = 54, 6, frame[21], frame[20]
        source, target = (socket.inet_ntop(socket.AF_INET6, frame[n:n + 16]) for n in (22, 38))
    else:
        return None
    if protocol not in (6, 17):
        return None
    source_port, target_port = struct.unpack_from("!HH", frame, start)
    if protocol == 17:
        length = struct.unpack_from("!H", frame, start + 4)[0]
        return Packet(at, family, hops, source, target, source_port, target_port,
                      frame[start + 8:start + length], None)
    return Packet(at, family, hops, source, target, source_port, target_port, b"",
                  frame[start + 13] & 0x12 == 0x02)


class Ear:
    """Hears all that one interface of a computer sends and receives, while it is open."""

    def __init__(self, lan, name, interface="eth0"):
        def make():
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            made.bind((interface, 0))
            made.settimeout(0.2)
            return made
        self._socket = inside(lan.namespaces[name], make)
        self._packets = []
        self._is_open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while self._is_open:
            try:
                frame = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            packet = _read(time.monotonic(), frame)
            if packet:
                self._packets.append(packet)

    def udp(self, part=b"", source=None, port=PORT):
        """The datagrams from or to the port that hold `part`."""
        return [p for p in list(self._packets) if p.syn is None and part in p.payload
                and port in (p.source_port, p.target_port) and source in (None, p.source)]

    def connects(self, source):
        """Where `source` has tried to connect to."""
        return {(p.target, p.target_port) for p in list(self._packets) if p.syn and p.source == source}

    def close(self):
        self._is_open = False
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
