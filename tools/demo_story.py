"""The story that tools/demo tells: three real stations, every step verified from outside."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

import demo_plant  # noqa: E402
from stations import Failure, Plant, files_provider, sqlite_provider, wait_until  # noqa: E402

ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
PORTS = (8883, 8884)
FILE_PROVIDERS = ("recipes", "templates", "materials")
BIG_FILE_BYTES = 256 * 1024 * 1024
BEGIN = time.monotonic()


def tell(text=""):
    print(text, flush=True)


def title(number, text):
    elapsed = int(time.monotonic() - BEGIN)
    tell(f"\n[{elapsed // 60}:{elapsed % 60:02}] {number}. {text}")


def verified(text):
    tell(f"       verified: {text}")


def milliseconds(begin):
    return f"{(time.monotonic() - begin) * 1000:.0f} ms"


def busy_place():
    """The first address that the demonstration needs and somebody else has; None when all are free."""
    for address in ADDRESSES:
        for port in PORTS:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    if error.errno != errno.EADDRINUSE:
                        return f"{address}:{port} cannot be used: {error.strerror}"
                    return f"{address}:{port} is in use by another program"
    return None


def tree(folder):
    """Relative path -> bytes of all files, without the marker of the root."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".stationsync-root"}


def rows(database):
    tables = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
    return {table: sorted(map(repr, database.execute(f'SELECT * FROM "{table}"'))) for table in tables}


class BatchProgram:
    """A program of a station that keeps its connection to the batch database open."""

    def __init__(self, station):
        self.station = station
        self.connection = sqlite3.connect(station.data / "db" / "batch.db", timeout=10, isolation_level=None)

    def setpoint(self, recipe, version, phase):
        return self.connection.execute(
            "SELECT value FROM parameters JOIN phases ON phases.id = phase_id JOIN recipes ON recipes.id = recipe_id"
            " WHERE recipes.name = ? AND version = ? AND phases.name = ?", (recipe, version, phase)).fetchone()[0]

    def change_setpoint(self, recipe, version, phase, value):
        self.connection.execute(
            "UPDATE parameters SET value = ? WHERE phase_id = (SELECT phases.id FROM phases JOIN recipes"
            " ON recipes.id = recipe_id WHERE recipes.name = ? AND version = ? AND phases.name = ?)",
            (value, recipe, version, phase))


class Story:
    def __init__(self, plant):
        self.plant = plant
        self.a, self.b, self.c = plant.stations
        self.programs = []

    def tell_all(self):
        self.set_up()
        self.find_each_other()
        self.first_synchronization()
        self.recipe_file_travels()
        self.database_row_travels()
        self.conflict()
        self.killed_in_transfer()
        self.restore()
        self.prove_equal()

    def set_up(self):
        title(1, "A plant with one station, two more join")
        count = demo_plant.write_files(self.a.data)
        demo_plant.make_database(self.a.data / "db" / "batch.db")
        tell(f"       station A holds {count} files (recipes, report templates, materials) and a batch database;")
        tell("       B and C hold nothing.")

        def files(folder):
            return lambda station: files_provider(station, folder, folder, settle="500ms", scan="10s")

        self.plant.join_all(*map(files, FILE_PROVIDERS),
                            lambda station: sqlite_provider(station, settle="1s", scan="5s"))
        tell("       A: stationsync init --project Plant --station A      B, C: stationsync join CODE")
        self.plant.start_all()

    def find_each_other(self):
        title(2, "The stations find each other")
        self.plant.wait_connected()
        tell(self.a.cli("stations").rstrip())
        for station in self.plant:
            for other in self.plant:
                if other is not station:
                    wait_until(lambda: station.peer(other)["found"] and station.peer(other)["found_by"],
                               f"{station.name} has found {other.name} and was found by it")
        verified("each has found the other two and was found by them")

    def first_synchronization(self):
        title(3, "Everything of A arrives on B and C")
        begin = time.monotonic()
        wanted = {folder: tree(self.a.data / folder) for folder in FILE_PROVIDERS}
        for station in (self.b, self.c):
            for folder in FILE_PROVIDERS:
                wait_until(lambda: tree(station.data / folder) == wanted[folder],
                           f"{station.name} has all files of {folder}")
        tell(f"       {sum(map(len, wanted.values()))} files after {milliseconds(begin)}")
        self.plant.wait_all_synced()
        self.programs = [BatchProgram(station) for station in self.plant]
        self.expect_equal_rows()
        verified("all files byte by byte, all rows of the batch database")

    def expect_equal_rows(self):
        def equal():
            contents = [rows(program.connection) for program in self.programs]
            return all(contents) and contents[0] == contents[1] == contents[2]
        wait_until(equal, "the databases hold the same rows on A, B and C")

    def recipe_file_travels(self):
        title(4, "An operator edits a recipe on A")
        relative = "recipes/Pilsner/Pilsner 100 hl.xml"
        content = demo_plant.recipe_text("Pilsner", 100, mash_temperature_c=66).encode()
        (self.a.data / relative).write_bytes(content)
        begin = time.monotonic()
        for station in (self.b, self.c):
            station.wait_file(relative, content)
        tell(f"       {relative} is on B and C after {milliseconds(begin)} (500 ms of them waiting for more edits)")
        verified("same bytes on A, B and C")

    def database_row_travels(self):
        title(5, "A batch program on B changes a setpoint; it and the programs on A and C keep their connections open")
        on_a, on_b, on_c = self.programs
        recipe = ("Wheat Beer", 3, "Heating")
        before = on_a.setpoint(*recipe)
        on_b.change_setpoint(*recipe, before + 1.5)
        begin = time.monotonic()
        for program in (on_a, on_c):
            wait_until(lambda: program.setpoint(*recipe) == before + 1.5,
                       f"the open connection on {program.station.name} shows the new setpoint")
        tell(f"       Wheat Beer, version 3, Heating: {before} °C -> {before + 1.5} °C, "
             f"visible on A and C after {milliseconds(begin)}")
        self.expect_equal_rows()
        verified("all rows of all tables, through the connections that were open before")

    def conflict(self):
        title(6, "A and C edit the same recipe while they cannot see each other's edit")
        relative = "recipes/Porter/Porter 200 hl.xml"
        key = relative.split("/", 1)[1]
        self.plant.wait_all_synced()
        self.c.cli("stop")
        tell("       the engine of C is stopped; A sets 61 °C, then C sets 68 °C")
        earlier = demo_plant.recipe_text("Porter", 200, mash_temperature_c=61).encode()
        later = demo_plant.recipe_text("Porter", 200, mash_temperature_c=68).encode()
        (self.a.data / relative).write_bytes(earlier)
        self.b.wait_file(relative, earlier)
        (self.c.data / relative).write_bytes(later)
        self.c.cli("start")
        for station in (self.a, self.b):
            station.wait_file(relative, later)
        lost = self.a.wait_history("conflict_lost", "recipes", key)[-1]
        tell("       the later change, C's 68 °C, wins everywhere; A's 61 °C is in the history "
             f"(version {lost['version']})")
        tell("       " + self.a.cli("explain", f"recipes/{key}").strip().replace("\n", "\n       "))
        if not lost["kept"]:
            raise Failure("the loser of the conflict is not kept in the history of A")
        verified("same bytes on A, B and C; the losing state is kept on A")

    def killed_in_transfer(self):
        title(7, "C loses power in the middle of a transfer of 256 MB")
        relative = "materials/Laboratory archive.bin"
        content = os.urandom(BIG_FILE_BYTES)
        sync = self.c.root / "sync"

        def transfer_has_begun():
            for part in sync.rglob("*.part"):
                with contextlib.suppress(FileNotFoundError):
                    if part.stat().st_blocks * 512 > 4_000_000:
                        return part
            return None

        (self.a.data / relative).write_bytes(content)
        wait_until(transfer_has_begun, "C receives the first blocks", every=0.001)
        self.c.kill()
        arrived = (self.c.data / relative).exists()
        tell(f"       C is killed (SIGKILL); the file is {'already' if arrived else 'not'} there")
        if arrived:
            raise Failure("the transfer was finished before the kill; the step shows nothing")
        self.b.wait_file(relative, content)
        tell("       B has it, C starts again")
        self.c.start()
        begin = time.monotonic()
        self.c.wait_file(relative, content)
        tell(f"       C has caught up after {milliseconds(begin)}")
        self.plant.wait_all_synced()
        if list(sync.rglob("*.part")):
            raise Failure(f"partial files stay behind in {sync}")
        verified("same 256 MB on A, B and C, no partial file left behind")

    def restore(self):
        title(8, "An engineer on B brings the Pilsner recipe's former state back")
        relative = "recipes/Pilsner/Pilsner 100 hl.xml"
        key = relative.split("/", 1)[1]
        former = demo_plant.recipe_text("Pilsner", 100).encode()
        kept = [entry for entry in self.b.history("recipes", key)
                if entry["kept"] and entry["size"] == len(former)]
        if not kept:
            raise Failure(f"the history of B keeps no former state of {key}")
        version = str(kept[-1]["version"])
        tell(f"       B: stationsync restore \"recipes/{key}\" --version {version}")
        self.b.cli("restore", f"recipes/{key}", "--version", version)
        begin = time.monotonic()
        for station in self.plant:
            station.wait_file(relative, former)
        tell(f"       it is on all stations after {milliseconds(begin)}")
        verified("same bytes on A, B and C")

    def prove_equal(self):
        title(9, "Green means proven equal")
        self.plant.wait_all_synced()
        self.a.cli("verify")
        trees = [tree(station.data / folder) for station in self.plant for folder in FILE_PROVIDERS]
        folders = len(FILE_PROVIDERS)
        if not trees[:folders] == trees[folders:2 * folders] == trees[2 * folders:]:
            raise Failure("the file trees of A, B and C differ")
        self.expect_equal_rows()
        tell(self.a.cli("status").rstrip())
        verified("`stationsync verify` on A, all files and all rows compared from outside")


def leave_running(plant):
    root = os.path.relpath(plant.folder)
    program = os.path.relpath(plant.program)
    tell(f"""
The stations go on. Try, in another terminal:
    echo '<recipe/>' > "{root}/A/data/recipes/Mine.xml"; ls {root}/*/data/recipes/Mine.xml
    {program} --root {root}/A/root status           (also: stations, objects, history, log -f)
    sqlite3 {root}/B/data/db/batch.db "UPDATE materials SET stock_kg = 1 WHERE id = 1"
Ctrl-C ends them.""")
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        while True:
            time.sleep(3600)
    tell("\nending the stations")


def main():
    check = "--check" in sys.argv[1:]
    busy = busy_place()
    if busy:
        print(f"tools/demo: {busy}; end it (another demonstration, an MQTT broker?) and start again.",
              file=sys.stderr)
        return 1
    folder = TOP / "build" / ("demo-check" if check else "demo")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tell(f"StationSync demonstration: stations A, B, C on {', '.join(ADDRESSES)}, files under "
         f"{os.path.relpath(folder)}")
    plant = Plant("ABC", folder=folder, addresses=ADDRESSES)
    try:
        Story(plant).tell_all()
        elapsed = int(time.monotonic() - BEGIN)
        tell(f"\nAll 9 steps verified after {elapsed // 60}:{elapsed % 60:02}.")
        if not check:
            leave_running(plant)
        for station in plant:
            station.stop()
        return 0
    except Failure as failure:
        tell(f"\nFAILED: {failure}\n")
        plant.tell(sys.stdout)
        return 1
    except KeyboardInterrupt:
        tell("\ninterrupted, ending the stations")
        return 1
    finally:
        plant.close()


if __name__ == "__main__":
    sys.exit(main())
