"""The station list is an SQLite database that the stations themselves keep in step."""

import contextlib
import json
import pathlib
import shutil
import sqlite3
import unittest

from stations import Plant, sqlite_provider, wait_until

PROJECT_QUERY = "SELECT value FROM settings WHERE name = 'project'"


def list_file(station):
    return station.data / "db" / "stations.db"


def configure(station, discovery):
    provider = sqlite_provider(station, name="configurator", files=["stations.db"])
    station.project_file().write_text(f'product_version = "1.0"\n\n{provider}\n{discovery}',
                                      encoding="utf-8")


def discovery_of(station, first):
    """The list, and the one station where it comes from at first."""
    return (f'[discovery.list]\nplugin = "discovery-static"\nstations = {json.dumps([first])}\n'
            f'database = {json.dumps(str(list_file(station)))}\n'
            f'project_query = {json.dumps(PROJECT_QUERY)}\n')


def listed(station):
    rows = station.cli_json("configurator", "list", "--database", str(list_file(station)))["stations"]
    return [row["name"] for row in rows]


def set_project(station, name):
    with contextlib.closing(sqlite3.connect(list_file(station), timeout=30)) as database:
        database.execute("UPDATE settings SET value = ?", (name,))
        database.commit()


class SynchronizedList(unittest.TestCase):
    def start(self, plant):
        code = plant[0].init().invite()
        for station in plant.stations[1:]:
            station.join(code)
        for station in plant.stations[:3]:
            configure(station, discovery_of(station, plant[0].address))
        plant[0].cli("configurator", "init")
        for station in plant.stations[:3]:
            plant[0].cli("configurator", "add-station", station.name, station.address)
            station.start(wait=False)
        for station in plant.stations[:3]:
            station.wait_running()
        for station in plant.stations[:3]:
            station.wait_connected(*(s for s in plant.stations[:3] if s is not station))
            station.wait_synced("configurator", "stations.db")
            wait_until(lambda station=station: listed(station) == ["A", "B", "C"], "the list is whole")

    def test_station_added_on_one_is_dialled_by_all(self):
        with Plant("ABCD") as plant:
            a, b, c, d = plant
            self.start(plant)
            configure(d, "")  # knows nobody, so it can only be found
            # A program keeps the list open while it is replaced beneath it.
            reader = sqlite3.connect(list_file(c), timeout=30, isolation_level=None)
            self.addCleanup(reader.close)
            count = "SELECT count(*) FROM stations"
            self.assertEqual(reader.execute(count).fetchone()[0], 3)

            a.cli("configurator", "add-station", "D", d.address)
            for station in (b, c):
                wait_until(lambda station=station: "D" in listed(station),
                           f"D is in the list of {station.name}")
            self.assertEqual(reader.execute(count).fetchone()[0], 4)

            # Nobody who has met D can tell of it, and D has met nobody: each is alone with its list.
            for station in (a, b, c):
                station.stop()
            untouched = d.folder / "untouched"
            shutil.copytree(d.root, untouched)
            for alone in (c, b, a):
                shutil.rmtree(d.root)
                shutil.copytree(untouched, d.root)
                list_file(d).unlink(missing_ok=True)
                alone.start()
                d.start()
                wait_until(lambda alone=alone: (alone.peer("D") or {}).get("found") is True,
                           f"{alone.name} dials D")
                d.stop()
                alone.stop()
            plant.start_all().wait_connected().wait_all_synced()
            self.assertEqual(listed(d), ["A", "B", "C", "D"])

            b.cli("configurator", "remove-station", "D")
            for station in plant:
                wait_until(lambda station=station: "D" not in listed(station),
                           f"D is not in the list of {station.name} any more")
            plant.wait_all_synced().wait_equal_digests("configurator")

    def test_list_of_another_project_is_told_and_its_stations_left_alone(self):
        with Plant("ABCD") as plant:
            a, b, c, _ = plant
            self.start(plant)
            set_project(b, "Elsewhere")
            for station in (a, b, c):
                station.wait_message('that of project "Elsewhere"')
            a.cli("configurator", "add-station", "X", "127.0.0.9")
            for station in (b, c):
                wait_until(lambda station=station: "X" in listed(station),
                           f"X is in the list of {station.name}")
                found = wait_until(lambda station=station: station.peer("X"),
                                   f"{station.name} shows X")
                self.assertIn("Elsewhere", json.dumps(found["reasons"]))
            set_project(c, "Plant")
            for station in (a, b, c):
                wait_until(lambda station=station: not station.messages("Elsewhere"),
                           f"{station.name} takes the message back")


class OverOdbc(unittest.TestCase):
    def test_whole_connection_string_is_a_secret_that_nobody_tells(self):
        drivers = pathlib.Path("/etc/odbcinst.ini")
        if not drivers.exists() or "[SQLite3]" not in drivers.read_text():
            raise unittest.SkipTest("no ODBC driver [SQLite3] (package libsqliteodbc); not checked here")
        with Plant("AB") as plant:
            a, b = plant
            code = a.init().invite()
            b.join(code)
            configure(a, '[discovery.list]\nplugin = "discovery-static"\n'
                         'odbc = { secret = "LIST" }\ninterval = 1\n')
            configure(b, "")
            list_path = str(a.folder / "list.db")
            a.cli("configurator", "init", "--database", list_path)
            a.cli("configurator", "add-station", "B", b.address, "--database", list_path)
            plant.start_all()
            a.wait_message("secret set")
            string = "Driver={SQLite3};NoCreat=1;PWD=geheim47;Database="
            a.cli("secret", "set", "LIST", given=string + list_path)
            wait_until(lambda: (a.peer("B") or {}).get("found") is True, "A dials B")
            wait_until(lambda: not a.messages("station list"), "the message is taken back")
            a.cli("secret", "set", "LIST", given=string + "/nowhere/list.db")
            a.wait_message("cannot be reached")
            self.assertIn("last known list", a.messages("cannot be reached")[0]["text"])
            everything = a.log_text() + json.dumps(a.status()) + a.output.read_text()
            self.assertIn("cannot be reached", everything)
            self.assertNotIn("geheim47", everything)
            self.assertNotIn("/nowhere/", everything)


if __name__ == "__main__":
    unittest.main()
