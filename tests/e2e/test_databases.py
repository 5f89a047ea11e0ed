"""SQLite databases travel while other programs keep them open for reading and writing."""

import sqlite3
import unittest

from stations import Plant, sqlite_provider, wait_until


def make(path, mode, rows=200):
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.execute(f"PRAGMA journal_mode = {mode}")
    database.execute("CREATE TABLE parameters (id INTEGER PRIMARY KEY, name TEXT, value REAL)")
    database.execute("BEGIN")
    database.executemany("INSERT INTO parameters (name, value) VALUES (?, ?)",
                         [(f"parameter {n}", n / 2) for n in range(rows)])
    database.execute("COMMIT")
    return database


def open_again(path):
    return sqlite3.connect(path, isolation_level=None, timeout=30)


def value(database, row):
    found = database.execute("SELECT value FROM parameters WHERE id = ?", (row,)).fetchone()
    return found and found[0]


class DatabaseTravels(unittest.TestCase):
    def check_mode(self, mode):
        with Plant("ABC") as plant:
            a, b, c = plant
            plant.join_all(sqlite_provider)
            on_a = make(a.data / "db" / "batch.db", mode)
            self.addCleanup(on_a.close)
            plant.start_all().wait_connected()
            programs = [on_a]
            for station in (b, c):
                station.wait_synced("batchdb", "batch.db")
                programs.append(open_again(station.data / "db" / "batch.db"))
                self.addCleanup(programs[-1].close)
            self.assertEqual([value(p, 7) for p in programs], [3.0] * 3)

            # Each in turn writes through a connection that was open before the replacement.
            for turn, (writer, station) in enumerate(zip(programs, plant)):
                writer.execute("UPDATE parameters SET value = ? WHERE id = 7", (100.0 + turn,))
                for program in programs:
                    wait_until(lambda: value(program, 7) == 100.0 + turn,
                               f"the change of {station.name} is visible to an open program")
                plant.wait_all_synced()
            for program in programs:
                self.assertEqual(program.execute("PRAGMA integrity_check").fetchone()[0], "ok")
                self.assertEqual(program.execute("SELECT count(*) FROM parameters").fetchone()[0], 200)
            plant.wait_equal_digests("batchdb")
            for station in plant:
                self.assertEqual(list((station.data / "db").glob(".*")) , [], "litter beside the database")

    def test_open_programs_see_the_new_content_in_wal_mode(self):
        self.check_mode("WAL")

    def test_open_programs_see_the_new_content_in_rollback_mode(self):
        self.check_mode("DELETE")


class UnchangedDatabase(unittest.TestCase):
    def test_opening_vacuum_and_checkpoint_publish_nothing(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(lambda s: sqlite_provider(s, scan="500ms"))
            make(a.data / "db" / "batch.db", "WAL").close()
            plant.start_all().wait_connected()
            b.wait_synced("batchdb", "batch.db")
            plant.wait_all_synced()
            before = [len(s.history("batchdb")) for s in plant]
            for station in plant:
                database = open_again(station.data / "db" / "batch.db")
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                database.execute("ANALYZE")
                database.execute("UPDATE parameters SET value = value")
                database.close()
            # A later, real change shows that the scans have passed over what was done above.
            database = open_again(b.data / "db" / "batch.db")
            self.addCleanup(database.close)
            database.execute("UPDATE parameters SET value = 4711 WHERE id = 1")
            on_a = open_again(a.data / "db" / "batch.db")
            self.addCleanup(on_a.close)
            wait_until(lambda: value(on_a, 1) == 4711, "the change of B is on A")
            plant.wait_all_synced()
            after = [[h["what"] for h in s.history("batchdb")] for s in plant]
            published = [sum(what == "published" for what in entries) for entries in after]
            self.assertEqual(published, [1, 1], after)
            self.assertEqual([len(entries) - n for entries, n in zip(after, before)],
                             [len(after[0]) - before[0]] * 2)


if __name__ == "__main__":
    unittest.main()
