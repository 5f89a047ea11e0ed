"""The release binary reads the system's wall clock: checked once with libfaketime."""

import glob
import unittest

from stations import Plant, files_provider, wait_until


class FakeTime(unittest.TestCase):
    def test_61_seconds_off_is_rejected(self):
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not libraries:
            raise unittest.SkipTest("libfaketime is not installed")
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            a.start()
            b.start({"LD_PRELOAD": libraries[0], "FAKETIME": "+61s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                     "DONT_FAKE_MONOTONIC": "1"})
            for station, other in ((a, b), (b, a)):
                wait_until(lambda: (p := station.peer(other)) and p["state"] == "rejected"
                           and any(r["check"] == "time" for r in p["reasons"]),
                           f"{station.name} rejects {other.name} for its clock")
            b.stop()
            b.start()
            plant.wait_connected()


if __name__ == "__main__":
    unittest.main()
