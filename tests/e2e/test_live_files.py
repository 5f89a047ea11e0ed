"""Files above live_above have no package of their own: an export is made for those who fetch them."""

import os
import unittest

from stations import Plant, files_provider, put, wait_until

MIB = 1 << 20


class LiveFiles(unittest.TestCase):
    def test_one_export_serves_all_and_does_not_stay(self):
        with Plant("ABC") as plant:
            plant.join_all(files_provider)
            for station in plant:
                station.station_setting("sync", 'live_above = "1MB"')
            plant.start_all().wait_connected()
            a, b, c = plant
            staging = a.root / "sync" / ".staging"
            seen = set()

            def exports():
                now = list(staging.rglob("*.part"))
                seen.add(len(now))
                return now

            content = os.urandom(12 * MIB)
            put(a.data / "recipes" / "big.bin", content)
            for station in (b, c):
                path = station.data / "recipes" / "big.bin"
                wait_until(lambda path=path: exports() is not None and path.exists(), f"{station.name} has the file",
                           every=0.01)
                station.wait_file("recipes/big.bin", content)
            wait_until(lambda: not exports(), "the export is removed")
            self.assertLessEqual(max(seen), 1)


if __name__ == "__main__":
    unittest.main()
