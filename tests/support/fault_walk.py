"""Kills a station at every named fault point and checks that each object is wholly old or wholly new.

A *scenario* is one thing that happens to a plant of two: A, the peer, and B, the victim. Each is first run
with a trace, which tells the points that it reaches; then, for every point, B is started with the order
to kill itself there, the scenario is run, B is started again without it, and all must come right. A third
of the runs also lose what was not fsynced (lose_unsynced.c), as a power cut does.
"""

import os
import pathlib
import re
import sqlite3
import time

import lose_unsynced
from stations import Failure, Plant, files_provider, put, sqlite_provider, wait_until

SHIM = os.environ.get("STATIONSYNC_LOSE_UNSYNCED", "")
TREE = pathlib.Path(__file__).resolve().parents[2]
REGISTRY = TREE / "tests" / "e2e" / "fault_points.txt"
TEMP_PREFIX = ".~stsync-"


def registry():
    """Name -> walk that must reach it: "files", "databases" or "both"."""
    points = {}
    for line in REGISTRY.read_text().splitlines():
        if line and not line.startswith("#"):
            name, walk = line.split()
            points[name] = walk
    return points


def points_in_sources():
    found = set()
    for part in ("host", "plugins"):
        for suffix in ("*.cpp", "*.hpp"):
            for file in (TREE / part).rglob(suffix):
                found.update(re.findall(r'STSYNC_FAULT_POINT\("([^"]+)"\)', file.read_text(encoding="utf-8")))
    return found


class Scenario:
    """act() does it; held(): what B holds now; allowed: the old and the new state; is_done(): both hold the new one."""

    def __init__(self, name, act, held, allowed, is_done):
        self.name, self.act, self.held, self.allowed, self.is_done = name, act, held, allowed, is_done

    def require_whole(self, when):
        held = self.held()
        if held not in self.allowed:
            raise Failure(f"{when} in {self.name}: B holds neither the old nor the new state but {held!r:.200}, "
                          f"allowed {[f'{state!r:.200}' for state in self.allowed]}")


class Walk:
    """A plant of two in step, and what can happen to it."""

    def __init__(self, walk, make_provider):
        self.walk = walk
        self.plant = Plant("AB")
        self.peer, self.victim = self.plant.stations
        self.plant.join_all(make_provider)
        for station in self.plant:
            # So that a small file takes the way of big ones, too.
            station.station_setting("sync", 'live_above = "256kB"')
        self.side = self.victim.folder.parent / "undo"
        self.side.mkdir()
        self.number = 0

    def unique(self):
        self.number += 1
        return self.number

    # One run --------------------------------------------------------------------------------------

    def trace(self, scenario):
        """Runs the scenario undisturbed; returns the points that B reached."""
        file = self.victim.folder / "trace.txt"
        file.unlink(missing_ok=True)
        self.victim.start({"STATIONSYNC_FAULT_TRACE": str(file)})
        self.plant.wait_connected().wait_all_synced()
        at_start = set(file.read_text().split()) if file.exists() else set()
        prepared = scenario()
        prepared.act()
        wait_until(prepared.is_done, f"{prepared.name} is done")
        self.plant.wait_all_synced()
        self.victim.stop()
        return at_start, set(file.read_text().split()) - at_start if file.exists() else set()

    def kill_at(self, point, scenario, cut_power):
        """Returns whether the point was reached."""
        environment = {"STATIONSYNC_FAULT_POINT": point}
        if cut_power:
            environment.update(LD_PRELOAD=SHIM, LOSE_UNSYNCED_ROOT=str(self.victim.folder),
                               LOSE_UNSYNCED_SIDE=str(self.side),
                               ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
        self.victim.start(environment, wait=False)
        self._wait_in_step_or_dead()
        prepared = None
        if self.victim.is_running():
            prepared = scenario()
            prepared.act()
        reached = self._wait_dead(prepared)
        if cut_power:
            lose_unsynced.PowerCut(self.side, self.victim.folder).lose()
        if prepared is not None and reached:
            prepared.require_whole(f"killed at {point}{' with loss of what was not synced' if cut_power else ''}")
        self.victim.start()
        if prepared is not None:
            wait_until(prepared.is_done, f"{prepared.name} is done after the kill at {point}"
                       f"{' with loss of what was not synced' if cut_power else ''}")
        self.plant.wait_connected().wait_all_synced()
        self._expect_no_litter(point)
        self.victim.stop()
        return reached

    def _wait_in_step_or_dead(self):
        def ready():
            if not self.victim.is_running():
                return True
            return (self.victim.peer(self.peer) or {}).get("state") == "connected" and all(
                p["unsynced"] == 0 and p["state"] == "ok" for p in self.victim.status()["providers"])
        wait_until(ready, "B is in step or dead")

    def _wait_dead(self, prepared):
        """True when B killed itself; False when the scenario went through without reaching the point."""
        def over():
            return not self.victim.is_running() or (prepared is not None and prepared.is_done())
        wait_until(over, "B dies or is done")
        try:
            # What comes after the visible end (the record, tidying) reaches points, too.
            wait_until(lambda: not self.victim.is_running(), "B dies", timeout=3)
        except Failure:
            self.victim.stop()
            return False
        self.victim.wait_killed()
        return True

    def _expect_no_litter(self, point):
        def litter():
            parts = list((self.victim.root / "sync").rglob("*.part"))
            return parts + [p for p in self.victim.data.rglob(TEMP_PREFIX + "*")]
        wait_until(lambda: not litter(), f"no litter is left after the kill at {point}")

    # The whole ------------------------------------------------------------------------------------

    def run(self, scenarios):
        """Walks over all points of the registry that belong to this walk; returns text lines."""
        self.plant.start_all().wait_connected().wait_all_synced()
        self.prepare()
        self.victim.stop()
        wanted = sorted(name for name, walk in registry().items() if walk in (self.walk, "both"))
        at_start, reached_in = set(), {}
        for scenario in scenarios:
            started, reached = self.trace(scenario)
            at_start |= started
            for name in reached:
                reached_in.setdefault(name, []).append(scenario)
        lines, missing = [], []
        begin = time.monotonic()
        for index, name in enumerate(wanted):
            cut_power = index % 3 == 0
            # The rarest way to the point is the one that says most about it; without one, the start.
            ways = reached_in.get(name, [])[:1] or ([scenarios[0]] if name in at_start else scenarios)
            if not any(self.kill_at(name, scenario, cut_power) for scenario in ways):
                missing.append(name)
            # What start reaches already is hit in the midst of its work, too, if it comes by often enough.
            if name in at_start:
                for count in (4, 7, 10):
                    self.kill_at(f"{name}:{count}", scenarios[0], count == 7)
            lines.append(f"{time.monotonic() - begin:6.1f} s  {name}{'  (power cut)' if cut_power else ''}")
        if missing:
            raise Failure(f"no run reached these points of tests/e2e/fault_points.txt: {', '.join(missing)}")
        return lines


class FileWalk(Walk):
    def __init__(self):
        super().__init__("files", files_provider)

    def path(self, station, name):
        return station.data / "recipes" / name

    def content(self, station, name):
        try:
            return self.path(station, name).read_bytes()
        except FileNotFoundError:
            return None

    def prepare(self):
        for name in ("r.txt", "s.txt"):
            put(self.path(self.peer, name), b"first")
        put(self.path(self.peer, "big.bin"), os.urandom(1_500_000))
        wait_until(lambda: self.content(self.victim, "big.bin") == self.content(self.peer, "big.bin"),
                   "B has the files")
        self.plant.wait_all_synced()

    def _change(self, title, author, name, content):
        allowed = {self.content(self.victim, name), content}

        def is_done():
            return self.content(self.peer, name) == content and self.content(self.victim, name) == content
        return Scenario(title, lambda: put(self.path(author, name), content),
                        lambda: self.content(self.victim, name), allowed, is_done)

    def receive_change(self):
        return self._change("receiving a change", self.peer, "r.txt", b"change %d" % self.unique())

    def receive_new(self):
        number = self.unique()
        return self._change("receiving a new file", self.peer, f"new {number}.txt", b"new %d" % number)

    def receive_big(self):
        content = bytearray(self.content(self.peer, "big.bin"))
        content[700_000:800_000] = os.urandom(100_000)
        return self._change("receiving a big file", self.peer, "big.bin", bytes(content))

    def receive_new_big(self):
        return self._change("receiving a new big file", self.peer, f"big {self.unique()}.bin", os.urandom(900_000))

    def publish_change(self):
        return self._change("publishing a change", self.victim, "s.txt", b"change %d" % self.unique())

    def publish_new(self):
        number = self.unique()
        return self._change("publishing a new file", self.victim, f"own {number}.txt", b"own %d" % number)

    def publish_big(self):
        return self._change("publishing a big file", self.victim, f"own {self.unique()}.bin", os.urandom(900_000))

    def put_back(self):
        current = self.content(self.victim, "r.txt")
        backup = b"backup %d" % self.unique()

        def act():
            path = self.path(self.victim, "r.txt")
            put(path, backup)
            then = time.time() - 300 * 86_400
            os.utime(path, (then, then))
        return Scenario("putting a restored old file back", act,
                        lambda: self.content(self.victim, "r.txt"), (current, backup),
                        lambda: self.content(self.victim, "r.txt") == current)

    def deleted(self):
        current = self.content(self.victim, "s.txt")
        return Scenario("bringing a deleted file back", lambda: self.path(self.victim, "s.txt").unlink(),
                        lambda: self.content(self.victim, "s.txt"), (current, None),
                        lambda: self.content(self.victim, "s.txt") == current)

    def scenarios(self):
        return [self.receive_change, self.receive_new, self.receive_big, self.receive_new_big, self.publish_change,
                self.publish_new, self.publish_big, self.put_back, self.deleted]


class DatabaseWalk(Walk):
    def __init__(self):
        super().__init__("databases", lambda s: sqlite_provider(s, files=("*.db",)))

    def path(self, station, name):
        return station.data / "db" / name

    def write(self, station, name, number):
        database = sqlite3.connect(self.path(station, name), isolation_level=None, timeout=30)
        database.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, number INTEGER, filler BLOB)")
        database.execute("BEGIN IMMEDIATE")
        for row in range(1, 1800):  # so many pages that they are copied in several steps
            database.execute("INSERT OR REPLACE INTO t VALUES (?, ?, ?)", (row, number, os.urandom(2000)))
        database.execute("COMMIT")
        database.close()

    def numbers(self, station, name):
        """The set of numbers in all rows: one element when it is whole; None when there is no database."""
        path = self.path(station, name)
        if not path.exists():
            return None
        database = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return "damaged"
            if database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
                return None
            return tuple(sorted({n for (n,) in database.execute("SELECT number FROM t")}))
        except sqlite3.OperationalError as error:
            # Files beside the database vanish while it is opened: a look at the wrong moment.
            if "locked" in str(error) or "I/O" in str(error):
                return "busy"
            raise
        finally:
            database.close()

    def settled_numbers(self, station, name):
        """The same at a quiet moment; a database that stays unreadable fails."""
        wait_until(lambda: self.numbers(station, name) != "busy", f"{name} can be read")
        return self.numbers(station, name)

    def prepare(self):
        self.write(self.peer, "batch.db", 0)
        wait_until(lambda: self.numbers(self.victim, "batch.db") == (0,), "B has the database")
        self.plant.wait_all_synced()

    def _change(self, title, author, name):
        number = self.unique()
        allowed = {self.settled_numbers(self.victim, name), (number,), None}

        def is_done():
            return all(self.numbers(station, name) == (number,) for station in self.plant)
        return Scenario(title, lambda: self.write(author, name, number),
                        lambda: self.settled_numbers(self.victim, name), allowed, is_done)

    def receive_change(self):
        return self._change("receiving a change of a database", self.peer, "batch.db")

    def receive_new(self):
        return self._change("receiving a new database", self.peer, f"new {self.unique()}.db")

    def publish_change(self):
        return self._change("publishing a change of a database", self.victim, "batch.db")

    def publish_new(self):
        return self._change("publishing a new database", self.victim, f"own {self.unique()}.db")

    def deleted(self):
        current = self.numbers(self.victim, "batch.db")

        def act():
            for suffix in ("", "-wal", "-shm", "-journal"):
                self.path(self.victim, "batch.db" + suffix).unlink(missing_ok=True)
        return Scenario("bringing a deleted database back", act,
                        lambda: self.settled_numbers(self.victim, "batch.db"), (current, None),
                        lambda: self.numbers(self.victim, "batch.db") == current)

    def scenarios(self):
        return [self.receive_change, self.receive_new, self.publish_change, self.publish_new, self.deleted]
