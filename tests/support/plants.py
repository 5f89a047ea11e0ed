"""Stations that belong together."""

import contextlib
import errno
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import unittest

from station import PROGRAM, Station
from waiting import wait_until

# Of loopback addresses that tests take for their stations, and the UDP port that marks one as taken.
BLOCKS = 240 * 250
CLAIM_PORT = 8883


class Plant:
    """Stations of one test, in a temporary folder and a block of loopback addresses of their own.

    Use it in a `with` statement: at the end all processes are gone, after a failure their state is told.
    """

    def __init__(self, names="AB", folder=None, program=None, addresses=None):
        if not (program or PROGRAM):
            raise RuntimeError("STATIONSYNC_BIN names no program; run these tests through ctest or tools/test")
        self.program = program or PROGRAM
        self._own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="stationsync-test-"))
        self.stations = []
        self._claim = None
        for name, address in zip(names, addresses or self._own_addresses(len(names))):
            self.stations.append(Station(self, name, address))

    _tried = 0

    def _own_addresses(self, count):
        # 127.X.Y.n. Tests run beside each other, so a block is claimed by a socket bound to its last address;
        # the process id alone only makes a first try that is likely to be free.
        for _ in range(BLOCKS):
            number = (os.getpid() * 7 + Plant._tried) % BLOCKS
            Plant._tried += 1
            prefix = f"127.{10 + number // 250}.{1 + number % 250}"
            claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                claim.bind((prefix + ".254", CLAIM_PORT))
            except OSError as error:
                claim.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._claim = claim
            return [f"{prefix}.{n + 1}" for n in range(count)]
        raise RuntimeError("all blocks of loopback addresses are taken by other tests")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, unittest.SkipTest):
            self.tell()
        self.close()

    def __iter__(self):
        return iter(self.stations)

    def __getitem__(self, index):
        return self.stations[index]

    def tell(self, out=sys.stderr):
        """Prints what helps to understand a failure."""
        for station in self.stations:
            print(f"=== {station.name} ({station.address}) "
                  f"{'runs' if station.is_running() else 'does not run'}", file=out)
            with contextlib.suppress(Exception):
                print("stations:", json.dumps(station.station_list()), file=out)
                status = station.status()
                print("status:", json.dumps({k: status[k] for k in ("engine", "reason", "messages",
                                                                    "providers")}), file=out)
                print("not in step:", json.dumps(
                    [o for o in station.objects() if o["state"] != "in_sync"][:10]), file=out)
            print(station.output_tail(60), file=out)

    def close(self):
        for station in self.stations:
            if station.is_running():
                station.process.kill()
        for station in self.stations:
            if station.process is not None:
                station.process.wait()
        if self._claim:
            self._claim.close()
        if self._own_folder and os.environ.get("STATIONSYNC_KEEP") != "1":
            shutil.rmtree(self.folder, ignore_errors=True)

    def join_all(self, *make_providers, product_version="1.0"):
        """The first station inits, the others join; each provider is made by function(station)."""
        first = self.stations[0].init()
        code = first.invite()
        for station in self.stations[1:]:
            station.join(code)
        for station in self.stations:
            station.configure(*(make(station) for make in make_providers), product_version=product_version)
        return self

    def start_all(self):
        for station in self.stations:
            station.start(wait=False)
        for station in self.stations:
            station.wait_running()
        return self

    def wait_connected(self):
        for station in self.stations:
            station.wait_connected(*(other for other in self.stations if other is not station))
        return self

    def wait_all_synced(self, timeout=None):
        for station in self.stations:
            station.wait_all_synced(timeout)
        return self

    def wait_equal_digests(self, provider, timeout=None):
        """Green must mean proven equal: the digest over all objects agrees."""
        def equal():
            digests = {s.provider(provider)["digest"] for s in self.stations}
            return len(digests) == 1 and digests != {""}
        wait_until(equal, f"all stations have the same digest of {provider}", timeout)
        return self
