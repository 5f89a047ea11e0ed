"""The story that tools/demo tells: three real stations, every step verified from outside."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import socket
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

import demo_plant  # noqa: E402
from demo_databases import SqliteBatch, SqlServerBatch  # noqa: E402
from stations import Failure, files_provider, wait_until  # noqa: E402

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


def listed(names):
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


class Story:
    """Of two stations, B also plays the part of C."""

    def __init__(self, plant, batch):
        self.plant = plant
        self.batch = batch
        self.a, self.b, self.c = plant[0], plant[1], plant[-1]
        self.others = plant.stations[1:]
        self.all_names = listed([station.name for station in plant])
        self.other_names = listed([station.name for station in self.others])
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
        more = "another joins" if len(self.others) == 1 else "two more join"
        title(1, f"A plant with one station, {more}")
        count = demo_plant.write_files(self.a.data)
        self.batch.set_up(self.plant)
        tell(f"       station A holds {count} files (recipes, report templates, materials) and {self.batch.kind};")
        tell(f"       {self.other_names} {'holds' if len(self.others) == 1 else 'hold'} nothing.")

        def files(folder):
            return lambda station: files_provider(station, folder, folder, settle="500ms", scan="10s")

        self.plant.join_all(*map(files, FILE_PROVIDERS), self.batch.provider)
        self.batch.give_passwords(self.plant)
        tell("       A: stationsync init --project Plant --station A      "
             f"{', '.join(station.name for station in self.others)}: stationsync join CODE")
        self.plant.start_all()

    def find_each_other(self):
        title(2, "The stations find each other")
        self.plant.wait_connected()
        wait_until(lambda: not any(peer["reasons"] for peer in self.a.station_list()),
                   "A has compared the back ends of the others with its own")
        tell(self.a.cli("stations").rstrip())
        for station in self.plant:
            for other in self.plant:
                if other is not station:
                    wait_until(lambda: station.peer(other)["found"] and station.peer(other)["found_by"],
                               f"{station.name} has found {other.name} and was found by it")
        verified("each has found every other one and was found by it")

    def first_synchronization(self):
        title(3, f"Everything of A arrives on {self.other_names}")
        begin = time.monotonic()
        wanted = {folder: tree(self.a.data / folder) for folder in FILE_PROVIDERS}
        for station in self.others:
            for folder in FILE_PROVIDERS:
                wait_until(lambda: tree(station.data / folder) == wanted[folder],
                           f"{station.name} has all files of {folder}")
        tell(f"       {sum(map(len, wanted.values()))} files after {milliseconds(begin)}")
        self.plant.wait_all_synced()
        self.programs = [self.batch.program(station) for station in self.plant]
        self.expect_equal_rows()
        verified("all files byte by byte, all rows of the batch database")

    def expect_equal_rows(self):
        def equal():
            contents = [program.rows() for program in self.programs]
            return all(contents) and all(content == contents[0] for content in contents)
        wait_until(equal, f"the databases hold the same rows on {self.all_names}")

    def recipe_file_travels(self):
        title(4, "An operator edits a recipe on A")
        relative = "recipes/Pilsner/Pilsner 100 hl.xml"
        content = demo_plant.recipe_text("Pilsner", 100, mash_temperature_c=66).encode()
        (self.a.data / relative).write_bytes(content)
        begin = time.monotonic()
        for station in self.others:
            station.wait_file(relative, content)
        tell(f"       {relative} is on {self.other_names} after {milliseconds(begin)} "
             "(500 ms of them waiting for more edits)")
        verified(f"same bytes on {self.all_names}")

    def database_row_travels(self):
        title(5, f"A batch program on B {self.batch.change_title}")
        on_b = self.programs[1]
        recipe = ("Wheat Beer", 3, "Heating")
        before = self.programs[0].setpoint(*recipe)
        self.batch.before_change()
        on_b.change_setpoint(*recipe, before + 1.5)
        begin = time.monotonic()
        elsewhere = [program for program in self.programs if program is not on_b]
        for program in elsewhere:
            wait_until(lambda: program.setpoint(*recipe) == before + 1.5,
                       f"the batch program on {program.station.name} shows the new setpoint")
        tell(f"       Wheat Beer, version 3, Heating: {before} °C -> {before + 1.5} °C, "
             f"visible on {listed([p.station.name for p in elsewhere])} after {milliseconds(begin)}")
        self.batch.tell_change(tell, self.b)
        self.expect_equal_rows()
        verified(self.batch.compared)

    def conflict(self):
        name = self.c.name
        title(6, f"A and {name} edit the same recipe while they cannot see each other's edit")
        relative = "recipes/Porter/Porter 200 hl.xml"
        key = relative.split("/", 1)[1]
        self.plant.wait_all_synced()
        self.c.cli("stop")
        tell(f"       the engine of {name} is stopped; A sets 61 °C, then {name} sets 68 °C")
        earlier = demo_plant.recipe_text("Porter", 200, mash_temperature_c=61).encode()
        later = demo_plant.recipe_text("Porter", 200, mash_temperature_c=68).encode()
        published = self.a.provider("recipes")["published"]
        (self.a.data / relative).write_bytes(earlier)
        wait_until(lambda: self.a.provider("recipes")["published"] > published, "A has sealed its edit")
        (self.c.data / relative).write_bytes(later)
        self.c.cli("start")
        for station in self.plant:
            station.wait_file(relative, later)
        lost = self.a.wait_history("conflict_lost", "recipes", key)[-1]
        tell(f"       the later change, {name}'s 68 °C, wins everywhere; A's 61 °C is in the history "
             f"(version {lost['version']})")
        tell("       " + self.a.cli("explain", f"recipes/{key}").strip().replace("\n", "\n       "))
        if not lost["kept"]:
            raise Failure("the loser of the conflict is not kept in the history of A")
        verified(f"same bytes on {self.all_names}; the losing state is kept on A")

    def killed_in_transfer(self):
        name = self.c.name
        title(7, f"{name} loses power in the middle of a transfer of 256 MB")
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
        wait_until(transfer_has_begun, f"{name} receives the first blocks", every=0.001)
        self.c.kill()
        arrived = (self.c.data / relative).exists()
        tell(f"       {name} is killed (SIGKILL); the file is {'already' if arrived else 'not'} there")
        if arrived:
            raise Failure("the transfer was finished before the kill; the step shows nothing")
        if self.b is not self.c:
            self.b.wait_file(relative, content)
            tell("       B has it meanwhile")
        tell(f"       {name} starts again")
        self.c.start()
        begin = time.monotonic()
        self.c.wait_file(relative, content)
        tell(f"       {name} has caught up after {milliseconds(begin)}")
        self.plant.wait_all_synced()
        if list(sync.rglob("*.part")):
            raise Failure(f"partial files stay behind in {sync}")
        verified(f"same 256 MB on {self.all_names}, no partial file left behind")

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
        verified(f"same bytes on {self.all_names}")

    def prove_equal(self):
        title(9, "Green means proven equal")
        self.plant.wait_all_synced()
        self.a.cli("verify")
        for folder in FILE_PROVIDERS:
            trees = [tree(station.data / folder) for station in self.plant]
            if any(each != trees[0] for each in trees):
                raise Failure(f"the file trees of {self.all_names} differ in {folder}")
        self.expect_equal_rows()
        tell(self.a.cli("status").rstrip())
        verified("`stationsync verify` on A, all files and all rows compared from outside")


def leave_running(plant, batch):
    root = os.path.relpath(plant.folder)
    program = os.path.relpath(plant.program)
    tell(f"""
The stations go on. Try, in another terminal:
    echo '<recipe/>' > "{root}/A/data/recipes/Mine.xml"; ls {root}/*/data/recipes/Mine.xml
    {program} --root {root}/A/root status           (also: stations, objects, history, log -f)
    {batch.try_it(root)}
Ctrl-C ends them.""")
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        while True:
            time.sleep(3600)
    tell("\nending the stations")


def chosen_batch(arguments):
    """What the command line asks for; tools/demo has checked it."""
    if "--sqlserver" not in arguments:
        return SqliteBatch()
    return SqlServerBatch(argument for argument in arguments if not argument.startswith("--"))


def main():
    check = "--check" in sys.argv[1:]
    batch = chosen_batch(sys.argv[1:])
    names = "ABC" if len(getattr(batch, "connection_strings", ())) != 2 else "AB"
    addresses = ADDRESSES[:len(names)]
    busy = busy_place()
    if busy:
        print(f"tools/demo: {busy}; end it (another demonstration, an MQTT broker?) and start again.",
              file=sys.stderr)
        return 1
    folder = TOP / "build" / ("demo-check" if check else "demo")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tell(f"StationSync demonstration: stations {', '.join(names)} on {', '.join(addresses)}, files under "
         f"{os.path.relpath(folder)}")
    plant = batch.plant(names, folder, addresses)
    try:
        Story(plant, batch).tell_all()
        elapsed = int(time.monotonic() - BEGIN)
        tell(f"\nAll 9 steps verified after {elapsed // 60}:{elapsed % 60:02}.")
        if not check:
            leave_running(plant, batch)
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
