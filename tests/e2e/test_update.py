"""What an engineer does to a running plant: update it station by station, bring an old backup back."""

import os
import shlex
import shutil
import sqlite3
import time
import unittest

from stations import Plant, files_provider, put, sqlite_provider, wait_until
from test_admission import wait_rejected


class Update(unittest.TestCase):
    def test_old_and_new_stations_stay_in_step_among_themselves_until_the_last_is_updated(self):
        with Plant("ABCD") as plant:
            a, b, c, d = plant
            plant.join_all(files_provider)
            put(a.data / "recipes" / "r.txt", b"before")
            plant.start_all().wait_connected()
            for station in plant:
                station.wait_file("recipes/r.txt", b"before")
            plant.wait_all_synced()

            def update(station):
                station.stop()
                station.configure(files_provider(station), product_version="2.0")
                station.start()

            for station in (a, b):
                update(station)
            for one, other in ((a, b), (c, d)):
                one.wait_connected(other)
            for new, old in ((a, c), (b, d)):
                wait_rejected(new, old, "product-version")
                wait_rejected(old, new, "product-version")
            # Both groups go on working, also on the same recipe.
            put(c.data / "recipes" / "old-group.txt", b"made on C")
            put(c.data / "recipes" / "r.txt", b"edited on C")
            d.wait_file("recipes/r.txt", b"edited on C")
            d.wait_file("recipes/old-group.txt", b"made on C")
            put(a.data / "recipes" / "new-group.txt", b"made on A")
            put(a.data / "recipes" / "r.txt", b"edited on A, later")
            b.wait_file("recipes/r.txt", b"edited on A, later")
            b.wait_file("recipes/new-group.txt", b"made on A")
            self.assertIsNone(a.object("recipes", "old-group.txt"))
            self.assertIsNone(d.object("recipes", "new-group.txt"))
            self.assertEqual((d.data / "recipes" / "r.txt").read_bytes(), b"edited on C")

            for station in (c, d):
                update(station)
            plant.wait_connected()
            for station in plant:
                station.wait_file("recipes/r.txt", b"edited on A, later")
                station.wait_file("recipes/old-group.txt", b"made on C")
                station.wait_file("recipes/new-group.txt", b"made on A")
            plant.wait_all_synced()
            lost = [h for s in (c, d) for h in s.history("recipes", "r.txt") if h["what"] == "conflict_lost"]
            self.assertTrue(lost and lost[-1]["kept"], lost)


    def test_what_an_update_converts_loses_to_edits_and_equal_results_are_no_conflict(self):
        with Plant("AB") as plant:
            a, b = plant
            databases = ("batch.db", "materials.db")

            def section(station):
                return sqlite_provider(station, files=databases)

            def convert(station, name):
                with sqlite3.connect(station.data / "db" / name) as database:
                    database.execute("ALTER TABLE batches ADD COLUMN unit TEXT")
                    database.execute("PRAGMA user_version=2")

            plant.join_all(section)
            for name in databases:
                with sqlite3.connect(a.data / "db" / name) as database:
                    database.execute("CREATE TABLE batches (id INTEGER PRIMARY KEY, name TEXT)")
                edit(a.data / "db" / name, "before")
            plant.start_all().wait_connected()
            wait_until(lambda: all((b.data / "db" / name).exists() for name in databases), "B has both")
            plant.wait_all_synced()

            def published(station, name):
                return [h for h in station.history("batchdb", name) if h["what"] == "published"]

            a.stop()
            edit(b.data / "db" / "batch.db", "edited on B")
            wait_until(lambda: published(b, "batch.db"), "B has published its edit")
            # Later than that edit, and yet it does not beat it.
            for name in databases:
                convert(a, name)
            a.configure(section(a), product_version="2.0")
            a.start()
            for name in databases:
                wait_until(lambda name=name: len(published(a, name)) == 2, f"A has published the new {name}")
            b.stop()
            convert(b, "materials.db")  # gives what A's conversion gave
            b.configure(section(b), product_version="2.0")
            b.start()
            plant.wait_connected().wait_all_synced()
            for station in plant:
                self.assertEqual(names(station.data / "db" / "batch.db"), ["before", "edited on B"])
                self.assertEqual(station.object("batchdb", "materials.db")["conflict"], None)
            for station, brought in ((a, 0), (b, 1)):  # B got the first state from A
                what = [h["what"] for h in station.history("batchdb", "materials.db")]
                self.assertEqual((what.count("applied"), what.count("conflict_lost")), (brought, 0), what)
            lost = a.wait_history("conflict_lost", "batchdb", "batch.db")[-1]
            self.assertTrue(lost["kept"], lost)


def edit(path, name):
    with sqlite3.connect(path, timeout=30) as database:
        database.execute("INSERT INTO batches (name) VALUES (?)", (name,))


def names(path):
    if not path.exists():  # opening it would make one
        return []
    with sqlite3.connect(path, timeout=30) as database:
        return [row[0] for row in database.execute("SELECT name FROM batches ORDER BY id")]


class RestoreOnPurpose(unittest.TestCase):
    """An old backup is brought back and made that of the whole plant."""

    def plant_with_backup(self, follow=False):
        plant = Plant("AB")
        plant.join_all(sqlite_provider)
        a, b = plant
        self.live = [s.data / "db" / "batch.db" for s in plant]
        with sqlite3.connect(self.live[0]) as database:
            database.execute("CREATE TABLE batches (id INTEGER PRIMARY KEY, name TEXT)")
        edit(self.live[0], "of the backup")
        backup = a.data / "backup.db"
        shutil.copy2(self.live[0], backup)
        then = time.time() - 300 * 86_400
        os.utime(backup, (then, then))
        self.runs = a.data / "plant-runs"
        put(self.runs, b"")
        if follow:
            a.configure(sqlite_provider(a, settle="3s"),
                        top=f"follow = 'test -e {shlex.quote(str(self.runs))}'\n")
        plant.start_all().wait_connected()
        wait_until(lambda: names(self.live[1]) == ["of the backup"], "B has the database")
        plant.wait_all_synced()
        edit(self.live[0], "of today")
        wait_until(lambda: names(self.live[1])[-1] == "of today", "B has today's batch")
        plant.wait_all_synced()
        return plant, backup

    def test_publish_makes_the_restored_database_win_everywhere(self):
        plant, backup = self.plant_with_backup()
        with plant:
            a, _ = plant
            a.stop()
            shutil.copy2(backup, self.live[0])
            a.cli("publish", "batchdb/batch.db")
            a.start()
            wait_until(lambda: names(self.live[1]) == ["of the backup"], "B has the restored database")
            plant.wait_all_synced()
            self.assertEqual(names(self.live[0]), ["of the backup"])

    def test_stop_edit_start_makes_the_restored_database_win_everywhere(self):
        plant, backup = self.plant_with_backup(follow=True)
        with plant:
            a, b = plant
            self.runs.unlink()  # the plant's project is shut down
            wait_until(lambda: a.status()["engine"] == "stopped", "A follows the plant's project")
            shutil.copy2(backup, self.live[0])
            put(self.runs, b"")
            wait_until(lambda: a.status()["engine"] == "running", "A runs with the project")
            a.cli("stop")  # at once: before the newest state is put back
            self.assertEqual(names(self.live[0]), ["of the backup"])
            edit(self.live[0], "after the restore")
            a.cli("start")
            wait_until(lambda: names(self.live[1]) == ["of the backup", "after the restore"],
                       "B has the restored database with the edit")
            plant.wait_all_synced()
            self.assertEqual(names(self.live[0]), ["of the backup", "after the restore"])
            kept = [h for h in b.history("batchdb", "batch.db") if h["kept"]]
            self.assertTrue(kept, "what was replaced is kept")


if __name__ == "__main__":
    unittest.main()
