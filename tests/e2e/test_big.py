"""Big objects on the optimized build: 2 GiB + 1 byte, and the memory that a 1 GiB database takes."""

import os
import shutil
import sqlite3
import sys
import unittest

from stations import Plant, files_provider, sqlite_provider, wait_until

GIB = 1024 ** 3
MIB = 1024 ** 2
MEMORY_MAX = 150 * MIB


def need_free_space(path, wanted):
    free = shutil.disk_usage(path).free
    if free < wanted:
        raise unittest.SkipTest(f"needs {wanted / GIB:.0f} GiB of free space in {path}, there are {free / GIB:.0f}")


def same_bytes(first, second):
    if first.stat().st_size != second.stat().st_size:
        return False
    with first.open("rb") as one, second.open("rb") as other:
        while chunk := one.read(8 * MIB):
            if chunk != other.read(8 * MIB):
                return False
    return True


class BigFile(unittest.TestCase):
    def test_2_gib_and_one_byte(self):
        with Plant("AB") as plant:
            need_free_space(plant.folder, 8 * GIB)
            a, b = plant
            plant.join_all(files_provider)
            source = a.data / "recipes" / "big.bin"
            with source.open("wb") as file:
                # Random enough that nothing is found twice, quick enough to make.
                block = os.urandom(MIB - 8)
                for number in range(2048):
                    file.write(number.to_bytes(8, "big") + block)
                file.write(b"!")
            self.assertEqual(source.stat().st_size, 2 * GIB + 1)
            plant.start_all().wait_connected()
            target = b.data / "recipes" / "big.bin"
            wait_until(target.exists, "the file is on B", timeout=600, every=0.2)
            self.assertTrue(same_bytes(source, target))
            b.wait_all_synced()
            figures = {s.name: s.peak_resident_bytes() // MIB for s in plant}
            print(f"\n2 GiB + 1 byte: peak memory in MiB: {figures}", file=sys.stderr)
            for station in plant:
                self.assertLess(station.peak_resident_bytes(), MEMORY_MAX, station.name)


class BigDatabase(unittest.TestCase):
    def make_database(self, path):
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE measurements (id INTEGER PRIMARY KEY, batch INTEGER, data BLOB)")
        database.execute("BEGIN")
        for number in range(GIB // 4096):
            database.execute("INSERT INTO measurements (batch, data) VALUES (?, ?)", (number % 97, os.urandom(4000)))
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return database

    def test_memory_and_bytes_of_a_small_change(self):
        with Plant("AB") as plant:
            need_free_space(plant.folder, 12 * GIB)
            a, b = plant
            plant.join_all(lambda s: sqlite_provider(s, scan="5m"))
            path = a.data / "db" / "batch.db"
            database = self.make_database(path)
            self.addCleanup(database.close)
            size = path.stat().st_size
            self.assertGreater(size, 1000 * MIB)
            plant.start_all().wait_connected()
            b.wait_synced("batchdb", "batch.db", timeout=600)
            # In rollback-journal mode a reader waits for the whole apply: as long as its busy timeout says.
            copy = sqlite3.connect(b.data / "db" / "batch.db", isolation_level=None, timeout=300)
            self.addCleanup(copy.close)
            received = b.provider("batchdb")["bytes_received"]

            rows = GIB // 4096
            database.execute("BEGIN")
            for number in range(1, rows, 100):  # each row has a page of its own: 1 % of the pages
                database.execute("UPDATE measurements SET data = ? WHERE id = ?", (os.urandom(4000), number))
            database.execute("COMMIT")
            last = database.execute("SELECT data FROM measurements WHERE id = ?", (rows - rows % 100 - 99,)).fetchone()
            wait_until(lambda: copy.execute("SELECT data FROM measurements WHERE id = ?",
                                            (rows - rows % 100 - 99,)).fetchone() == last,
                       "the change is on B", timeout=600, every=0.5)
            b.wait_all_synced(timeout=600)
            moved = b.provider("batchdb")["bytes_received"] - received
            figures = {s.name: s.peak_resident_bytes() // MIB for s in plant}
            print(f"\n1 GiB database: 1 % of its pages changed, {moved / size:.2%} of its size moved; "
                  f"peak memory in MiB: {figures}", file=sys.stderr)
            self.assertLess(moved, size * 0.05)
            for station in plant:
                self.assertLess(station.peak_resident_bytes(), MEMORY_MAX, station.name)


if __name__ == "__main__":
    unittest.main()
